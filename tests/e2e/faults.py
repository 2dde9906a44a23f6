"""A proxy in front of the AWS servers. It counts every request and injects faults into selected ones.

Other requests are forwarded unchanged, including `Host` and signature. Rules select the requests that meet a
fault. They count requests and never use time, so a fault hits the same request in every run.
"""

import json
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from functools import cached_property
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from listening import Server

# Method, whether a key is named, and the distinguishing word in the query. The first match is the operation.
S3_OPERATIONS = (
    ("GET", False, "list-type", "ListObjectsV2"),
    ("GET", False, "uploads", "ListMultipartUploads"),
    ("GET", False, "location", "GetBucketLocation"),
    ("GET", False, "", "ListObjects"),
    ("GET", True, "uploadId", "ListParts"),
    ("GET", True, "tagging", "GetObjectTagging"),
    ("GET", True, "", "GetObject"),
    ("HEAD", False, "", "HeadBucket"),
    ("HEAD", True, "", "HeadObject"),
    ("PUT", True, "partNumber", "UploadPart"),
    ("PUT", True, "tagging", "PutObjectTagging"),
    ("PUT", True, "", "PutObject"),
    ("POST", False, "delete", "DeleteObjects"),
    ("POST", True, "uploads", "CreateMultipartUpload"),
    ("POST", True, "uploadId", "CompleteMultipartUpload"),
    ("DELETE", True, "uploadId", "AbortMultipartUpload"),
    ("DELETE", True, "", "DeleteObject"),
)
JSON_SERVICES = ("cloudtrail", "glue")
Fields = tuple[tuple[str, str], ...]
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})


@dataclass(frozen=True)
class Request:
    """A request as it arrived."""

    number: int
    method: str
    target: str
    fields: Fields = field(repr=False)
    body: bytes = field(repr=False)

    @cached_property
    def headers(self) -> dict[str, str]:
        """The header fields, by lower-case name."""
        return {name.lower(): value for name, value in self.fields}

    @cached_property
    def query(self) -> dict[str, str]:
        """The query of the address, and of a posted form."""
        text = urlsplit(self.target).query
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            text += "&" + self.body.decode()
        return dict(parse_qsl(text, keep_blank_values=True))

    @property
    def path(self) -> str:
        """Bucket and key: `bucket/a/b`."""
        return unquote(urlsplit(self.target).path).lstrip("/")

    @property
    def service(self) -> str:
        """`s3`, `glue`, `cloudtrail` or `sts`, from the scope of the signature."""
        scope = self.headers.get("authorization", "").partition("Credential=")[2].split(",")[0].split("/")
        return scope[3] if len(scope) > 3 else "s3"

    @property
    def access_key(self) -> str:
        """The access key that signed the request."""
        return self.headers.get("authorization", "").partition("Credential=")[2].split("/")[0]

    @cached_property
    def operation(self) -> str:
        """The name of the operation in the API of its service."""
        if "x-amz-target" in self.headers:
            return self.headers["x-amz-target"].rpartition(".")[2]
        query = self.query
        if "Action" in query:
            return query["Action"]
        has_key = bool(self.path.partition("/")[2])
        fits = (
            name
            for method, wants_key, word, name in S3_OPERATIONS
            if method == self.method and wants_key == has_key and (not word or word in query)
        )
        return next(fits, "unknown")


@dataclass(frozen=True)
class Answer:
    """The answer of the server."""

    status: int
    fields: Fields
    body: bytes = field(repr=False)


class Exchange:
    """A request that meets a fault. The fault may forward it, answer it or cut it off."""

    def __init__(self, handler: "_Handler", request: Request) -> None:
        self.handler = handler
        self.request = request

    def forward(self, without: str = "") -> Answer:
        """Forwards the request to the server, perhaps without a header field."""
        fields = tuple(field for field in self.request.fields if field[0].lower() != without)
        return self.handler.server.proxy.ask(replace(self.request, fields=fields))

    def send(self, answer: Answer) -> None:
        """Sends an answer."""
        self.handler.wfile.write(self.head(answer) + answer.body)

    def head(self, answer: Answer) -> bytes:
        """Status line and headers, with the full length even if the body is cut."""
        lines = [f"HTTP/1.1 {answer.status} {'OK' if answer.status < 300 else 'Not OK'}"]
        lines += [f"{name}: {value}" for name, value in answer.fields if name.lower() not in HOP_BY_HOP]
        if not any(name.lower() == "content-length" for name, _ in answer.fields):
            lines.append(f"Content-Length: {len(answer.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def write(self, piece: bytes) -> None:
        """Sends some bytes."""
        self.handler.wfile.write(piece)

    def end(self, *, reset: bool = False) -> None:
        """Closes the connection, normally or with a reset."""
        self.handler.end(reset=reset)


class Fault(Protocol):
    """An action on a request."""

    def __call__(self, exchange: Exchange) -> None: ...


@dataclass(frozen=True)
class Refuse:
    """An AWS error, in the format of the requested service. The request is not carried out."""

    status: int
    code: str
    message: str
    fields: Fields = ()

    def __call__(self, exchange: Exchange) -> None:
        service = exchange.request.service
        kind = "application/x-amz-json-1.1" if service in JSON_SERVICES else "application/xml"
        body = self.body(service) if exchange.request.method != "HEAD" else b""
        fields = (("Content-Type", kind), ("x-amz-request-id", "FAULT"), *self.fields)
        exchange.send(Answer(self.status, fields, body))

    def body(self, service: str) -> bytes:
        """The error in the format of the service."""
        if service in JSON_SERVICES:
            return json.dumps({"__type": self.code, "message": self.message}).encode()
        error = f"<Code>{self.code}</Code><Message>{escape(self.message)}</Message>"
        if service == "sts":
            error = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
            return error.encode()
        return f"<Error>{error}<RequestId>FAULT</RequestId></Error>".encode()


SLOW_DOWN = Refuse(503, "SlowDown", "Please reduce your request rate.")
INTERNAL_ERROR = Refuse(500, "InternalError", "We encountered an internal error. Please try again.")
# S3 may start a long answer with status 200 and end it with an error.
LATE_ERROR = Refuse(200, "InternalError", "We encountered an internal error. Please try again.")
PRECONDITION_FAILED = Refuse(
    412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
)
CONFLICT = Refuse(
    409,
    "ConditionalRequestConflict",
    "The conditional request cannot succeed due to a conflicting operation against this resource.",
)
EXPIRED_TOKEN = Refuse(400, "ExpiredToken", "The provided token has expired.")
ACCESS_DENIED = Refuse(403, "AccessDenied", "Access Denied")


@dataclass(frozen=True)
class Reply:
    """A successful answer, which may hold errors for single entries. The request is not carried out."""

    body: str
    content_type: str = "application/x-amz-json-1.1"

    def __call__(self, exchange: Exchange) -> None:
        exchange.send(Answer(200, (("Content-Type", self.content_type),), self.body.encode()))


@dataclass(frozen=True)
class Cut:
    """An answer that announces its full length and ends after some bytes of its body."""

    after: int
    reset: bool = False

    def __call__(self, exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.write(exchange.head(answer) + answer.body[: self.after])
        exchange.end(reset=self.reset)


@dataclass(frozen=True)
class Corrupt:
    """An answer of the right length with one flipped bit in its body."""

    def __call__(self, exchange: Exchange) -> None:
        answer = exchange.forward()
        body = bytearray(answer.body)
        body[len(body) // 2] ^= 1
        exchange.send(Answer(answer.status, answer.fields, bytes(body)))


@dataclass(frozen=True)
class Trickle:
    """An answer whose body arrives in small pieces."""

    pieces: int
    pause: float

    def __call__(self, exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.write(exchange.head(answer))
        size = max(1, -(-len(answer.body) // self.pieces))
        for start in range(0, len(answer.body), size):
            time.sleep(self.pause)
            exchange.write(answer.body[start : start + size])


@dataclass(frozen=True)
class Delay:
    """A delayed answer."""

    seconds: float

    def __call__(self, exchange: Exchange) -> None:
        time.sleep(self.seconds)
        exchange.send(exchange.forward())


@dataclass(frozen=True)
class Dated:
    """The answer of a server whose clock differs from this machine's."""

    ahead: timedelta

    def __call__(self, exchange: Exchange) -> None:
        answer = exchange.forward()
        fields = [field for field in answer.fields if field[0].lower() != "date"]
        date = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
        exchange.send(Answer(answer.status, (*fields, ("Date", date)), answer.body))


@dataclass(frozen=True)
class Ignore:
    """The answer of a server that does not know a header field."""

    field: str

    def __call__(self, exchange: Exchange) -> None:
        exchange.send(exchange.forward(without=self.field))


@dataclass(frozen=True)
class Lose:
    """Closes the connection without an answer. The client cannot know whether the request was carried out."""

    carried_out: bool

    def __call__(self, exchange: Exchange) -> None:
        if self.carried_out:
            exchange.forward()
        exchange.end(reset=True)


@dataclass(frozen=True)
class Strike:
    """Runs an action when a request arrives, or once it has been carried out. Sends no answer."""

    action: Callable[[], None]
    carried_out: bool

    def __call__(self, exchange: Exchange) -> None:
        if self.carried_out:
            exchange.forward()
        self.action()
        exchange.end(reset=True)


@dataclass(frozen=True)
class Meanwhile:
    """Runs an action when a request arrives, before it is forwarded."""

    action: Callable[[], object]

    def __call__(self, exchange: Exchange) -> None:
        self.action()
        exchange.send(exchange.forward())


@dataclass
class Rule:
    """Selects the requests that meet a fault: matches except `spare`, after `skip` of them, `times` times."""

    fault: Fault
    operation: str = "*"
    path: str = "*"
    spare: str | None = None
    skip: int = 0
    times: int | None = None
    matched: int = 0
    struck: int = 0

    def strikes(self, request: Request) -> bool:
        """Whether the request meets the fault. Call it once per request."""
        fits = fnmatchcase(request.operation, self.operation) and fnmatchcase(request.path, self.path)
        fits = fits and not (self.spare and fnmatchcase(request.path, self.spare))
        self.matched += fits
        strikes = fits and self.matched > self.skip and (self.times is None or self.struck < self.times)
        self.struck += strikes
        return strikes


class FaultProxy:
    """Forwards requests to a server, records them, and injects the faults of its rules."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.url = ""
        self.seen: list[Request] = []
        self.answers: dict[int, Answer] = {}
        self.rules: list[Rule] = []
        self.lock = Lock()

    def rule(self, fault: Fault, **where: Any) -> Rule:
        """Adds a rule. If several match, the first one applies."""
        rule = Rule(fault, **where)
        with self.lock:
            self.rules.append(rule)
        return rule

    def arrived(self, method: str, target: str, fields: Fields, body: bytes) -> Request:
        """Records a request."""
        with self.lock:
            request = Request(len(self.seen) + 1, method, target, fields, body)
            self.seen.append(request)
        return request

    def fault(self, request: Request) -> Fault | None:
        """The fault that a request meets."""
        with self.lock:
            return next((rule.fault for rule in self.rules if rule.strikes(request)), None)

    def ask(self, request: Request) -> Answer:
        """Gets the server's answer."""
        answer = LOCAL.get(self.upstream, self.sent)(without_hops(request))
        self.answers[request.number] = answer
        return answer

    def sent(self, request: Request) -> Answer:
        """The answer of a server that is reached over a connection."""
        address = urlsplit(self.upstream)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.fields:
                connection.putheader(name, value)
            connection.endheaders(request.body)
            response = connection.getresponse()
            return Answer(response.status, tuple(response.getheaders()), response.read())
        finally:
            connection.close()

    def requests(self, operation: str = "*", path: str = "*") -> list[Request]:
        """The requests so far whose operation and path match."""
        with self.lock:
            seen = list(self.seen)
        return [
            request
            for request in seen
            if fnmatchcase(request.operation, operation) and fnmatchcase(request.path, path)
        ]

    def counts(self) -> Counter[str]:
        """The number of requests of each operation."""
        return Counter(request.operation for request in self.requests())

    def forget(self) -> None:
        """Removes all recorded requests and every rule."""
        with self.lock:
            self.seen.clear()
            self.rules.clear()
            self.answers.clear()


# Servers of this process, by address. They are called without a connection.
LOCAL: dict[str, Callable[[Request], Answer]] = {}


def without_hops(request: Request) -> Request:
    """The request without the fields that concern only its connection."""
    return replace(request, fields=tuple(each for each in request.fields if each[0].lower() not in HOP_BY_HOP))


@contextmanager
def running(upstream: str, tls: ssl.SSLContext | None = None) -> Iterator[FaultProxy]:
    """A proxy on a free port of 127.0.0.1, with TLS if a context is given."""
    proxy = FaultProxy(upstream)
    with serving(proxy, tls) as proxy.url:
        yield proxy


@contextmanager
def serving(proxy: FaultProxy, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Address of a proxy that listens on a free port of 127.0.0.1."""
    server = _Server(proxy, tls)
    with server.listening():
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"


class _Server(Server):
    def __init__(self, proxy: FaultProxy, tls: ssl.SSLContext | None) -> None:
        super().__init__(_Handler, tls)
        self.proxy = proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def serve(self) -> None:
        """Reads the whole request and applies its fault."""
        proxy = self.server.proxy
        body = self.read_body()
        fields = tuple(self.headers.items())
        request = proxy.arrived(self.command, self.path, fields, body)
        exchange = Exchange(self, request)
        fault = proxy.fault(request)
        if fault:
            fault(exchange)
        else:
            exchange.send(exchange.forward())

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = serve

    def read_body(self) -> bytes:
        """The body. A chunked body is assembled, and its length replaces the encoding header."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        self.headers["Content-Length"] = str(len(body))
        return body

    def end(self, *, reset: bool) -> None:
        """Closes the connection. A reset drops bytes that the client has not read yet."""
        self.close_connection = True
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.rfile.close()
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing, because the requests are recorded."""
