"""Requests to AWS go through the proxies in the environment, except for the hosts that it excludes."""

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from aws import CREDENTIALS, Aws, S3Lake, run_arguments
from faults import FaultProxy, running
from harness import balanced, logmill
from http_proxy import ForwardProxy, basic, forwarding
from small_day import few_objects

# A name that only the proxy can resolve. With a dot in it, the server would take its start for a bucket.
HOST = "aws-behind-the-proxy"
ITS_TABLE = ("--dataset", "s3-access")
ROLE = "arn:aws:iam::123456789012:role/log-reader"
PASSWORD = "p@ss:w/rd"
WRITTEN = "kim:p%40ss%3Aw%2Frd"
# No server listens on this port.
CLOSED = "127.0.0.1:1"
LATER = "2099-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def few(aws_server: str) -> str:
    """Address of a few raw objects of the sample in S3. Tests do not change them."""
    return Aws(aws_server, FaultProxy(aws_server)).source(few_objects())


@dataclass(frozen=True)
class Endpoint:
    """AWS under a name that only a proxy can resolve."""

    scheme: str
    server: FaultProxy
    authority: Path | None

    @property
    def place(self) -> str:
        """The server as the environment names it."""
        return f"{HOST}:{8443 if self.scheme == 'https' else 8080}"

    @property
    def hosts(self) -> dict[str, str]:
        """The hosts that the proxy can resolve."""
        return {self.place: self.server.url.rpartition("/")[2]}

    def env(self, aws: Aws, **more: str) -> dict[str, str]:
        """The environment of a run."""
        trusted = {"AWS_CA_BUNDLE": str(self.authority)} if self.authority else {}
        return aws.env(f"{self.scheme}://{self.place}") | trusted | {"AWS_MAX_ATTEMPTS": "2"} | more


@pytest.fixture(params=["https", "http"])
def endpoint(request: pytest.FixtureRequest, aws_server: str, tmp_path: Path) -> Iterator[Endpoint]:
    """The servers, with TLS and without."""
    context, authority = None, None
    if request.param == "https":
        issuer, authority = trustme.CA(), tmp_path / "ca.pem"
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        issuer.issue_cert(HOST).configure_cert(context)
        issuer.cert_pem.write_to_path(str(authority))
    with running(aws_server, context) as server:
        yield Endpoint(request.param, server, authority)


def variables(endpoint: Endpoint) -> list[str]:
    """The variables that name a proxy for an endpoint."""
    name = f"{endpoint.scheme}_proxy"
    return [name.upper(), name, "ALL_PROXY", "all_proxy"]


def assert_all_went_through(proxy: ForwardProxy, endpoint: Endpoint) -> None:
    """In tunnels if the endpoint has TLS, otherwise in absolute form."""
    assert proxy.asked
    if endpoint.scheme == "https":
        assert (proxy.tunnels(), proxy.addresses()) == ({endpoint.place}, set())
    else:
        assert (proxy.tunnels(), proxy.addresses()) == (set(), {f"http://{endpoint.place}"})


@pytest.mark.parametrize("number", range(4))
def test_s3_glue_and_sts_are_reached_through_the_proxy(
    aws: Aws, few: str, endpoint: Endpoint, number: int
) -> None:
    variable, lake = variables(endpoint)[number], aws.lake()
    options = (*ITS_TABLE, "--database", aws.database(), "--create-database", "--role-arn", ROLE)
    with forwarding(endpoint.hosts) as proxy:
        env = endpoint.env(aws, **{variable: proxy.url()})
        balanced(logmill(*run_arguments(lake, *options, source=few), env=env).stdout)
        assert_all_went_through(proxy, endpoint)
    counts = endpoint.server.counts()
    assert all(counts[name] for name in ("GetObject", "PutObject", "CreateTable", "AssumeRole"))
    assert lake.readers().keys() == {"s3_access"}
    assert {request.headers["host"] for request in endpoint.server.requests()} == {endpoint.place}
    assert not [each for each in endpoint.server.requests() if "proxy-authorization" in each.headers]


def test_the_connection_to_the_proxy_can_use_tls(aws: Aws, few: str, tmp_path: Path) -> None:
    """The tunnel inside it has its own TLS."""
    issuer, contexts = trustme.CA(), []
    issuer.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name in ("127.0.0.1", HOST):
        contexts.append(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
        issuer.issue_cert(name).configure_cert(contexts[-1])
    lake = aws.lake()
    with running(aws.server, contexts[1]) as server:
        endpoint = Endpoint("https", server, tmp_path / "ca.pem")
        with forwarding(endpoint.hosts, f"kim:{PASSWORD}", contexts[0]) as proxy:
            env = endpoint.env(aws, HTTPS_PROXY=proxy.url(WRITTEN))
            logmill(*run_arguments(lake, *ITS_TABLE, source=few), env=env)
            assert_all_went_through(proxy, endpoint)
    assert lake.readers().keys() == {"s3_access"}


def assert_no_password(lake: S3Lake, *messages: str) -> None:
    """Asserts that the password appears nowhere, in any form."""
    written = [lake.get(path).decode("latin-1") for path in lake.everything()]
    secrets = (PASSWORD, WRITTEN, WRITTEN.partition(":")[2], basic(f"kim:{PASSWORD}").partition(" ")[2])
    for text in (*messages, *written):
        assert not [secret for secret in secrets if secret in text], text


def test_only_the_proxy_gets_user_and_password(aws: Aws, few: str, endpoint: Endpoint) -> None:
    lake = aws.lake()
    with forwarding(endpoint.hosts, f"kim:{PASSWORD}") as proxy:
        env = endpoint.env(aws, **{variables(endpoint)[0]: proxy.url(WRITTEN)})
        words = run_arguments(lake, *ITS_TABLE, source=few)
        messages = logmill(*(word for word in words if word != "--quiet"), "-vv", "--log-format", "json", env=env)
        assert {asked.authorization for asked in proxy.asked} == {basic(f"kim:{PASSWORD}")}
    assert lake.manifest("s3_access")["ledger"]["written"] > 0
    assert_no_password(lake, messages.stdout, messages.stderr)


def test_a_proxy_that_refuses_the_password_stops_the_run_at_once(
    aws: Aws, few: str, endpoint: Endpoint
) -> None:
    """The error names proxy and variable. A retry would not help."""
    lake, variable = aws.lake(), variables(endpoint)[0]
    with forwarding(endpoint.hosts, "kim:another") as proxy:
        env = endpoint.env(aws, **{variable: proxy.url(WRITTEN)}) | {"AWS_MAX_ATTEMPTS": "8"}
        done = logmill(*run_arguments(lake, *ITS_TABLE, source=few), "-vv", env=env, code=4)
        assert all(word in done.stderr for word in (proxy.url(), variable, "407", "password"))
        # The lock and the record of the run; neither is retried.
        assert len(proxy.asked) < 5
    assert_no_password(lake, done.stdout, done.stderr)
    assert lake.everything() == set()


def test_the_error_names_an_unavailable_proxy(aws: Aws, few: str, endpoint: Endpoint) -> None:
    """The exit code is that of an unavailable service, because the proxy may return."""
    lake, variable = aws.lake(), variables(endpoint)[0]
    env = endpoint.env(aws, **{variable: f"http://{WRITTEN}@{CLOSED}"})
    done = logmill(*run_arguments(lake, *ITS_TABLE, source=few), "-vv", env=env, code=75)
    assert all(word in done.stderr for word in (f"http://{CLOSED}", variable, "NO_PROXY", "refused"))
    assert_no_password(lake, done.stdout, done.stderr)
    assert lake.everything() == set()


@pytest.mark.parametrize("value", ["socks5://kim:hush@proxy:1080", "http://kim:hu/sh@proxy"])
def test_an_invalid_proxy_is_refused_without_printing_its_address(aws: Aws, few: str, value: str) -> None:
    lake = aws.lake()
    messages = aws.failing_run(lake, source=few, code=2, env={"HTTPS_PROXY": value})
    assert "HTTPS_PROXY" in messages
    assert "hu" not in messages.replace("HTTPS_PROXY", "")
    assert lake.everything() == set()


def test_a_folder_needs_no_proxy(tmp_path: Path) -> None:
    """Whatever the value of the variable."""
    logmill("plan", "--day", "2023-11-01", "--input", "sample-data", env={"HTTPS_PROXY": "socks5://proxy:1"})


@pytest.mark.parametrize(
    ("listed", "is_direct"),
    [
        ("*", True),
        ("127.0.0.1", True),
        ("127.0.0.1:{port}", True),
        ("aws.test, 127.0.0.0/8", True),
        ("127.0.0.1:1", False),
        ("27.0.0.1,amazonaws.com", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_excluded_hosts_are_reached_directly(
    aws: Aws, few: str, name: str, listed: str, is_direct: bool
) -> None:
    lake = aws.lake()
    with forwarding() as proxy:
        exempt = listed.format(port=aws.proxy.url.rpartition(":")[2])
        env = aws.env() | {"HTTP_PROXY": proxy.url(), name: exempt}
        logmill(*run_arguments(lake, *ITS_TABLE, source=few), env=env)
        assert (not proxy.asked) == is_direct
    assert lake.readers().keys() == {"s3_access"}


def test_a_domain_and_its_subdomains_are_reached_directly(aws: Aws, few: str) -> None:
    lake, port = aws.lake(), aws.proxy.url.rpartition(":")[2]
    for listed, is_direct in (("localhost", True), (".localhost", True), ("host", False)):
        with forwarding({f"localhost:{port}": f"127.0.0.1:{port}"}) as proxy:
            env = aws.env(f"http://localhost:{port}") | {"HTTP_PROXY": proxy.url(), "NO_PROXY": listed}
            logmill(*run_arguments(lake, *ITS_TABLE, source=few), env=env)
            assert (not proxy.asked) == is_direct, listed


class Metadata(BaseHTTPRequestHandler):
    """The metadata service of an instance or a container."""

    protocol_version = "HTTP/1.1"
    ROLES = "/latest/meta-data/iam/security-credentials"

    def do_PUT(self) -> None:
        """Returns a token for the session."""
        assert self.path == "/latest/api/token"
        self.answer("a token")

    def do_GET(self) -> None:
        """Returns the name of the role, or its credentials."""
        if self.path.rstrip("/") == self.ROLES:
            return self.answer("job")
        keys = {"AccessKeyId": "ASIAOFMACHINE", "SecretAccessKey": "x", "Token": "t", "Expiration": LATER}
        if self.path in (f"{self.ROLES}/job", "/credentials"):
            return self.answer(
                json.dumps({"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": LATER} | keys)
            )
        return self.answer("", 404)

    def answer(self, text: str, status: int = 200) -> None:
        """Sends a text."""
        self.send_response(status)
        self.send_header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""


@pytest.fixture
def machine() -> Iterator[str]:
    """Address of the metadata service of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("kind", ["instance", "container"])
def test_credentials_of_the_machine_are_requested_directly(
    aws: Aws, few: str, machine: str, kind: str
) -> None:
    """The metadata address means this machine; for the proxy it would mean another one."""
    own = {
        "instance": {"AWS_EC2_METADATA_SERVICE_ENDPOINT": machine, "AWS_EC2_METADATA_DISABLED": "false"},
        "container": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{machine}/credentials"},
    }[kind]
    bare = {name: value for name, value in aws.env().items() if name not in CREDENTIALS}
    with forwarding() as proxy:
        logmill(
            *run_arguments(aws.lake(), *ITS_TABLE, source=few), env=bare | own | {"HTTP_PROXY": proxy.url()}
        )
        assert proxy.addresses() == {aws.proxy.url}
    assert {request.access_key for request in aws.proxy.requests()} == {"ASIAOFMACHINE"}
