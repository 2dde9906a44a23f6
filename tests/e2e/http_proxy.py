"""A forward proxy, as companies put one between their machines and AWS: tunnels, plain requests, passwords.

Only the proxy can resolve the host names, which proves that a request went through it.
"""

import base64
import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from listening import Server

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authorization", "proxy-connection", "transfer-encoding"}
)


@dataclass(frozen=True)
class Asked:
    """A client's request to the proxy: the authority of a tunnel, or the whole address of a plain request."""

    method: str
    target: str
    authorization: str | None


class ForwardProxy:
    """The settings of the proxy, and the requests it has received."""

    def __init__(self, hosts: dict[str, str], credentials: str | None, scheme: str) -> None:
        self.hosts = hosts
        self.credentials = credentials
        self.scheme = scheme
        self.port = 0
        self.asked: list[Asked] = []

    @property
    def place(self) -> str:
        """Host and port, as in its address."""
        return f"127.0.0.1:{self.port}"

    def url(self, credentials: str = "") -> str:
        """Its address, with user and password in front of the host."""
        return f"{self.scheme}://{credentials and credentials + '@'}{self.place}"

    def tunnels(self) -> set[str]:
        """The targets of the requested tunnels."""
        return {asked.target for asked in self.asked if asked.method == "CONNECT"}

    def addresses(self) -> set[str]:
        """Scheme and host of the requests that arrived without a tunnel."""
        plain = (urlsplit(asked.target) for asked in self.asked if asked.method != "CONNECT")
        return {f"{address.scheme}://{address.netloc}" for address in plain}

    def accepts(self, authorization: str | None) -> bool:
        """Whether a client has sent the right user and password."""
        return self.credentials is None or authorization == basic(self.credentials)

    def resolve(self, place: str) -> tuple[str, int]:
        """The real address of a host."""
        host, _, port = self.hosts.get(place, place).rpartition(":")
        return host, int(port)


def basic(credentials: str) -> str:
    """The header value for a user and a password."""
    return "Basic " + base64.b64encode(credentials.encode()).decode()


@contextmanager
def forwarding(
    hosts: dict[str, str] | None = None, credentials: str | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[ForwardProxy]:
    """A proxy on a free port of 127.0.0.1, with TLS if a context is given."""
    proxy = ForwardProxy(hosts or {}, credentials, "https" if tls else "http")
    server = _Server(proxy, tls)
    proxy.port = server.server_port
    with server.listening():
        yield proxy


class _Server(Server):
    def __init__(self, proxy: ForwardProxy, tls: ssl.SSLContext | None) -> None:
        super().__init__(_Handler, tls)
        self.proxy = proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def is_accepted(self) -> bool:
        """Records the request. Refuses it if the password is missing or wrong."""
        authorization = self.headers.get("Proxy-Authorization")
        self.server.proxy.asked.append(Asked(self.command, self.path, authorization))
        if self.server.proxy.accepts(authorization):
            return True
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(407)
        self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def do_CONNECT(self) -> None:
        """Forwards bytes in both directions until one side ends."""
        self.close_connection = True
        if not self.is_accepted():
            return
        with socket.create_connection(self.server.proxy.resolve(self.path)) as server:
            self.send_response(200, "Connection established")
            self.end_headers()
            ends = {self.connection: server, server: self.connection}
            while True:
                held = [end for end in ends if isinstance(end, ssl.SSLSocket) and end.pending()]
                for ready in held or select.select(list(ends), [], [])[0]:
                    piece = ready.recv(65536)
                    if not piece:
                        return
                    ends[ready].sendall(piece)

    def serve(self) -> None:
        """Forwards a request with the fields meant for the server."""
        if not self.is_accepted():
            return
        address = urlsplit(self.path)
        assert address.scheme == "http", "a request in absolute form"
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        place = address.netloc if ":" in address.netloc else f"{address.netloc}:80"
        connection = HTTPConnection(*self.server.proxy.resolve(place), timeout=60)
        target = address._replace(scheme="", netloc="").geturl()
        connection.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP_BY_HOP:
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        self.wfile.write(f"HTTP/1.1 {answer.status} {answer.reason}\r\n".encode())
        fields = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
        if "content-length" not in {name.lower() for name, _ in fields}:
            fields.append(("Content-Length", str(len(content))))
        self.wfile.write("".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\n")
        self.wfile.write(content)
        connection.close()

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = serve

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing, because the requests are recorded."""
