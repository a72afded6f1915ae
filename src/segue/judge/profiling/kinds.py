"""What can be asked of a column, by its type."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import TYPE_CHECKING

from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from segue.spec.profile import Plain
    from segue.spec.types import Column, DataType


class Kind(Enum):
    """What a column holds, as far as describing it goes."""

    NUMBER = "number"
    TIME = "time"
    TEXT = "text"
    TRUTH = "truth"
    OTHER = "other"


_TIMES = ("date", "time", "timestamp")


def kind_of(type_: DataType) -> Kind:
    """Return what a column of a type holds.

    Example:
        >>> from segue.spec.types import parse_type
        >>> kind_of(parse_type("decimal(9,2)")), kind_of(parse_type("list<string>"))
        (<Kind.NUMBER: 'number'>, <Kind.OTHER: 'other'>)
    """
    if type_.is_integer or type_.is_float or type_.kind == "decimal":
        return Kind.NUMBER
    if type_.kind in _TIMES:
        return Kind.TIME
    if type_.kind == "bool":
        return Kind.TRUTH
    if type_.kind == "string" or is_category(type_):
        return Kind.TEXT
    return Kind.OTHER


def is_category(type_: DataType) -> bool:
    """Return whether a type is that of categories of texts."""
    return type_.kind == "categorical" and type_.fields[0][1].kind == "string"


def write_column(column: Column) -> str:
    """Return SQL for a column's values, categories as their texts."""
    name = quote_identifier(column.name)
    return f"{name}::varchar" if column.type.kind == "categorical" else name


def write_source(table: str, columns: dict[str, Column]) -> str:
    """Return a SELECT of columns by names that no column of the table can shadow."""
    listed = ", ".join(f"{write_column(column)} as {name}" for name, column in columns.items())
    return f"(select {listed} from {quote_identifier(table)})"


def read_value(text: str | None, type_: DataType) -> Plain | None:
    """Return a value that was fetched as text.

    Example:
        >>> from segue.spec.types import parse_type
        >>> read_value("7", parse_type("int8")), read_value("7.50", parse_type("decimal(9,2)"))
        (7, Decimal('7.50'))
    """
    if text is None:
        return None
    try:
        if type_.is_integer:
            return int(text)
        if type_.is_float:
            return float(text)
        return Decimal(text) if type_.kind == "decimal" else text
    except (ValueError, InvalidOperation):
        return text
