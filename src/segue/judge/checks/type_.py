"""``type: int64``: the column has exactly this type, widths and units included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import read_long, read_text
from segue.judge.verdict import judge_value
from segue.spec.sql import quote_identifier, quote_text
from segue.spec.types import parse_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class TypeCheck:
    """A column of another type breaks it."""

    name = "type"
    scope = "column"
    row_level = False
    rowless = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read a type's notation, such as ``decimal(18,2)``."""
        long = read_long(value, ("type",), "type")
        text = read_text(long.get("type"), "a type such as int64 or decimal(18,2)")
        return {"type": str(parse_type(text))}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: no single row breaks it."""
        del check, types, table
        return ""

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the type that the column has; it costs no look at the rows."""
        del table
        return quote_text(str(types[check.columns[0]]))

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Compare the two types."""
        declared = check.arguments["type"]
        column = check.columns[0]
        return judge_value(
            check,
            value,
            rows,
            kept=value == declared,
            found=f"{column} is {value}",
            expected=declared,
            advice=f"; cast it: {_write_cast(column, parse_type(declared))}",
        )


_WORDS = {
    **{f"{sign}int{bits}": f"{sign}{word}" for sign in ("", "u")
       for bits, word in ((8, "tinyint"), (16, "smallint"), (32, "integer"), (64, "bigint"))},
    "float32": "float",
    "float64": "double",
    "string": "varchar",
    "bool": "boolean",
    "binary": "blob",
    "date": "date",
    "time": "time",
    "duration": "interval",
}  # fmt: skip
_STAMPS = {"s": "timestamp_s", "ms": "timestamp_ms", "us": "timestamp", "ns": "timestamp_ns"}


def _write_cast(column: str, type_: DataType) -> str:
    """Return the cast that a SQL step needs, or the type to declare where SQL has no word."""
    if type_.kind == "decimal":
        word = str(type_)
    elif type_.kind == "timestamp":
        word = _STAMPS[str(type_.arguments[0])] if len(type_.arguments) == 1 else "timestamptz"
    elif type_.kind in _WORDS:
        word = _WORDS[type_.kind]
    else:
        return f"declare the step's schema as `{column}: {type_}`"
    return f"{quote_identifier(column)}::{word}"


CHECK = TypeCheck()
