"""Schemas as users declare them, in whichever form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.declare.row_types import is_row_class, read_column_type, read_row_class
from segue.spec.types import Column, TableSchema

FORMS = (
    'an expression ("name: type, ..."), a pyarrow.Schema, a dict of types by name, '
    "or a TypedDict, dataclass, pydantic model or pandera model"
)


def read_columns(declared: Any) -> TableSchema:
    """Return the columns that anything but an expression declares.

    Args:
        declared: A `pyarrow.Schema`, a class of rows, a pandera model or schema, or a mapping of
            column names to types.

    Raises:
        ValueError: It can't be read; the message names the column.
        TypeError: It tells no columns.

    Example:
        >>> str(read_columns({"k": str, "n": "int32", "tags": list[str]}))
        'k: string, n: int32, tags: list<string>'
    """
    if isinstance(declared, TableSchema):
        return declared
    if type(declared).__module__.partition(".")[0] == "pyarrow" and hasattr(declared, "metadata"):
        from segue.frames.arrow_types import from_arrow

        return from_arrow(declared)
    if is_row_class(declared):
        return read_row_class(declared)
    if is_pandera(declared):
        return _read_pandera(declared)
    if isinstance(declared, Mapping):
        return _make([(name, hint) for name, hint in declared.items()])
    raise TypeError(f"it tells no columns: give {FORMS}")


def is_pandera(declared: Any) -> bool:
    """Return whether something is a model or a schema of pandera."""
    class_ = declared if isinstance(declared, type) else type(declared)
    return any(base.__module__.partition(".")[0] == "pandera" for base in class_.__mro__)


def _read_pandera(declared: Any) -> TableSchema:
    """Return the columns of a pandera schema; a named index becomes columns, as in frames."""
    schema = declared.to_schema() if hasattr(declared, "to_schema") else declared
    if not hasattr(schema, "columns"):
        raise TypeError(f"pandera's {type(schema).__name__} tells no columns")
    index = getattr(schema, "index", None)
    levels = getattr(index, "indexes", [index] if index is not None else [])
    found = [(level.name, level) for level in levels if level.name is not None]
    found += schema.columns.items()
    for name, column in found:
        if getattr(column, "regex", False):
            raise ValueError(f"column {name!r} is a pattern, which tells no column")
        if column.dtype is None:
            raise ValueError(f"column {name!r} has no type")
    return _make([(name, column.dtype.type) for name, column in found])


def _make(hints: list[tuple[Any, Any]]) -> TableSchema:
    odd = next((name for name, _ in hints if not isinstance(name, str)), None)
    if odd is not None:
        raise ValueError(f"column names are text, {odd!r} is of type {type(odd).__name__}")
    return TableSchema(tuple(Column(name, read_column_type(name, hint)) for name, hint in hints))
