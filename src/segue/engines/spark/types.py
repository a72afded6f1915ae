"""Segue's types as Spark's, and Spark's as segue's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.errors import UnsupportedError
from segue.spec.nearest import TYPE_KEY, find_storage
from segue.spec.types import Column, DataType, TableSchema, parse_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAMES = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "float32": "float",
    "float64": "double",
    "string": "string",
    "binary": "binary",
    "date": "date",
}

_KINDS = {name: DataType(kind) for kind, name in _NAMES.items()} | {
    "char": DataType("string"),
    "varchar": DataType("string"),
    "time": DataType("time"),
    "daytimeinterval": DataType("duration", ("us",)),
    "void": DataType("null"),
    "timestamp": DataType("timestamp", ("us", "UTC")),
    "timestamp_ntz": DataType("timestamp", ("us",)),
}


def quote(name: str) -> str:
    """Return a name as Spark's SQL writes it.

    Example:
        >>> quote("a `b`.c")
        '`a ``b``.c`'
    """
    return "`" + name.replace("`", "``") + "`"


def quote_text(text: str) -> str:
    r"""Return a text as a literal of Spark's SQL, where a backslash begins an escape.

    Example:
        >>> print(quote_text("it's \\d"))
        'it\'s \\d'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def write_type(type_: DataType) -> str:
    """Return Spark's name of a nearest type.

    Example:
        >>> from segue.spec.types import parse_type
        >>> write_type(parse_type("list<struct<a: int64, b c: timestamp>>".replace("b c", '"b c"')))
        'array<struct<`a`: bigint, `b c`: timestamp_ntz>>'
    """
    if type_.kind in _NAMES:
        return _NAMES[type_.kind]
    if type_.kind == "decimal":
        return str(type_)
    if type_.kind == "timestamp":
        return "timestamp" if len(type_.arguments) > 1 else "timestamp_ntz"
    inner = [write_type(part) for _, part in type_.fields]
    if type_.kind == "list":
        return f"array<{inner[0]}>"
    if type_.kind == "map":
        return f"map<{inner[0]}, {inner[1]}>"
    pairs = zip(type_.fields, inner, strict=True)
    return f"struct<{', '.join(f'{quote(name)}: {part}' for (name, _), part in pairs)}>"


def write_columns(schema: TableSchema, names: tuple[str, ...] | None = None) -> Any:
    """Return the Spark schema of columns in nearest types.

    Args:
        schema: Columns in nearest types.
        names: Names to give them; None keeps those of the schema.
    """
    from pyspark.sql.types import StructField, StructType

    pairs = zip(names or schema.names, schema, strict=True)
    return StructType([StructField(name, _make(column.type)) for name, column in pairs])


def _make(type_: DataType) -> Any:
    from pyspark.sql import types as spark

    inner = [_make(part) for _, part in type_.fields]
    if type_.kind == "list":
        return spark.ArrayType(*inner)
    if type_.kind == "map":
        return spark.MapType(*inner)
    if type_.kind == "struct":
        names = [name for name, _ in type_.fields]
        return spark.StructType(list(map(spark.StructField, names, inner)))
    if type_.kind == "decimal":
        return spark.DecimalType(*(int(each) for each in type_.arguments))
    if type_.kind == "timestamp":
        return spark.TimestampType() if len(type_.arguments) > 1 else spark.TimestampNTZType()
    return _plain_makers()[type_.kind]()


def _plain_makers() -> dict[str, Callable[[], Any]]:
    from pyspark.sql import types as spark

    return {
        "bool": spark.BooleanType,
        "int8": spark.ByteType,
        "int16": spark.ShortType,
        "int32": spark.IntegerType,
        "int64": spark.LongType,
        "float32": spark.FloatType,
        "float64": spark.DoubleType,
        "string": spark.StringType,
        "binary": spark.BinaryType,
        "date": spark.DateType,
    }


def read_columns(struct: Any) -> TableSchema:
    """Return the logical schema of a Spark schema.

    A column that segue once gave a nearest type remembers its logical one as metadata.

    Raises:
        UnsupportedError: A column has a type that segue lacks, or a name comes twice.
    """
    columns: list[Column] = []
    for field in struct.fields:
        if any(field.name == column.name for column in columns):
            raise UnsupportedError(
                f"column {field.name!r} comes twice", hint="rename one of them: df.toDF(...)"
            )
        columns.append(Column(field.name, _read_field(field)))
    return TableSchema(tuple(columns))


def _read_field(field: Any) -> DataType:
    try:
        found = read_type(field.dataType)
    except ValueError as error:
        raise UnsupportedError(f"column {field.name!r}: {error}") from None
    told: Mapping[str, str] = field.metadata or {}
    if TYPE_KEY in told:
        logical = parse_type(told[TYPE_KEY])
        # whoever cast the column since then may have kept the metadata
        if find_storage(logical) == found:
            return logical
    return found


def read_type(type_: Any) -> DataType:
    """Return segue's type of a Spark type.

    Raises:
        ValueError: Segue has none; the message names a cast.
    """
    name, plain = type_.typeName(), type_.simpleString()
    if name == "array":
        return DataType("list", (), (("item", read_type(type_.elementType)),))
    if name == "map":
        key, value = read_type(type_.keyType), read_type(type_.valueType)
        return DataType("map", (), (("key", key), ("value", value)))
    if name == "struct":
        inner = tuple((field.name, read_type(field.dataType)) for field in type_.fields)
        return DataType("struct", (), inner)
    if name == "decimal":
        return DataType("decimal", (type_.precision, type_.scale))
    found = _KINDS.get(plain) or _KINDS.get(name)
    if found is not None:
        return found
    raise ValueError(f"Spark's type {plain} can't be carried; cast it to another, such as string")
