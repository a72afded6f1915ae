"""Lines over TCP, of several clients at once."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from segue.agent.options import CheckedKind
from segue.agent.sources.clients import Clients
from segue.agent.sources.lines import TOO_LONG, LineBuffer
from segue.agent.sources.listen import TLS_OPTIONS, listen, make_tls
from segue.protocols.edge import Chunk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.agent.options import Options
    from segue.protocols.edge import Cursor
    from segue.spec.edge import EdgeSource

BROKEN = "connection broke inside a record"


class TcpSource(CheckedKind):
    """Listens for connections; each line is a record.

    Senders that are faster than the spool are held back by not reading. TCP tells a sender
    that its bytes have come to this machine, not that they are in the spool: lines on their
    way between both are lost if the agent is killed.
    """

    replayable = False
    typed = False
    required = ("listen",)
    optional: Mapping[str, Any] = {
        **TLS_OPTIONS,
        "buffer": 0,
        "connections": 256,
    }
    shapes: Mapping[str, tuple[str, ...]] = {"buffer": ("size",)}

    def open(self, source: EdgeSource, cursor: Cursor | None, scratch: Path) -> TcpReader:
        """Listen; see `segue.protocols.edge`."""
        del cursor, scratch
        options = self.fill_source(source)
        return TcpReader(options)


class TcpReader:
    """Connections that are open."""

    def __init__(self, options: Options) -> None:
        tls = make_tls(options)
        server = listen(options, socket.SOCK_STREAM)
        self.address: tuple[str, int] = server.getsockname()[:2]
        self._clients = Clients(server, tls, options.whole("connections", 1), LineBuffer)
        self._turn = 0

    def read(self, most: int, wait: float) -> Chunk | None:
        """Return what is there; see `segue.protocols.edge`."""
        deadline = time.monotonic() + wait
        while True:
            chunk = self._take(most)
            if chunk is not None:
                return chunk
            left = deadline - time.monotonic()
            came = self._clients.receive(max(0.0, left))
            if not came and left <= 0:
                return self._take(most)

    def accept(self, receipts: Sequence[Any]) -> None:
        """Nobody waits for an answer."""

    def exhausted(self) -> bool:
        """Return whether all that has come was read."""
        came = self._clients.receive(0.0)
        return not came and not any(each.ended for each in self._clients.clients)

    def close(self) -> None:
        """Close all connections."""
        self._clients.close()

    def _take(self, most: int) -> Chunk | None:
        """Return records of all clients, each in its turn first."""
        parts: list[bytes] = []
        got = lost = 0
        clients = list(self._clients.clients)
        self._turn += 1
        for step in range(len(clients)):
            client = clients[(self._turn + step) % len(clients)]
            if got < most:
                data = client.records.take(most, most - got)
                got += len(data)
                parts.append(data)
            lost, client.records.lost = lost + client.records.lost, 0
            if client.ended and not len(client.records):
                self._clients.forget(client)
        broken, self._clients.broken = self._clients.broken, 0
        told = [(lost, TOO_LONG)] if lost else []
        told += [(broken, BROKEN)] if broken else []
        if not any(parts) and not told:
            return None
        return Chunk(None, b"".join(parts), lost=tuple(told))
