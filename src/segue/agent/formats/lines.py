"""Blocks of text as lines: decoding, blank lines, and lines that are no text."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from segue.protocols.edge import Parsed

REJECTS = pa.schema([("line", pa.binary()), ("reason", pa.string())])
"""Columns of rejects."""

_MARK = codecs.BOM_UTF8


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of a block.

    Attributes:
        lines: Lines in UTF-8 without their ends; blank ones are left out.
        rejects: Lines that can't be decoded, and the reason.
    """

    lines: pa.Array
    rejects: list[tuple[bytes, str]]


def is_utf8(data: bytes) -> bool:
    """Return whether bytes are text in UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def cut_lines(data: bytes, encoding: str) -> Block:
    r"""Return the lines of a block as an Arrow array of strings.

    Args:
        data: Whole lines.
        encoding: What they are written in.

    Example:
        >>> block = cut_lines(b"one\r\n\ntwo\n\xff\n", "utf-8")
        >>> block.lines.to_pylist(), block.rejects
        (['one', 'two'], [(b'\xff', 'not utf-8: byte 0xff at 1')])
    """
    if encoding in ("utf-8", "ascii") and _MARK not in data and is_utf8(data):
        return Block(_drop_blank(pc.split_pattern(pa.array([data], pa.string()), "\n")[0]), [])
    lines, rejects = decode_lines(data, encoding)
    return Block(_drop_blank(pa.scalar(lines, pa.list_(pa.string()))), rejects)


def decode_lines(data: bytes, encoding: str) -> tuple[list[str], list[tuple[bytes, str]]]:
    """Return the lines that can be decoded, and those that can't with the reason."""
    lines: list[str] = []
    rejects: list[tuple[bytes, str]] = []
    for line in data.split(b"\n"):
        try:
            lines.append(line.removeprefix(_MARK).decode(encoding))
        except UnicodeDecodeError as error:
            where = f"byte 0x{line[error.start]:02x} at {error.start + 1}"
            rejects.append((line.removesuffix(b"\r"), f"not {encoding}: {where}"))
    return lines, rejects


def _drop_blank(split: pa.ListScalar) -> pa.Array:
    lines = split.values
    lines = pc.utf8_rtrim(lines, "\r")
    filled = pc.not_equal(pc.binary_length(lines), 0)
    return lines if pc.all(filled).as_py() else lines.filter(filled)


def make_rejects(rejects: list[tuple[bytes, str]]) -> pa.Table:
    """Return rejects as a table."""
    columns: list[Any] = [[line for line, _ in rejects], [reason for _, reason in rejects]]
    return pa.table(columns, schema=REJECTS)


def part_rows(
    columns: list[pa.Array],
    schema: pa.Schema,
    lines: pa.Array,
    reasons: dict[int, str],
    rejects: list[tuple[bytes, str]],
) -> Parsed:
    """Return rows without those that do not fit, and these as rejects.

    Args:
        columns: All rows.
        schema: Of the columns.
        lines: The line of each row.
        reasons: Rows that do not fit, and why.
        rejects: Lines that never became a row.
    """
    table = pa.Table.from_arrays(columns, schema=schema)
    if reasons:
        bad = sorted(reasons)
        rejects = rejects + [(str(lines[row]).encode(), reasons[row]) for row in bad]
        kept = [True] * len(lines)
        for row in bad:
            kept[row] = False
        table = table.filter(pa.array(kept, pa.bool_()))
    return Parsed(table, make_rejects(rejects))
