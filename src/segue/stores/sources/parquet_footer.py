"""The number of rows in a Parquet file's footer.

Written out here because a plan that finds nothing to do should not wait for pyarrow. The
footer is a Thrift structure in the compact protocol; its third field is the number.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"PAR1"
_TAIL = 8
_ROWS_FIELD = 3
_LARGEST = 64 << 20
_DEEPEST = 16

# types of the compact protocol
_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(
    13
)

_SIZES = {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8}


def count_rows(path: Path) -> int | None:
    """Return the number of rows, or None if the footer can't be understood."""
    try:
        with path.open("rb") as file:
            end = file.seek(-_TAIL, io.SEEK_END)
            tail = file.read(_TAIL)
            size = int.from_bytes(tail[:4], "little")
            if tail[4:] != _MAGIC or not 0 < size <= min(end, _LARGEST):
                return None
            file.seek(end - size)
            return _find_rows(io.BytesIO(file.read(size)))
    except (OSError, ValueError, IndexError):
        return None


def _find_rows(footer: io.BytesIO) -> int | None:
    field = 0
    while True:
        head = _read_byte(footer)
        kind = head & 0x0F
        if kind == _STOP:
            return None
        field = field + (head >> 4) if head >> 4 else _read_zigzag(footer)
        if field == _ROWS_FIELD and kind == _I64:
            return _read_zigzag(footer)
        _skip_value(footer, kind, 0)


def _read_byte(footer: io.BytesIO) -> int:
    return footer.read(1)[0]


def _read_varint(footer: io.BytesIO) -> int:
    value = shift = 0
    while True:
        byte = _read_byte(footer)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number has no eighth bit
            return value
        shift += 7


def _read_zigzag(footer: io.BytesIO) -> int:
    value = _read_varint(footer)
    return (value >> 1) ^ -(value & 1)


def _skip_value(footer: io.BytesIO, kind: int, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if kind in _SIZES:
        footer.seek(_SIZES[kind], io.SEEK_CUR)
    elif kind in (_I16, _I32, _I64):
        _read_varint(footer)
    elif kind == _BINARY:
        footer.seek(_read_varint(footer), io.SEEK_CUR)
    elif kind in (_LIST, _SET):
        _skip_list(footer, depth)
    elif kind == _STRUCT:
        while head := _read_byte(footer):
            if not head >> 4:
                _read_zigzag(footer)
            _skip_value(footer, head & 0x0F, depth + 1)
    else:
        raise ValueError("a type that footers do not hold here")


def _skip_list(footer: io.BytesIO, depth: int) -> None:
    head = _read_byte(footer)
    count = head >> 4
    if count == 0x0F:  # noqa: PLR2004 - longer lists state their length apart
        count = _read_varint(footer)
    for _ in range(count):
        _skip_value(footer, head & 0x0F, depth + 1)
