"""Data that has a name: how Spark carries it, and what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.engines.spark.types import quote, write_columns, write_type
from segue.errors import UnsupportedError
from segue.spec.nearest import TYPE_KEY, find_storage, find_storages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.engines.spark.driver import Driver
    from segue.spec.types import DataType, TableSchema

_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}


@dataclass(frozen=True)
class Bound:
    """Data that has a name.

    Attributes:
        frame: Spark's frame of it: its columns are called as `carried_names` says, in the
            nearest types, so that names and types that Spark lacks survive.
        schema: What it is.
        weight: Bytes of its rows in memory, None if they can't be told beforehand.
    """

    frame: Any
    schema: TableSchema
    weight: int | None = None


def carried_names(count: int) -> list[str]:
    """Return what the columns of a carried frame are called.

    Without columns there is one of nulls, for Spark has no rows without columns.

    Example:
        >>> carried_names(2), carried_names(0)
        (['c0', 'c1'], ['c0'])
    """
    return [f"c{number}" for number in range(max(count, 1))]


def carried_struct(schema: TableSchema) -> Any:
    """Return the Spark schema of a carried frame."""
    if schema.columns:
        return write_columns(find_storages(schema), tuple(carried_names(len(schema))))
    from pyspark.sql.types import IntegerType, StructField, StructType

    return StructType([StructField("c0", IntegerType())])


def show_frame(driver: Driver, bound: Bound) -> Any:
    """Return a frame as users get it: with names, and a note of types that Spark lacks."""
    functions = driver.functions
    columns = []
    for name, column in zip(carried_names(len(bound.schema)), bound.schema, strict=False):
        stored = find_storage(column.type)
        told = {} if stored == column.type else {TYPE_KEY: str(column.type)}
        columns.append(functions.col(name).alias(column.name, metadata=told))
    return bound.frame.select(*columns)


def cast_between(expression: str, found: DataType, wanted: DataType) -> str:
    """Return the SQL that casts a carried value to what carries another logical type.

    Args:
        expression: SQL of the value.
        found: Its logical type.
        wanted: The logical type that it is to have.

    Raises:
        UnsupportedError: Spark can't.

    Example:
        >>> from segue.spec.types import parse_type
        >>> cast_between("c0", parse_type("uint8"), parse_type("int64"))
        'cast(c0 as bigint)'
        >>> cast_between("c0", parse_type("duration(ms)"), parse_type("duration(us)"))
        'c0 * 1000L'
    """
    if found.kind == "categorical":
        found = found.fields[0][1]
    stored, target = find_storage(found), find_storage(wanted)
    units = [_unit(found), _unit(wanted)]
    if found == wanted or (stored == target and None in units and not found.fields):
        return expression
    if found.kind == wanted.kind and None not in units:
        return _scale(expression, str(units[0]), str(units[1]))
    if found.fields and _keeps(found, wanted):
        return expression if stored == target else f"cast({expression} as {write_type(target)})"
    if units != [None, None] or found.fields or wanted.fields:
        raise UnsupportedError(f"Spark can't cast {found} to {wanted}")
    return f"cast({expression} as {write_type(target)})"


def _unit(type_: DataType) -> str | None:
    """Return the unit of a type that is carried as a number."""
    if type_.kind == "duration":
        return str(type_.arguments[0])
    if type_.kind == "time":
        return "us"
    return "ns" if type_.kind == "timestamp" and type_.arguments[0] == "ns" else None


def _scale(expression: str, found: str, wanted: str) -> str:
    if found == wanted:
        return expression
    if "ns" in (found, wanted):
        raise UnsupportedError(
            "Spark's SQL can't see nanoseconds", hint="cast them to microseconds before"
        )
    if _MICROSECONDS[found] < _MICROSECONDS[wanted]:
        raise UnsupportedError(f"Spark can't count durations of {found} in {wanted}")
    return f"{expression} * {_MICROSECONDS[found] // _MICROSECONDS[wanted]}L"


def _keeps(found: DataType, wanted: DataType) -> bool:
    """Return whether a nested type can be cast part by part, as Spark does."""
    if found.kind != wanted.kind or len(found.fields) != len(wanted.fields):
        return False
    pairs = zip(found.fields, wanted.fields, strict=True)
    return all(
        part == other
        or (
            _unit(part) is None
            and _unit(other) is None
            and (not part.fields or _keeps(part, other))
        )
        for (_, part), (_, other) in pairs
    )


def rename(frame: Any, expressions: Sequence[str]) -> Any:
    """Return a frame of these expressions as carried columns."""
    names = carried_names(len(expressions))
    listed = expressions or ["cast(null as int)"]
    return frame.selectExpr(
        *(f"{each} as {quote(name)}" for each, name in zip(listed, names, strict=True))
    )
