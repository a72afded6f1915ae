"""Values as DuckDB's SQL writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.spec.sql import quote_text

if TYPE_CHECKING:
    from segue.spec.types import DataType

_TYPES = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "uint8": "utinyint",
    "uint16": "usmallint",
    "uint32": "uinteger",
    "uint64": "ubigint",
    "float32": "real",
    "float64": "double",
    "date": "date",
    "time": "time",
}


def write_literal(value: Any, type_: DataType) -> str:
    r"""Return a value of a type as SQL; a number keeps the type that the column has.

    Args:
        value: Python's object for it, as `read_value` makes it.
        type_: Any type but a nested one.

    Raises:
        ValueError: The type is nested.

    Example:
        >>> from segue.spec.types import parse_type
        >>> write_literal(99, parse_type("int32")), write_literal(b"\xff", parse_type("binary"))
        ("cast('99' as integer)", "unhex('FF')")
    """
    if type_.kind in ("string", "categorical"):
        return quote_text(value)
    if type_.kind == "binary":
        return f"unhex({quote_text(value.hex().upper())})"
    if type_.kind == "timestamp":
        zone = " with time zone" if len(type_.arguments) > 1 else ""
        return f"cast({quote_text(value.isoformat(sep=' '))} as timestamp{zone})"
    if type_.kind == "decimal":
        return f"cast({quote_text(str(value))} as {type_})"
    if type_.kind not in _TYPES:
        raise ValueError(f"{type_} has no literal")
    return f"cast({quote_text(str(value).lower())} as {_TYPES[type_.kind]})"
