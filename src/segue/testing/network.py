"""A network that fails: a TCP proxy that cuts, delays, swallows and slows down what passes.

It passes bytes on and knows nothing of what they mean, so that TLS goes through it.

Example:
    >>> import socket
    >>> with socket.create_server(("127.0.0.1", 0)) as server:
    ...     with Proxy(("127.0.0.1", server.getsockname()[1])) as proxy:
    ...         with socket.create_connection(proxy.address) as client:
    ...             taken, _ = server.accept()
    ...             client.sendall(b"hello")
    ...             print(taken.recv(5))
    ...             taken.close()
    b'hello'
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

PIECE = 16 * 1024
_LOOK = 0.05


@dataclass(slots=True)
class Weather:
    """What a proxy does to what passes; any of it can be changed while connections are open.

    Attributes:
        down: Whether connections are refused, and open ones are reset.
        swallow_requests: Whether what clients send gets lost, while connections stay open.
        swallow_answers: Whether what servers send gets lost, while connections stay open.
        delay: Seconds by which each piece comes later.
        rate: Bytes a second in each direction; 0 for no limit.
    """

    down: bool = False
    swallow_requests: bool = False
    swallow_answers: bool = False
    delay: float = 0.0
    rate: float = 0.0


@dataclass(slots=True)
class Passed:
    """What came by.

    Attributes:
        connections: Connections that were made.
        requests: Bytes from clients.
        answers: Bytes from servers.
    """

    connections: int = 0
    requests: int = 0
    answers: int = 0


class Proxy:
    """Stands between clients and a server; a context manager.

    Attributes:
        address: Host and port at which it listens.
        weather: What it does.
        passed: What came by.
        heard: Bytes that clients sent, connection by connection, if it `listens`.
        on_answer: Called before bytes of a server are passed on; it may change the weather.
    """

    def __init__(self, server: tuple[str, int], *, listens: bool = False) -> None:
        """Listen at a free port of this machine.

        Args:
            server: Host and port to which bytes are passed.
            listens: Whether what clients send is kept.
        """
        self.server = server
        self.weather = Weather()
        self.passed = Passed()
        self.heard: list[bytearray] = []
        self.on_answer: Callable[[bytes], None] | None = None
        self._listens = listens
        self._ended = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.settimeout(_LOOK)
        self.address: tuple[str, int] = self._listener.getsockname()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cut(self) -> None:
        """Reset all connections, and refuse new ones until `mend`."""
        self.weather.down = True
        self.reset()

    def blackhole(self) -> None:
        """Lose all that is sent, both ways, without a word: connections stay half open."""
        self.weather.swallow_requests = self.weather.swallow_answers = True

    def mend(self) -> None:
        """Let all pass again; connections from whose stream something was lost are reset."""
        self.weather = Weather()
        self.reset()

    def reset(self) -> None:
        """Reset all connections that are open."""
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    # No lingering: the peers get a reset, not an orderly end.
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End all connections, and listen no more."""
        self._ended.set()
        self.reset()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            if self.weather.down:
                client.close()
                continue
            try:
                server = socket.create_connection(self.server, timeout=10)
            except OSError:
                client.close()
                continue
            self._join(_Pair(client, server))

    def _join(self, pair: _Pair) -> None:
        self.passed.connections += 1
        heard = bytearray()
        if self._listens:
            self.heard.append(heard)
        with self._lock:
            self._open |= {pair.client, pair.server}
        for work in (self._pass_requests, self._pass_answers):
            threading.Thread(target=work, args=(pair, heard), daemon=True).start()

    def _pass_requests(self, pair: _Pair, heard: bytearray) -> None:
        for piece in _receive(pair.client):
            self.passed.requests += len(piece)
            if self._listens:
                heard += piece
            self._slow_down(piece)
            if not self.weather.swallow_requests and not _send(pair.server, piece):
                break
        self._leave(pair)

    def _pass_answers(self, pair: _Pair, _: bytearray) -> None:
        for piece in _receive(pair.server):
            self.passed.answers += len(piece)
            if self.on_answer is not None:
                self.on_answer(piece)
            self._slow_down(piece)
            if not self.weather.swallow_answers and not _send(pair.client, piece):
                break
        self._leave(pair)

    def _slow_down(self, piece: bytes) -> None:
        weather = self.weather
        seconds = weather.delay + (len(piece) / weather.rate if weather.rate else 0.0)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self._ended.is_set():
            self._ended.wait(min(left, _LOOK))

    def _leave(self, pair: _Pair) -> None:
        """End a connection once one of its sides has ended, unless its end gets lost too."""
        while self.weather.swallow_answers and not self._ended.wait(_LOOK):
            pass
        with self._lock:
            for each in (pair.client, pair.server):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            pair.left += 1
            if pair.left == len((pair.client, pair.server)):
                self._open -= {pair.client, pair.server}
                pair.client.close()
                pair.server.close()


@dataclass(slots=True, eq=False)
class _Pair:
    """A client's connection, and that to the server; closed when both directions have ended."""

    client: socket.socket
    server: socket.socket
    left: int = field(default=0)


def _receive(source: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            piece = source.recv(PIECE)
        except OSError:
            return
        if not piece:
            return
        yield piece


def _send(target: socket.socket, piece: bytes) -> bool:
    try:
        target.sendall(piece)
    except OSError:
        return False
    return True
