"""Connections of several clients at once, of which one thread reads whole records."""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP = 2**16
_HANDSHAKE = 10.0
"""Seconds that a client has to agree on TLS."""


class Records(Protocol):
    """What makes records of a client's bytes."""

    lost: int

    def feed(self, data: bytes) -> None:
        """Add what has come."""
        ...

    def end(self, *, whole: bool) -> int:
        """Take leave; returns how many records are left out because only a part of them came."""
        ...

    def __len__(self) -> int:
        """Return the bytes that are held."""
        ...


R = TypeVar("R", bound=Records)


class Client(Generic[R]):
    """A connection."""

    def __init__(self, link: socket.socket, peer: str, records: R) -> None:
        self.link = link
        self.peer = peer
        self.records = records
        self.agreed = not isinstance(link, ssl.SSLSocket)
        self.until = time.monotonic() + _HANDSHAKE
        self.ended = False


class Clients(Generic[R]):
    """Takes in connections and what comes over them.

    Args:
        server: Listens.
        tls: What encrypts, if anything does.
        most: How many clients there may be at once; the others wait.
        make: Makes what cuts a client's bytes into records.
    """

    def __init__(
        self,
        server: socket.socket,
        tls: ssl.SSLContext | None,
        most: int,
        make: Callable[[], R],
    ) -> None:
        self._server = server
        self._tls = tls
        self._most = most
        self._make = make
        self._selector = selectors.DefaultSelector()
        self._selector.register(server, selectors.EVENT_READ, None)
        self._accepting = True
        self.clients: list[Client[R]] = []
        self.broken = 0
        """Records of which only the beginning came; whoever tells them sets it back."""

    def wake_for(self, other: socket.socket) -> None:
        """End waiting also when something comes over another socket, which is left alone."""
        self._selector.register(other, selectors.EVENT_READ, other)

    def receive(self, wait: float) -> bool:
        """Wait for bytes and take in what is there, a step of each client; False if none came."""
        self._drop_silent()
        if any(self._pending(client) for client in self.clients):
            wait = 0.0
        ready = self._selector.select(wait)
        for key, _ in ready:
            if key.data is None:
                self._accept()
            elif isinstance(key.data, Client):
                self._take(key.data)
        for client in list(self.clients):
            if self._pending(client):
                self._take(client)
        return bool(ready)

    def forget(self, client: Client[R]) -> None:
        """Forget a client that has ended and whose records were taken."""
        self.clients.remove(client)
        if not self._accepting and len(self.clients) < self._most:
            self._selector.register(self._server, selectors.EVENT_READ, None)
            self._accepting = True

    def close(self) -> None:
        """Close all connections."""
        for client in self.clients:
            client.link.close()
        self._selector.close()
        self._server.close()

    def _pending(self, client: Client[R]) -> bool:
        link = client.link
        open_ = isinstance(link, ssl.SSLSocket) and client.agreed and not client.ended
        return bool(open_ and isinstance(link, ssl.SSLSocket) and link.pending())

    def _accept(self) -> None:
        try:
            link, address = self._server.accept()
        except OSError:  # it went before it was taken in
            return
        link.setblocking(False)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self._tls is not None:
            try:
                link = self._tls.wrap_socket(link, server_side=True, do_handshake_on_connect=False)
            except OSError:  # it went in the meantime
                link.close()
                return
        client = Client(link, str(address[0]), self._make())
        self.clients.append(client)
        self._selector.register(link, selectors.EVENT_READ, client)
        if len(self.clients) >= self._most:
            self._selector.unregister(self._server)
            self._accepting = False

    def _take(self, client: Client[R]) -> None:
        try:
            if not client.agreed and isinstance(client.link, ssl.SSLSocket):
                client.link.do_handshake()
                client.agreed = True
            data = client.link.recv(_STEP)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return
        except OSError:
            self._end(client, whole=False)
            return
        if data:
            client.records.feed(data)
        else:
            self._end(client, whole=True)

    def _end(self, client: Client[R], *, whole: bool) -> None:
        """Take leave of a client; a line without end is whole if the connection was closed."""
        client.ended = True
        self._selector.unregister(client.link)
        client.link.close()
        self.broken += client.records.end(whole=whole)

    def _drop_silent(self) -> None:
        """End clients that do not come to terms about TLS."""
        now = time.monotonic()
        for client in list(self.clients):
            if not client.agreed and not client.ended and now > client.until:
                self._end(client, whole=True)
                self.forget(client)
