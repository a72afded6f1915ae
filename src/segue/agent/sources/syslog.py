"""Syslog over UDP and TCP, RFC 5424 and RFC 3164, as typed rows."""

from __future__ import annotations

import os
import select
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from segue.agent.options import CheckedKind
from segue.agent.sources.clients import Clients
from segue.agent.sources.lines import TOO_LONG
from segue.agent.sources.listen import TLS_OPTIONS, listen, make_tls, read_address
from segue.agent.sources.syslog_frames import SyslogFrames
from segue.agent.sources.syslog_message import TAKE, read_message
from segue.agent.sources.tcp import BROKEN
from segue.errors import SourceError
from segue.protocols.edge import Chunk

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from segue.agent.options import Options
    from segue.protocols.edge import Cursor
    from segue.spec.edge import EdgeSource
    from segue.spec.types import TableSchema

FULL = "socket buffer full"
"""The reason for which the kernel drops what comes over UDP."""

_TEXT = ("string", "categorical")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "time": ("timestamp",),
    "received": ("timestamp",),
    "priority": ("int",),
    **dict.fromkeys(("facility", "severity", "host", "app", "process"), _TEXT),
    **dict.fromkeys(("message_id", "message", "peer", "raw"), _TEXT),
    "data": ("map",),
}
"""Columns that a message can be asked for, and the kinds of types that they can have."""

_LARGEST = 65535
_MOST_AT_ONCE = 20_000
_COUNTED = 1.0
"""Seconds between two looks at the kernel's count of drops."""
_TABLES = {socket.AF_INET: "/proc/net/udp", socket.AF_INET6: "/proc/net/udp6"}


class SyslogSource(CheckedKind):
    """Listens for messages; what is no syslog becomes a message with the default priority.

    UDP can't be read again and can't be held back. What the kernel drops because nobody read
    in time is counted.
    """

    replayable = False
    typed = True
    required = ("listen",)
    optional: Mapping[str, Any] = {
        **TLS_OPTIONS,
        "protocol": "udp",
        "buffer": "4MiB",
        "connections": 256,
        "zone": "",
    }
    columns: Mapping[str, str] = {
        "time": "timestamp(us, UTC)",
        "received": "timestamp(us, UTC)",
        "facility": "string",
        "severity": "string",
        "host": "string",
        "app": "string",
        "process": "string",
        "message": "string",
    }
    shapes: Mapping[str, tuple[str, ...]] = {
        "buffer": ("size",),
        "protocol": ("choice", "udp", "tcp", "both"),
    }

    def open(self, source: EdgeSource, cursor: Cursor | None, scratch: Path) -> SyslogReader:
        """Listen; see `segue.protocols.edge`."""
        del cursor, scratch
        options = self.fill_source(source)
        _refuse_columns(source)
        return SyslogReader(options, source.schema)


class SyslogReader:
    """Sockets that are open."""

    def __init__(self, options: Options, schema: TableSchema) -> None:
        self._schema = schema
        zone = options.text("zone")
        try:
            self._zone = ZoneInfo(zone) if zone else None
        except (KeyError, ValueError, OSError):
            raise options.wrong("zone", "the name of a time zone") from None
        protocol = options.choice("protocol", "udp", "tcp", "both")
        tls = make_tls(options)
        self._udp: socket.socket | None = None
        self._clients: Clients[SyslogFrames] | None = None
        host, port = read_address(options)
        if protocol != "udp":
            port = self._listen(options, tls)
        if protocol != "tcp":
            port = self._bind(options, port)
        self.address = (host, port)
        self._dropped = 0
        self._counted = float("-inf")

    def _listen(self, options: Options, tls: ssl.SSLContext | None) -> int:
        server = listen(options, socket.SOCK_STREAM)
        most = options.whole("connections", 1)
        self._clients = Clients(server, tls, most, SyslogFrames)
        return int(server.getsockname()[1])

    def _bind(self, options: Options, port: int) -> int:
        try:
            self._udp = listen(options, socket.SOCK_DGRAM, port)
        except SourceError:
            self.close()
            raise
        if self._clients is not None:
            self._clients.wake_for(self._udp)
        return int(self._udp.getsockname()[1])

    def read(self, most: int, wait: float) -> Chunk | None:
        """Return what is there; see `segue.protocols.edge`."""
        deadline = time.monotonic() + wait
        while True:
            found = self._receive(most)
            lost = self._count_lost()
            if found or lost:
                return Chunk(None, table=self._make(found), lost=lost)
            left = deadline - time.monotonic()
            if not self._wait(max(0.0, min(left, _COUNTED))) and left <= 0:
                return None

    def accept(self, receipts: Sequence[Any]) -> None:
        """Nobody waits for an answer."""

    def exhausted(self) -> bool:
        """Return whether all that has come was read."""
        return not self._wait(0.0)

    def close(self) -> None:
        """Close the sockets."""
        if self._clients is not None:
            self._clients.close()
        if self._udp is not None:
            self._udp.close()

    def _wait(self, seconds: float) -> bool:
        if self._clients is not None:
            return self._clients.receive(seconds)
        sockets = [self._udp] if self._udp is not None else []
        return bool(select.select(sockets, [], [], seconds)[0])

    def _receive(self, most: int) -> list[tuple[bytes, str]]:
        """Return messages that are there, and whom they come from."""
        found: list[tuple[bytes, str]] = []
        got = 0
        while self._udp is not None and got < most and len(found) < _MOST_AT_ONCE:
            try:
                data, peer = self._udp.recvfrom(_LARGEST)
            except BlockingIOError:
                break
            found.append((data.rstrip(b"\r\n\0"), peer[0]))
            got += len(data)
        for client in list(self._clients.clients) if self._clients is not None else []:
            if got < most:
                messages = client.records.take_messages(most)
                got += sum(map(len, messages))
                found += [(message, client.peer) for message in messages]
            if client.ended and not len(client.records) and self._clients is not None:
                self._clients.forget(client)
        return found

    def _count_lost(self) -> tuple[tuple[int, str], ...]:
        told = []
        now = time.monotonic()
        if self._udp is not None and now - self._counted >= _COUNTED:
            self._counted = now
            dropped = count_drops(self._udp)
            if dropped > self._dropped:
                told.append((dropped - self._dropped, FULL))
            self._dropped = dropped
        if self._clients is not None:
            broken, self._clients.broken = self._clients.broken, 0
            told += [(broken, BROKEN)] if broken else []
            for client in self._clients.clients:
                lost, client.records.lost = client.records.lost, 0
                told += [(lost, TOO_LONG)] if lost else []
        return tuple(told)

    def _make(self, found: list[tuple[bytes, str]]) -> Any:
        import pyarrow as pa

        from segue.frames.arrow_types import to_arrow

        now = datetime.now(UTC)
        texts = [data.decode("utf-8", "backslashreplace") for data, _ in found]
        messages = [read_message(text, now, self._zone) for text in texts]
        extra: dict[str, Sequence[Any]] = {
            "received": [now] * len(found),
            "peer": [peer for _, peer in found],
            "raw": texts,
        }
        schema = to_arrow(self._schema)
        arrays = []
        for field in schema:
            values: Any = extra.get(field.name)
            if values is None:
                take = TAKE[field.name]
                values = [take(message) for message in messages]
            arrays.append(_make_array(values, field.type))
        return pa.Table.from_arrays(arrays, schema=schema)


def _make_array(values: Sequence[Any], type_: Any) -> Any:
    """Return a column; times are in UTC where it has no zone."""
    import pyarrow as pa

    if pa.types.is_timestamp(type_):
        # Arrow makes whole numbers of times in no zone as they stand
        return pa.array(values, pa.timestamp(type_.unit, "UTC")).cast(type_)
    if pa.types.is_dictionary(type_):
        return pa.array(values, type_.value_type).dictionary_encode().cast(type_)
    return pa.array(values, type_)


def count_drops(udp: socket.socket) -> int:
    """Return how many datagrams the kernel has dropped because the socket's buffer was full."""
    inode = str(os.fstat(udp.fileno()).st_ino)
    try:
        table = Path(_TABLES[udp.family]).read_text()
    except (OSError, KeyError):  # another system; nothing tells
        return 0
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[9] == inode:
            return int(fields[-1])
    return 0


def _refuse_columns(source: EdgeSource) -> None:
    for column in source.schema:
        known = COLUMNS.get(column.name)
        kind = "int" if column.type.is_integer else column.type.kind
        if known is None:
            raise SourceError(
                f"table {source.name!r}: a message has no {column.name!r}",
                hint=f"there are: {', '.join(COLUMNS)}",
            )
        if kind not in known or (kind == "map" and str(column.type) != "map<string, string>"):
            wanted = "map<string, string>" if "map" in known else " or ".join(known)
            raise SourceError(
                f"table {source.name!r}: column {column.name!r} is {column.type}, not {wanted}"
            )
