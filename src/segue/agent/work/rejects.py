"""Rows that are set aside: one form for all tables, see `segue.spec.edge.REJECTS_SCHEMA`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from segue.spec.edge import NODE_COLUMN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa


@dataclass(slots=True)
class Rejects:
    """The rows that were set aside at the tables of one micro-batch.

    Attributes:
        at: For each table its rejects: text of the row, and reasons.
    """

    at: dict[str, list[tuple[str, list[str]]]] = field(default_factory=dict)

    def add(self, table: str, rows: pa.Table, reasons: Sequence[list[str]]) -> None:
        """Set rows of a table aside, each with its reasons."""
        self.add_texts(table, list(zip(write_json(rows), reasons, strict=True)))

    def add_texts(self, table: str, rows: list[tuple[str, list[str]]]) -> None:
        """Set records aside of which there is only text."""
        if rows:
            self.at.setdefault(table, []).extend(rows)

    def gather(self, tables: Sequence[str]) -> pa.Table | None:
        """Return what was set aside at some tables, None if nothing was."""
        import pyarrow as pa

        found = [(text, why, table) for table in tables for text, why in self.at.get(table, ())]
        if not found:
            return None
        rows, reasons, steps = zip(*found, strict=True)
        columns = [pa.array(rows, pa.string()), _lists(reasons), pa.array(steps, pa.string())]
        return pa.Table.from_arrays(columns, names=["row", "reasons", "step"])


def _lists(reasons: Sequence[list[str]]) -> pa.Array:
    import pyarrow as pa

    from segue.frames.arrow_types import to_arrow_type
    from segue.spec.types import parse_type

    return pa.array(list(reasons), to_arrow_type(parse_type("list<string>")))


def write_json(rows: pa.Table) -> list[str]:
    """Return rows as JSON texts, without the column that tells the node.

    Example:
        >>> import pyarrow as pa
        >>> write_json(pa.table({"a": [1, None], "_node": ["n", "n"]}))
        ['{"a": 1}', '{"a": null}']
    """
    shown = [name for name in rows.column_names if name != NODE_COLUMN]
    if not shown:
        return ["{}"] * rows.num_rows
    pairs = (f"{encode_basestring(name)}: ".replace("%", "%%") + "%s" for name in shown)
    form = f"{{{', '.join(pairs)}}}"
    # by columns: a batch may be rejects from end to end
    return [
        form % each for each in zip(*(_write_column(rows[name]) for name in shown), strict=True)
    ]


def _write_column(column: pa.ChunkedArray) -> list[str]:
    """Return values as JSON texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        texts: list[str] = column.cast(pa.string()).fill_null("null").to_pylist()
        return texts
    if pa.types.is_floating(kind):
        return [_write_float(value) for value in column.to_pylist()]
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        column = pc.replace_substring(column.cast(pa.string()), " ", "T")
    elif pa.types.is_decimal(kind):
        column = column.cast(pa.string())
    elif not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return [json.dumps(_plain(value), ensure_ascii=False) for value in column.to_pylist()]
    return ["null" if text is None else encode_basestring(text) for text in column.to_pylist()]


def _write_float(value: float | None) -> str:
    if value is None:
        return "null"
    return repr(value) if math.isfinite(value) else f'"{value}"'


def _plain(value: Any) -> Any:
    """Return a value as JSON can say it; what it can't say becomes text."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
