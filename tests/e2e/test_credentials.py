"""Credentials from every source that AWS tools support, as the signatures of the requests show.

Not tested here: single sign-on and instance metadata, because no server for them is available.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from aws import ACCOUNT, CREDENTIALS, REGION, Aws, run_arguments
from faults import ACCESS_DENIED, FaultProxy
from harness import logmill
from small_day import few_objects

ROLE = f"arn:aws:iam::{ACCOUNT}:role/job"
OPTIONS = ("--dataset", "s3-access")
LATER = "2099-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def few(aws_server: str) -> str:
    """Address of a few raw objects of the sample in S3. Tests do not change them."""
    return Aws(aws_server, FaultProxy(aws_server)).source(few_objects())


@pytest.fixture
def bare(aws: Aws) -> dict[str, str]:
    """An environment with endpoints and region, but without credentials."""
    env = {name: value for name, value in aws.env().items() if name not in CREDENTIALS}
    return env | {"AWS_MAX_ATTEMPTS": "2"}


def keys_of_a_run(aws: Aws, proxy: FaultProxy, source: str, env: dict[str, str]) -> set[str]:
    """The access keys that sign the S3 requests of a run."""
    lake = aws.lake()
    proxy.forget()
    logmill(*run_arguments(lake, *OPTIONS, source=source), env=env)
    assert lake.readers().keys() == {"s3_access"}
    asked = [request for request in proxy.requests() if not request.operation.startswith("AssumeRole")]
    assert {request.service for request in asked} == {"s3"}
    return {request.access_key for request in asked}


def config(folder: Path, text: str) -> dict[str, str]:
    """An AWS config file, named in the environment."""
    file = folder / "config"
    file.write_text(text)
    return {"AWS_CONFIG_FILE": str(file)}


def test_a_profile_has_keys_and_a_region(
    aws: Aws, proxy: FaultProxy, few: str, bare: dict[str, str], tmp_path: Path
) -> None:
    text = f"[profile job]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = x\nregion = {REGION}\n"
    env = {name: value for name, value in bare.items() if name != "AWS_REGION"}
    env |= config(tmp_path, text) | {"AWS_PROFILE": "job"}
    assert keys_of_a_run(aws, proxy, few, env) == {"AKIAPROFILE"}


def test_a_profile_assumes_a_role(
    aws: Aws, proxy: FaultProxy, few: str, bare: dict[str, str], tmp_path: Path
) -> None:
    text = (
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = x\n"
        f"[profile job]\nrole_arn = {ROLE}\nsource_profile = base\n"
    )
    keys = keys_of_a_run(aws, proxy, few, bare | config(tmp_path, text) | {"AWS_PROFILE": "job"})
    (assumed,) = proxy.requests("AssumeRole")
    assert (assumed.query["RoleArn"], assumed.access_key) == (ROLE, "AKIABASE")
    assert keys
    assert all(key.startswith("ASIA") for key in keys)


def test_a_program_provides_credentials(
    aws: Aws, proxy: FaultProxy, few: str, bare: dict[str, str], tmp_path: Path
) -> None:
    answer = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "x"}
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    text = f"[profile job]\ncredential_process = cat {tmp_path}/answer.json\n"
    env = bare | config(tmp_path, text) | {"AWS_PROFILE": "job"}
    assert keys_of_a_run(aws, proxy, few, env) == {"AKIAPROCESS"}


def test_a_web_identity_token_assumes_a_role(
    aws: Aws, proxy: FaultProxy, few: str, bare: dict[str, str], tmp_path: Path
) -> None:
    """As in a Kubernetes pod."""
    token = tmp_path / "token"
    token.write_text("a.web.token")
    env = bare | {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": ROLE}
    keys = keys_of_a_run(aws, proxy, few, env)
    (assumed,) = proxy.requests("AssumeRoleWithWebIdentity")
    assert (assumed.query["RoleArn"], assumed.query["WebIdentityToken"]) == (ROLE, "a.web.token")
    assert keys
    assert all(key.startswith("ASIA") for key in keys)


class Container(BaseHTTPRequestHandler):
    """The credentials endpoint of a container."""

    def do_GET(self) -> None:
        """Returns credentials."""
        assert self.headers["Authorization"] == "the token"
        answer = {"AccessKeyId": "ASIACONTAINER", "SecretAccessKey": "x", "Token": "t", "Expiration": LATER}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""


@pytest.fixture
def container() -> Iterator[str]:
    """Address of the credentials endpoint of a container."""
    server = HTTPServer(("127.0.0.1", 0), Container)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/credentials"
    server.shutdown()


def test_a_container_provides_credentials(
    aws: Aws, proxy: FaultProxy, few: str, bare: dict[str, str], container: str
) -> None:
    env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": container, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "the token"}
    assert keys_of_a_run(aws, proxy, few, bare | env) == {"ASIACONTAINER"}


def test_each_service_can_have_its_own_endpoint(aws: Aws, proxy: FaultProxy, few: str) -> None:
    """S3 may have another endpoint than the other services."""
    env = {name: value for name, value in aws.env().items() if name != "AWS_ENDPOINT_URL"}
    env |= {"AWS_ENDPOINT_URL_S3": proxy.url}
    assert keys_of_a_run(aws, proxy, few, env) == {CREDENTIALS["AWS_ACCESS_KEY_ID"]}


@pytest.mark.parametrize("is_refused", [False, True])
def test_no_message_and_no_file_has_a_secret_of_the_credentials(
    aws: Aws, proxy: FaultProxy, few: str, bare: dict[str, str], is_refused: bool
) -> None:
    """With all messages, if S3 accepts the requests and if it refuses one."""
    lake = aws.lake()
    secrets = {"AWS_SECRET_ACCESS_KEY": "planted/secret", "AWS_SESSION_TOKEN": "planted.token"}
    if is_refused:
        proxy.rule(ACCESS_DENIED, operation="PutObject", path=f"{lake.bucket}*")
    arguments = [word for word in run_arguments(lake, *OPTIONS, source=few) if word != "--quiet"]
    env = bare | {"AWS_ACCESS_KEY_ID": "AKIAPLANTED"} | secrets
    done = logmill(*arguments, "-vvv", "--log-format", "json", env=env, code=4 if is_refused else 0)
    assert done.stderr
    stored = b"".join(aws.contents(lake.bucket).values())
    assert bool(stored) != is_refused
    for secret in secrets.values():
        assert secret not in done.stdout + done.stderr
        assert secret.encode() not in stored
