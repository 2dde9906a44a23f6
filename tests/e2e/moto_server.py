"""moto as a server, called by the proxies of this process without a second connection.

A connection and a thread for each request, as in moto's own server, cost more than moto itself.
"""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from moto.core import serialize
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from faults import LOCAL, Answer, FaultProxy, Fields, Request, serving


# Objects of a bucket share few times, and the parser that moto uses is slow.
serialize.parse_to_aware_datetime = cache(serialize.parse_to_aware_datetime)


class Moto:
    """The application, and its answer to a request."""

    def __init__(self) -> None:
        self.application = DomainDispatcherApplication(create_backend_app)
        # It would list the folder of moto for each request.
        self.application.get_backend_for_host = cache(self.application.get_backend_for_host)

    def __call__(self, request: Request) -> Answer:
        started: list[tuple[str, Fields]] = []

        def start(status: str, fields: list[tuple[str, str]], failure: Any = None) -> None:
            started[:] = [(status, tuple(fields))]

        try:
            body = b"".join(self.application(environ(request), start))
        except Exception as error:
            print(f"moto failed: {request}: {error!r}", file=sys.stderr)
            return Answer(500, (dated(),), b"")
        status, fields = started[0]
        return Answer(int(status.split()[0]), (*fields, dated()), body)


def dated() -> tuple[str, str]:
    """The time of the server."""
    return ("Date", format_datetime(datetime.now(UTC), usegmt=True))


def environ(request: Request) -> dict[str, Any]:
    """A request as WSGI describes it."""
    address = urlsplit(f"http://moto{request.target}")
    made: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(address.path).decode("latin-1"),
        "QUERY_STRING": address.query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    kept: dict[str, str] = {}
    for name, value in request.fields:
        key = environ_key_for_header(name)
        made[key] = f"{made[key]},{value}" if key in made and key.startswith("HTTP_") else value
        if should_preserve_original_header_name(name):
            kept[key] = name
    # moto restores the names of metadata that have an underscore.
    return made | {PRESERVED_HEADER_NAMES_ENVIRON_KEY: kept}


class Unrecorded(FaultProxy):
    """Keeps no requests, because it serves the whole session."""

    def arrived(self, method: str, target: str, fields: Fields, body: bytes) -> Request:
        return Request(0, method, target, fields, body)


@contextmanager
def moto_server() -> Iterator[str]:
    """Address of a server for S3, Glue and STS, on a free port of 127.0.0.1."""
    server = Unrecorded("")
    with serving(server) as address:
        server.upstream = address
        LOCAL[address] = Moto()
        yield address
        del LOCAL[address]
