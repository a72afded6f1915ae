"""Records in the body of a request: headers and payloads, one after the other.

Format: the four bytes ``SGR1``; then for each record the length of its header (4 bytes,
big-endian), the header (a `RecordHeader` as JSON), the length of its payload (8 bytes,
big-endian), the payload.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

from segue.wire.messages import RecordHeader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAGIC = b"SGR1"
CONTENT_TYPE = "application/vnd.segue.records"
LONGEST_HEADER = 64 * 1024
"""Bytes of a header: more is not read."""


def pack_record(header: RecordHeader, payload: bytes) -> list[bytes]:
    """Return the parts of one record, without `MAGIC`."""
    head = header.dump()
    return [struct.pack(">I", len(head)), head, struct.pack(">Q", len(payload)), payload]


def pack_records(records: Iterable[tuple[RecordHeader, bytes]]) -> bytes:
    """Return the body of a request.

    Example:
        >>> header = RecordHeader("readings", "0" * 16, 1, 1, rows=2)
        >>> body = pack_records([(header, b"rows")])
        >>> [(read.rows, bytes(payload)) for read, payload in unpack_records(body)]
        [(2, b'rows')]
    """
    parts = [MAGIC]
    for header, payload in records:
        parts += pack_record(header, payload)
    return b"".join(parts)


def unpack_records(body: bytes | memoryview) -> Iterator[tuple[RecordHeader, memoryview]]:
    """Yield the records of a body; payloads are views of it.

    Raises:
        ValueError: The body is not made of whole records.
    """
    view = memoryview(body)
    if view[:4] != MAGIC:
        raise ValueError("not a body of records")
    at = 4
    while at < len(view):
        head, at = _take(view, at, ">I", LONGEST_HEADER)
        payload, at = _take(view, at, ">Q", len(view))
        yield RecordHeader.read(json.loads(bytes(head))), payload


def _take(view: memoryview, at: int, form: str, most: int) -> tuple[memoryview, int]:
    """Return a part that has its length before it, and where the next begins."""
    begin = at + struct.calcsize(form)
    if begin > len(view):
        raise ValueError("a record is cut off")
    (length,) = struct.unpack(form, view[at:begin])
    if length > most or begin + length > len(view):
        raise ValueError("a record is cut off")
    return view[begin : begin + length], begin + length
