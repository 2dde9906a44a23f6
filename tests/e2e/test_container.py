"""The image, as far as it can be tested without a container engine.

The Dockerfile is linted, and the binary runs as in the image: in a read-only root folder with only the files
of the base image that it needs, as an unprivileged user.
"""

import os
import re
import shutil
import ssl
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import trustme

from aws import Aws
from faults import running
from harness import PATIENCE, REPOSITORY, SAMPLE_DAY, binary

DOCKERFILE = REPOSITORY / "Dockerfile"
# The libraries in gcr.io/distroless/cc-debian12, from its packages libc6 and libgcc-s1, that a Rust program
# may need. The image also has libssl and libstdc++, but the binary must not need them.
IN_THE_IMAGE = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1"}
# The C library of Debian 12.
GLIBC_OF_IMAGE = (2, 36)
USER = "65532"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
ENTER = """
set -e
mount --bind "$1" "$1"
mount --bind "$2" "$1/scratch"
mount -o remount,ro,bind "$1"
root=$1
shift 2
exec chroot --userspec={user}:{user} "$root" "$@"
"""


def instructions() -> dict[str, list[str]]:
    """The instructions of the Dockerfile, by name."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            found.setdefault(name, []).append(rest)
    return found


@cache
def libraries() -> dict[str, Path]:
    """The libraries that the binary needs, by name, including the loader."""
    listed = subprocess.run(["ldd", binary()], capture_output=True, text=True, check=True).stdout
    named = re.findall(r"^\s*(\S+) => (/\S+)", listed, re.MULTILINE)
    loader = re.findall(r"^\s*(/\S+/ld-linux\S+)", listed, re.MULTILINE)
    return {name: Path(path) for name, path in [*named, *((path, path) for path in loader)]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder like that of the image, with the binary and the libraries that it needs."""
    folder = tmp_path / "root"
    for name in ("scratch", "usr/local/bin", "etc/ssl/certs", "lib64"):
        (folder / name).mkdir(parents=True)
    shutil.copy(binary(), folder / "usr/local/bin/logmill")
    for path in libraries().values():
        target = folder / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The mounted folder, which the user of the image can write to."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def contained(
    root: Path, scratch: Path, *arguments: str, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs the entry point of the image in its root folder, with its variables."""
    entry = re.findall(r'"([^"]+)"', instructions()["ENTRYPOINT"][0])
    variables = dict(word.split("=", 1) for word in instructions()["ENV"][-1].split())
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", ENTER.format(user=USER), "sh", root, scratch, *entry, *arguments],
        env={"PATH": os.environ["PATH"]} | variables | env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.fixture
def can_change_root() -> None:
    """Skips the test if this user cannot create a root folder. In CI that is a failure."""
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        missing = f"changing the root folder needs root: {tried.stderr}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)


def test_the_linter_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_image_is_built_like_the_repository() -> None:
    found = instructions()
    channel = re.search(r'channel = "(.+)"', (REPOSITORY / "rust-toolchain.toml").read_text())
    assert channel
    assert found["ARG"][0] == f"RUST={channel[1]}"
    assert all("--profile dist" in run and "--locked" in run for run in found["RUN"])
    # cargo must find the targets that Cargo.toml names by path.
    named = re.findall(r'^path = "(.+)"', (REPOSITORY / "Cargo.toml").read_text(), re.MULTILINE)
    assert named
    assert all(path in found["RUN"][0] for path in named)
    assert found["FROM"][-1] == "gcr.io/distroless/cc-debian12:nonroot"
    assert found["USER"] == [f"{USER}:{USER}"]


def test_only_copied_files_are_sent_to_the_engine() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text().split("\n")
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {word for copy in instructions()["COPY"] if "--from" not in copy for word in copy.split()[:-1]}
    assert "*" in ignored
    assert sent == copied
    assert all((REPOSITORY / name).exists() for name in copied)


def test_files_included_by_the_source_are_copied() -> None:
    copied = {REPOSITORY / word for copy in instructions()["COPY"] for word in copy.split()[:-1]}
    sources = [path for path in (REPOSITORY / "src").rglob("*.rs") if "include_" in path.read_text("utf-8")]
    # The image is built without tests.
    sources = [path for path in sources if path.name != "tests.rs"]
    named = [
        (path.parent / name).resolve()
        for path in sources
        for name in re.findall(r'include_(?:str|bytes)!\(\s*"([^"]+)"', path.read_text("utf-8"))
    ]
    assert named
    assert not [path for path in named if not copied & {path, *path.parents}]


def test_the_image_has_every_library_that_the_binary_needs() -> None:
    wanted = {name for name in libraries() if not name.startswith("/")}
    assert wanted
    assert wanted <= IN_THE_IMAGE
    symbols = set(re.findall(rb"GLIBC_(\d+)\.(\d+)", binary().read_bytes()))
    newest = max((int(major), int(minor)) for major, minor in symbols)
    assert newest <= GLIBC_OF_IMAGE


@pytest.fixture
def authority(root: Path) -> trustme.CA:
    """A certificate authority that the root folder trusts, in Debian's location for certificates."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(root / CERTIFICATES)
    return authority


@pytest.mark.usefixtures("can_change_root")
def test_a_day_goes_from_s3_to_s3_over_tls_in_a_read_only_root(
    aws: Aws, raw_sample: str, root: Path, scratch: Path, authority: trustme.CA, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    lake, expected = aws.lake(), aws.lake()
    aws.run(expected, source=raw_sample)
    with running(aws.server, context) as proxy:
        options = ("--input", raw_sample, "--output", lake.url, "--memory", "64MiB")
        done = contained(root, scratch, "run", "--day", SAMPLE_DAY, *options, env=aws.env(proxy.url))
    assert done.returncode == 0, done.stderr
    assert lake.download(tmp_path / "a").digests() == expected.download(tmp_path / "b").digests()
    assert not list(scratch.iterdir())


@pytest.mark.usefixtures("can_change_root")
def test_the_root_is_read_only_and_the_user_has_no_rights(root: Path, scratch: Path) -> None:
    (root / "lake").mkdir(mode=0o777)
    (root / "logs").mkdir()
    # Named log types are published even without logs.
    run = ("run", "--day", SAMPLE_DAY, "--dataset", "cloudtrail", "--input", "/logs", "--output")
    for output, reason in (("/lake", "Read-only file system"), ("/scratch/denied/lake", "Permission denied")):
        (scratch / "denied").mkdir(exist_ok=True, mode=0o755)
        refused = contained(root, scratch, *run, output, env={})
        assert refused.returncode == 4
        assert reason in refused.stderr
    done = contained(root, scratch, *run, "/scratch/lake", env={})
    assert done.returncode == 0, done.stderr
    owners = {path.stat().st_uid for path in (scratch / "lake").rglob("*")}
    assert owners == {int(USER)}
