"""How much memory a compressed Arrow stream takes, before any of it is decoded.

A few bytes of zstd can stand for gigabytes. Each compressed buffer tells its size before its
bytes, and Arrow decodes no more than that: so the sizes are summed up first. Arrow's library shows
them to nobody, so they are read from the messages' metadata, whose form Arrow has checked then.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

_DICTIONARY, _ROWS = 2, 3
"""Kinds of messages that have a body."""
_KIND, _HEADER = 1, 2
"""Fields of a message."""
_DATA = 1
"""Field of a dictionary's message: its values, as rows."""
_BUFFERS, _COMPRESSION = 2, 3
"""Fields of rows."""
_PLAIN = -1
"""Size of a buffer that is not compressed among others that are."""


def measure_stream(payload: bytes | memoryview) -> int:
    """Return the bytes that an Arrow stream decodes to.

    Args:
        payload: The stream.

    Raises:
        pa.ArrowException: It is none.
        struct.error: Its metadata points out of itself.

    Example:
        >>> table = pa.table({"n": pa.array([0] * 100_000, pa.int64())})
        >>> sink = pa.BufferOutputStream()
        >>> options = pa.ipc.IpcWriteOptions(compression="zstd")
        >>> with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        ...     writer.write_table(table)
        >>> stream = sink.getvalue()
        >>> stream.size < 1000, measure_stream(stream.to_pybytes())
        (True, 800000)
    """
    return sum(
        _measure(bytes(message.metadata), memoryview(message.body))
        for message in pa.ipc.MessageReader.open_stream(pa.py_buffer(payload))
        if message.body is not None
    )


def _measure(metadata: bytes, body: memoryview) -> int:
    message = _follow(metadata, 0)
    kind = _find(metadata, message, _KIND)
    header = _find(metadata, message, _HEADER)
    if not kind or not header or metadata[kind] not in (_DICTIONARY, _ROWS):
        return len(body)
    rows = _follow(metadata, header)
    if metadata[kind] == _DICTIONARY:
        data = _find(metadata, rows, _DATA)
        if not data:
            return len(body)
        rows = _follow(metadata, data)
    if not _find(metadata, rows, _COMPRESSION):
        return len(body)
    return sum(_decoded(body, *each) for each in _list_buffers(metadata, rows))


def _list_buffers(metadata: bytes, rows: int) -> Iterator[tuple[int, int]]:
    """Yield where each buffer of a message begins in its body, and its length."""
    place = _find(metadata, rows, _BUFFERS)
    if place:
        vector = _follow(metadata, place)
        (count,) = struct.unpack_from("<I", metadata, vector)
        for number in range(count):
            yield struct.unpack_from("<qq", metadata, vector + 4 + 16 * number)


def _decoded(body: memoryview, begin: int, length: int) -> int:
    if not length:
        return 0
    (size,) = struct.unpack_from("<q", body, begin)
    return length - 8 if size == _PLAIN else max(0, size)


def _follow(metadata: bytes, at: int) -> int:
    """Return where an offset points to."""
    return at + int(struct.unpack_from("<I", metadata, at)[0])


def _find(metadata: bytes, table: int, field: int) -> int:
    """Return where a field of a FlatBuffers table lies; 0 if it is not there."""
    entries = table - int(struct.unpack_from("<i", metadata, table)[0])
    (size,) = struct.unpack_from("<H", metadata, entries)
    place = 4 + 2 * field
    if place >= size:
        return 0
    offset = int(struct.unpack_from("<H", metadata, entries + place)[0])
    return table + offset if offset else 0
