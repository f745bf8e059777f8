"""The server: answers GET and HEAD with what is shown now, and nothing else."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from jobarium_events.errors import JobariumEventsError
from jobarium_events.site.serving.live import Answer, Live

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["PORT", "PortTaken", "Server"]

PORT = 8000
"""Where the site is shown unless something else is said."""

_TRIED = 100  # ports, from PORT on
_IDLE = 60.0  # seconds after which a connection that is not used is closed


class PortTaken(JobariumEventsError):
    """Something else listens where the site was to be shown.

    Attributes:
        host: On which address.
        port: At which port.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    def __str__(self) -> str:
        return f"port {self.port} of {self.host} is taken; name another one by --port, or leave it out for a free one"


class Server:
    """Answers requests in threads of its own as long as its block lasts.

    Args:
        live: What is shown.
        host: The address to listen on.
        port: The port; 0 for any, None for the first one that is free from 8000 on.

    Attributes:
        url: Where the site is.

    Raises:
        PortTaken: If the port is taken.
        OSError: If there is no such address.

    Example:
        >>> with Server(Live(), port=0) as server:
        ...     server.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(self, live: Live, *, host: str = "127.0.0.1", port: int | None = None) -> None:
        self._server = _listening(live, host, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        address = f"[{host}]" if ":" in host else host
        self.url = f"http://{address}:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _listening(live: Live, host: str, port: int | None) -> _Listening:
    last = PORT + _TRIED - 1
    for number in range(PORT, last) if port is None else ():
        with suppress(PortTaken):
            return _at(live, host, number)
    return _at(live, host, last if port is None else port)


def _at(live: Live, host: str, port: int) -> _Listening:
    try:
        return _Listening(live, host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port) from None
        raise OSError(error.errno, f"cannot be listened on: {error.strerror}", host) from None


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a browser keeps its connections open, and nobody waits for it
    allow_reuse_address = os.name == "posix"  # elsewhere it lets two processes listen at once

    def __init__(self, live: Live, host: str, port: int) -> None:
        self.live = live
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        address = ip_address(str(self.server_address[0]))
        self.is_private = address.is_loopback

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # that of HTTPServer asks the network for this machine's name

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away in the midst of an answer."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Listening
    protocol_version = "HTTP/1.1"
    server_version = "jobarium-events"
    sys_version = ""
    timeout = _IDLE

    def do_GET(self) -> None:
        self._send(self._answer())

    def do_HEAD(self) -> None:
        self._send(self._answer())

    def _refuse(self) -> None:
        self.close_connection = True  # the request's body is not read
        self._send(_text(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered."))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse  # noqa: N815 - the base class looks for these

    def _answer(self) -> Answer:
        if self.server.is_private and not _is_local(self.headers.get("Host", "localhost")):
            # A page from elsewhere may have its own name lead to this machine, to read what is served here.
            return _text(HTTPStatus.MISDIRECTED_REQUEST, "This site is shown as localhost only.")
        return self.server.live.answer(self.path)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Print nothing: what matters is what the command says."""


def _is_local(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ip_address(name))
    except ValueError:
        return False


def _text(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", f"{text}\n".encode())
