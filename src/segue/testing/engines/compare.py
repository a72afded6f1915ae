"""Exact comparison of tables: the same columns, the same types, the same rows."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pyarrow as pa

MOST_ROWS = 10
"""Rows that a message shows, at most."""


def expect_table(found: pa.Table, expected: pa.Table, *, ordered: bool = False) -> None:
    """Raise unless two tables are the same.

    Columns have the same names in the same order and exactly the same types. Rows are compared
    as multisets: NaN equals NaN, null is not NaN, and 0.0 is not -0.0.

    Args:
        found: What came out.
        expected: What should have.
        ordered: Whether the order of rows counts.

    Raises:
        AssertionError: They differ; the message tells how.

    Example:
        >>> nan = float("nan")
        >>> expect_table(pa.table({"a": [1.0, nan, None]}), pa.table({"a": [None, 1.0, nan]}))
        >>> expect_table(pa.table({"a": [nan]}), pa.table({"a": pa.array([None], pa.float64())}))
        Traceback (most recent call last):
        AssertionError: rows differ
          missing: (null)
          too many: (nan)
    """
    expect_schema(found.schema, expected.schema)
    rows, wanted = list_rows(found), list_rows(expected)
    if ordered:
        if rows != wanted:
            raise AssertionError(f"rows differ\n  expected: {wanted}\n  found: {rows}")
        return
    missing, extra = Counter(wanted) - Counter(rows), Counter(rows) - Counter(wanted)
    told = [
        f"  {word}: {', '.join(list(some.elements())[:MOST_ROWS])}"
        for word, some in (("missing", missing), ("too many", extra))
        if some
    ]
    if told:
        raise AssertionError("\n".join(["rows differ", *told]))


def expect_schema(found: pa.Schema, expected: pa.Schema) -> None:
    """Raise unless columns and types are exactly the same; metadata is free.

    Raises:
        AssertionError: They differ.
    """
    told = [_show_fields(schema) for schema in (found, expected)]
    if told[0] != told[1]:
        raise AssertionError(f"columns differ\n  expected: {told[1]}\n  found: {told[0]}")


def _show_fields(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name!r}: {_show_type(field.type)}" for field in schema)


def _show_type(type_: pa.DataType) -> str:
    """Return a type without what means nothing: names of list items, and which may be null."""
    if pa.types.is_list(type_):
        return f"list<{_show_type(type_.value_type)}>"
    if pa.types.is_map(type_):
        return f"map<{_show_type(type_.key_type)}, {_show_type(type_.item_type)}>"
    if pa.types.is_struct(type_):
        inner = (type_.field(position) for position in range(type_.num_fields))
        return f"struct<{', '.join(f'{each.name!r}: {_show_type(each.type)}' for each in inner)}>"
    return str(type_)


def list_rows(table: pa.Table) -> list[str]:
    """Return the rows of a table as texts, which are the same for the same values alone.

    Example:
        >>> list_rows(pa.table({"a": [1, None], "b": [[0.0], [float("nan"), None]]}))
        ['(1, [0.0])', '(null, [nan, null])']
    """
    if not table.num_columns:
        return ["()"] * table.num_rows
    columns = [_list_values(column) for column in table.columns]
    return [f"({', '.join(row)})" for row in zip(*columns, strict=True)]


def _list_values(column: pa.ChunkedArray) -> list[str]:
    type_ = column.type
    if pa.types.is_timestamp(type_) or pa.types.is_duration(type_):
        # Python's objects hold no nanoseconds
        return [show_value(value) for value in column.cast(pa.int64()).to_pylist()]
    return [show_value(value) for value in column.to_pylist()]


def show_value(value: Any) -> str:
    """Return a value as a text; maps in the order of their keys.

    Example:
        >>> show_value([("b", None), ("a", -0.0)])
        '{a: -0.0, b: null}'
    """
    if value is None:
        return "null"
    if isinstance(value, float):
        return "nan" if math.isnan(value) else repr(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {show_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) for item in value):
            pairs = sorted((str(key), show_value(item)) for key, item in value)
            return f"{{{', '.join(f'{key}: {item}' for key, item in pairs)}}}"
        return f"[{', '.join(map(show_value, value))}]"
    return repr(value)
