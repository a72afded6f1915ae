"""Rows as a list of dicts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pyarrow as pa

from segue.errors import UsageError
from segue.frames.adapter import FrameAdapter
from segue.frames.objects import make_array, make_empty, refuse_odd_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def _as_dict(row: Any) -> Any:
    """Return a row of a class that has fields as a dict; anything else as it is."""
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        return dataclasses.asdict(row)
    for way in ("model_dump", "_asdict"):  # of pydantic, and of named tuples
        if hasattr(row, way):
            return getattr(row, way)()
    return row


def to_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return a table's rows, each as a dict in the order of the columns.

    Raises:
        UsageError: A time is beyond what Python's own can hold.
    """
    try:
        rows: list[dict[str, Any]] = table.to_pylist()
    except OverflowError as error:
        raise UsageError(
            f"rows can't be dicts, for Python's own times can't hold a value: {error}",
            hint="take another frame than list[dict]",
        ) from None
    return rows


def from_rows(rows: list[Any], hints: pa.Schema) -> pa.Table:
    """Return rows as a table; a key that a row lacks is null there.

    Args:
        rows: Dicts with text keys, or instances of dataclasses, named tuples, pydantic's models.
        hints: Types that columns had before, for what values alone don't tell.

    Raises:
        ValueError: A row is not a dict, a key is not text, or a column has no type.
    """
    names: dict[str, None] = {}
    if not all(type(row) is dict for row in rows):
        rows = [_as_dict(row) for row in rows]
    odd = next((type(row).__name__ for row in rows if not isinstance(row, dict)), None)
    if odd is not None:
        raise ValueError(f"a row is of type {odd}, not a dict")
    for row in rows:
        names.update(dict.fromkeys(row))
    refuse_odd_names(list(names))
    columns = {
        name: make_array(
            [row.get(name) for row in rows],
            name,
            hints.field(name).type if name in hints.names else None,
        )
        for name in names
    }
    return pa.table(columns) if columns else make_empty(len(rows))


def join_rows(parts: Sequence[list[Any]]) -> list[Any] | None:
    """Return rows below each other if all of them have the same columns, else None.

    Types of values are not compared: if they differ, each part has to be looked at by itself.
    """
    joined = [row for part in parts for row in part]
    if not joined or not isinstance(joined[0], dict):
        return None
    first = joined[0]
    names, kinds = first.keys(), [type(value) for value in first.values()]
    for row in joined:
        if not isinstance(row, dict) or row.keys() != names:
            return None
        if [type(value) for value in row.values()] != kinds:
            return None
    return joined


ROWS = FrameAdapter(list, to_rows, from_rows, None, join_rows)
