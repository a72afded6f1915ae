"""DuckDB's types as segue's, and segue's in DuckDB's SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from segue.errors import SqlError
from segue.spec.sql import quote_identifier, quote_text
from segue.spec.types import Column, DataType, TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_KINDS = {
    "null": DataType("null"),
    "boolean": DataType("bool"),
    "tinyint": DataType("int8"),
    "smallint": DataType("int16"),
    "integer": DataType("int32"),
    "bigint": DataType("int64"),
    "hugeint": DataType("int64"),
    "uhugeint": DataType("int64"),
    "utinyint": DataType("uint8"),
    "usmallint": DataType("uint16"),
    "uinteger": DataType("uint32"),
    "ubigint": DataType("uint64"),
    "float": DataType("float32"),
    "double": DataType("float64"),
    "varchar": DataType("string"),
    "uuid": DataType("string"),
    "bit": DataType("string"),
    "blob": DataType("binary"),
    "date": DataType("date"),
    "time": DataType("time"),
    "timestamp": DataType("timestamp", ("us",)),
    "timestamp_s": DataType("timestamp", ("us",)),
    "timestamp_ms": DataType("timestamp", ("us",)),
    "timestamp_ns": DataType("timestamp", ("ns",)),
    "timestamp with time zone": DataType("timestamp", ("us", "UTC")),
    "interval": DataType("duration", ("us",)),
}
"""Sums of integers are HUGEINT in DuckDB and int64 in segue; one that does not fit is an error."""

_CASTS = {
    "time with time zone": "{}::time",
    "time_ns": "{}::time",
    "timestamp with time zone ns": "{}::timestamptz",
    "bignum": "{}::bigint",
    "variant": "{}::json",
    "tuple": "a struct with names: {{'x': …, 'y': …}}",
}
"""What a user can write where segue has no such type."""

_NAMES = {
    "null": '"NULL"',
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "uint8": "utinyint",
    "uint16": "usmallint",
    "uint32": "uinteger",
    "uint64": "ubigint",
    "float32": "float",
    "float64": "double",
    "string": "varchar",
    "binary": "blob",
    "date": "date",
    "time": "time",
    "duration": "interval",
}

_NARROWED = {"hugeint", "uhugeint", "bit", "interval"}
"""Types whose Arrow form is not what segue passes on; a cast in SQL brings them nearer."""


def quote_value(value: Any) -> str:
    """Return a text, number, truth value or sequence of them as SQL writes it.

    Example:
        >>> quote_value(["a", 1, True])
        "['a', 1, true]"
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return quote_text(value)
    return f"[{', '.join(map(quote_value, value))}]"


def quote_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Return pairs of texts as a struct of SQL.

    Example:
        >>> quote_pairs([("a", "bigint")])
        "{'a': 'bigint'}"
    """
    inner = (f"{quote_text(name)}: {quote_text(text)}" for name, text in pairs)
    return "{" + ", ".join(inner) + "}"


def quote_path(path: str) -> str:
    """Return a path as a function takes it that understands patterns.

    Example:
        >>> quote_path("a*.csv")
        "'a[*].csv'"
    """
    return quote_text(re.sub(r"([*?\[])", r"[\1]", path))


def list_arguments(
    paths: Iterable[str], named: Mapping[str, str] | None = None, *, hive: bool = False
) -> str:
    """Return the arguments of a function that reads files.

    Args:
        paths: The files.
        named: SQL of further arguments by name.
        hive: Whether ``name=value`` folders are columns.
    """
    further = {"hive_partitioning": quote_value(hive), **(named or {})}
    listed = f"[{', '.join(map(quote_path, paths))}]"
    return ", ".join([listed, *(f"{name}={value}" for name, value in further.items())])


def read_type(type_: Any, expression: str = "x") -> DataType:
    """Return segue's type of a DuckDB type.

    Args:
        type_: A DuckDBPyType.
        expression: How the column is written, for the message.

    Raises:
        ValueError: Segue has none; the message names a cast.
    """
    kind = type_.id
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "decimal":
        sizes = dict(type_.children)
        return DataType("decimal", (sizes["precision"], sizes["scale"]))
    if kind == "enum":
        return DataType("categorical", (), (("item", DataType("string")),))
    if kind in ("list", "array"):
        return DataType("list", (), (("item", _read_inner(type_.children[0][1], expression)),))
    if kind in ("struct", "map"):
        inner = tuple((name, _read_inner(part, expression)) for name, part in type_.children)
        return DataType(kind, (), inner)
    cast = _CASTS.get(kind, "{}::varchar").format(expression)
    raise ValueError(f"its type {type_} can't be stored; write {cast}")


def _read_inner(type_: Any, expression: str) -> DataType:
    inner = read_type(type_, expression)
    # Arrow's kernels do little with dictionaries inside other types
    return DataType("string") if inner.kind == "categorical" else inner


def read_schema(names: Iterable[str], types: Iterable[Any]) -> TableSchema:
    """Return segue's schema of a result.

    Raises:
        ValueError: A column has a type that segue lacks; the message names it.
    """
    columns: list[Column] = []
    for name, type_ in zip(names, types, strict=True):
        try:
            column = Column(name, read_type(type_, quote_identifier(name)))
        except ValueError as error:
            raise ValueError(f"column {name!r}: {error}") from None
        if any(name == other.name for other in columns):
            raise ValueError(f"column {name!r} comes twice")
        columns.append(column)
    return TableSchema(tuple(columns))


def refuse_case_twins(owner: str, names: Iterable[str]) -> None:
    """Refuse names that SQL can't tell apart.

    Raises:
        SqlError: Two names differ only by case.
    """
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise SqlError(
                f"{owner} has columns {other!r} and {name!r}, which SQL can't tell apart",
                hint="rename one of them",
            )


def select_nothing(schema: TableSchema) -> str:
    """Return the SELECT of no rows with these columns."""
    columns = (f"null::{sql_type(each.type)} as {quote_identifier(each.name)}" for each in schema)
    return f"select {', '.join(columns)} where false"


def sql_type(type_: DataType) -> str:
    """Return DuckDB's name of a type.

    Example:
        >>> from segue.spec.types import parse_type
        >>> sql_type(parse_type("list<struct<a: int64, b: timestamp(us, UTC)>>"))
        'struct("a" bigint, "b" timestamptz)[]'
    """
    if type_.kind in _NAMES:
        return _NAMES[type_.kind]
    inner = [sql_type(part) for _, part in type_.fields]
    return _BUILT[type_.kind](type_, inner)


def _struct_name(type_: DataType, inner: list[str]) -> str:
    names = (quote_identifier(name) for name, _ in type_.fields)
    return f"struct({', '.join(f'{name} {part}' for name, part in zip(names, inner, strict=True))})"


def _timestamp_name(type_: DataType, _: list[str]) -> str:
    if len(type_.arguments) > 1:
        return "timestamptz"
    return "timestamp_ns" if type_.arguments == ("ns",) else "timestamp"


_BUILT: dict[str, Callable[[DataType, list[str]], str]] = {
    "decimal": lambda type_, _: "decimal({},{})".format(*type_.arguments),
    "list": lambda _, inner: f"{inner[0]}[]",
    "map": lambda _, inner: f"map({inner[0]}, {inner[1]})",
    "struct": _struct_name,
    "categorical": lambda _, inner: inner[0],
    "timestamp": _timestamp_name,
}


def needs_cast(type_: Any) -> bool:
    """Return whether a column of a DuckDB type is cast in SQL before it leaves as Arrow."""
    if type_.id in ("list", "array", "struct", "map"):
        return any(needs_cast(part) for name, part in type_.children if name != "size")
    return type_.id in _NARROWED


def transport_type(type_: DataType) -> DataType:
    """Return the type in which a value leaves DuckDB: durations leave as numbers.

    Arrow has no form of DuckDB's INTERVAL that is as long as it is.
    """
    if type_.kind == "duration":
        return DataType("int64")
    fields = tuple((name, transport_type(part)) for name, part in type_.fields)
    return DataType(type_.kind, type_.arguments, fields)
