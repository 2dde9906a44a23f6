"""The promises of s3s-fs, an S3 server over a folder that shares no code with moto.

Building the server takes minutes, so these tests run only if `s3s-fs` is installed:
`cargo install s3s-fs --version 0.14.1 --features binary --locked`.
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import logmill

SERVER = shutil.which("s3s-fs")
# Each is a known gap of version 0.14.1.
NOT_KEPT = {
    "conditional removal": "If-Match was ignored",
    "list of uploads": "ListMultipartUploads is not implemented",
    "ETags": "put gives",
    "pinned reads": "If-Match was ignored",
    "lock taken over": "releases the lock of the other run",
}
NOT_TRIED = {"encoded names": "status: 200", "file names": "code: InternalError"}

pytestmark = pytest.mark.skipif(SERVER is None, reason="s3s-fs is not installed")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server with one bucket, on a free port."""
    (tmp_path / "probed").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keys = ("--access-key", "testing", "--secret-key", "testing")
    command = [str(SERVER), "--host", "127.0.0.1", "--port", str(port), *keys, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while True:
                assert server.poll() is None, "the server has ended"
                with socket.socket() as tried:
                    if tried.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def test_s3s_fs_cannot_hold_a_lake(address: str) -> None:
    env = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_ENDPOINT_URL": address,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    probed = logmill("doctor", "--probe", "s3://probed/lake", "--format", "json", code=4, env=env)
    found = {line["promise"]: line for line in map(json.loads, probed.stdout.splitlines())}
    for state, expected in (("not kept", NOT_KEPT), ("not tried", NOT_TRIED)):
        assert {name for name, line in found.items() if line["state"] == state} == expected.keys(), state
        for name, text in expected.items():
            assert text in found[name]["found"], name
    assert "cannot remove all of its files" in probed.stderr
