"""Stands between agents and a hub where requests can be read: sends them twice, or much later.

Towards the agents it speaks plain HTTP, towards the hub TLS. What is signed holds all the same.
"""

from __future__ import annotations

import http.client
import random
import ssl
import threading
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

SECONDS = 90.0
_CONTEXT = ssl.create_default_context()
_CONTEXT.check_hostname = False
_CONTEXT.verify_mode = ssl.CERT_NONE
"""Who the hub is does not matter here; agents are known by their signatures."""
_LEFT_OUT = ("content-length", "connection", "transfer-encoding")


@dataclass
class Echo:
    """Passes requests on; a context manager.

    Attributes:
        port: Where the hub listens.
        chance: Draws.
        doubled: Share of requests that are sent twice at once, in any order.
        late: Share of requests of which a copy comes some seconds later.
        overtaken: Share of requests that come late, after the sender has given them up.
        seconds: Longest time by which something is late.
    """

    port: int
    chance: random.Random
    doubled: float = 0.0
    late: float = 0.0
    overtaken: float = 0.0
    seconds: float = 20.0
    repeats: int = 0
    address: tuple[str, int] = ("", 0)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        echo = self

        class Handler(_Handler):
            pass

        Handler.echo = echo
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.address = ("127.0.0.1", self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def calm(self) -> None:
        """Pass everything on once, from now on."""
        self.doubled = self.late = self.overtaken = 0.0

    def again(self, request: _Request, seconds: float = 0.0) -> threading.Thread:
        """Send a request once more, later, and forget the answer."""
        self.repeats += 1

        def work() -> None:
            if not self._over.wait(seconds):
                with (
                    suppress(OSError, http.client.HTTPException),
                    closing(_connect(self.port)) as hub,
                ):
                    request.send(hub)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def send(self, hub: http.client.HTTPSConnection) -> tuple[int, list[tuple[str, str]], bytes]:
        hub.request(self.method, self.path, self.body or None, self.headers)
        answer = hub.getresponse()
        return answer.status, answer.getheaders(), answer.read()


def _connect(port: int) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=_CONTEXT)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    echo: Echo

    def setup(self) -> None:
        super().setup()
        self.hub = _connect(self.echo.port)

    def finish(self) -> None:
        self.hub.close()
        super().finish()

    def do_POST(self) -> None:
        echo, chance = self.echo, self.echo.chance
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = _Request(self.command, self.path, dict(self.headers), body)
        first = None
        if chance.random() < echo.doubled:
            first = echo.again(request)
            if chance.random() < 0.5:
                first.join(SECONDS)  # the copy is heard first
        if chance.random() < echo.late:
            echo.again(request, chance.uniform(0, echo.seconds))
        if chance.random() < echo.overtaken:
            echo.again(request, chance.uniform(0, echo.seconds))
            self.close_connection = True
            return
        try:
            status, headers, content = request.send(self.hub)
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        self.send_response(status)
        for name, text in headers:
            if name.lower() not in _LEFT_OUT:
                self.send_header(name, text)
        if status != http.client.NO_CONTENT:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
