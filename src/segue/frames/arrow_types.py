"""Segue's types in Arrow and back, and Arrow data brought to a logical schema."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.frames.casts import LISTS, cast_array
from segue.frames.values import show_value
from segue.spec.types import MAX_PRECISION, Column, DataType, TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
} | {
    f"{sign}int{bits}": getattr(pa, f"{sign}int{bits}")()
    for sign in ("", "u")
    for bits in (8, 16, 32, 64)
}

_BUILT: dict[str, Callable[[DataType, list[pa.DataType]], pa.DataType]] = {
    "decimal": lambda type_, _: pa.decimal128(*type_.arguments),
    "timestamp": lambda type_, _: pa.timestamp(*type_.arguments),
    "duration": lambda type_, _: pa.duration(*type_.arguments),
    "list": lambda _, inner: pa.list_(inner[0]),
    "map": lambda _, inner: pa.map_(inner[0], inner[1]),
    "categorical": lambda _, inner: pa.dictionary(pa.int32(), inner[0]),
    "struct": lambda type_, inner: pa.struct(
        [(name, part) for (name, _), part in zip(type_.fields, inner, strict=True)]
    ),
}

_KINDS: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_null, "null"),
    (pa.types.is_boolean, "bool"),
    (pa.types.is_float16, "float32"),
    (pa.types.is_string, "string"),
    (pa.types.is_large_string, "string"),
    (pa.types.is_string_view, "string"),
    (pa.types.is_binary, "binary"),
    (pa.types.is_large_binary, "binary"),
    (pa.types.is_binary_view, "binary"),
    (pa.types.is_fixed_size_binary, "binary"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
)

_PANDAS_ONLY = {
    "pandas.period": "pandas' periods can't be stored: make them times, with .dt.to_timestamp()",
    "pandas.interval": "pandas' intervals can't be stored: make them text, with .astype(str)",
}


def to_arrow(schema: TableSchema) -> pa.Schema:
    """Return the Arrow schema of a logical one; every column may be null."""
    return pa.schema([(column.name, to_arrow_type(column.type)) for column in schema])


def to_arrow_type(type_: DataType) -> pa.DataType:
    """Return the one Arrow type in which segue passes a logical type on.

    Example:
        >>> from segue.spec.types import parse_type
        >>> str(to_arrow_type(parse_type("timestamp(ms, UTC)")))
        'timestamp[ms, tz=UTC]'
    """
    if type_.kind in _PLAIN:
        return _PLAIN[type_.kind]
    return _BUILT[type_.kind](type_, [to_arrow_type(inner) for _, inner in type_.fields])


def from_arrow(schema: pa.Schema) -> TableSchema:
    """Return the logical schema of an Arrow one.

    Raises:
        ValueError: A name comes twice, or a column has a type that segue lacks.
    """
    _refuse_twins(schema.names)
    columns = []
    for field in schema:
        try:
            columns.append(Column(field.name, from_arrow_type(field.type)))
        except ValueError as error:
            raise ValueError(f"column {field.name!r}: {error}") from None
    return TableSchema(tuple(columns))


def from_arrow_type(type_: pa.DataType) -> DataType:
    """Return the logical type of an Arrow type; layouts of the same values are one type.

    Raises:
        ValueError: Segue has no such type.

    Example:
        >>> str(from_arrow_type(pa.dictionary(pa.int8(), pa.large_string())))
        'categorical<string>'
    """
    kind = next((kind for test, kind in _KINDS if test(type_)), None)
    if kind is not None:
        return DataType(kind)
    if pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return DataType({"float": "float32", "double": "float64"}.get(str(type_), str(type_)))
    if pa.types.is_decimal(type_):
        return _from_decimal(type_)
    if pa.types.is_timestamp(type_):
        return DataType("timestamp", (type_.unit, type_.tz) if type_.tz else (type_.unit,))
    if pa.types.is_duration(type_):
        return DataType("duration", (type_.unit,))
    return _from_nested(type_)


def _from_nested(type_: pa.DataType) -> DataType:
    if isinstance(type_, pa.BaseExtensionType):
        if type_.extension_name in _PANDAS_ONLY:
            raise ValueError(_PANDAS_ONLY[type_.extension_name])
        named = {"arrow.uuid": "string", "arrow.bool8": "bool"}.get(type_.extension_name)
        return DataType(named) if named else from_arrow_type(type_.storage_type)
    if pa.types.is_dictionary(type_):
        return DataType("categorical", (), (("item", from_arrow_type(type_.value_type)),))
    if pa.types.is_run_end_encoded(type_):
        return from_arrow_type(type_.value_type)
    if any(test(type_) for test in LISTS):
        return DataType("list", (), (("item", from_arrow_type(type_.value_type)),))
    if pa.types.is_map(type_):
        key, value = from_arrow_type(type_.key_type), from_arrow_type(type_.item_type)
        return DataType("map", (), (("key", key), ("value", value)))
    if pa.types.is_struct(type_):
        fields = [type_.field(position) for position in range(type_.num_fields)]
        _refuse_twins([field.name for field in fields])
        return DataType("struct", (), tuple((f.name, from_arrow_type(f.type)) for f in fields))
    raise ValueError(f"Arrow's type {type_} can't be a column of a table")


def _from_decimal(type_: pa.DataType) -> DataType:
    # Arrow allows scales below zero and above the precision, Delta and SQL do not
    scale = max(type_.scale, 0)
    precision = max(type_.precision - min(type_.scale, 0), scale)
    if precision > MAX_PRECISION:
        raise ValueError(f"{type_} has more digits than the {MAX_PRECISION} that a table can hold")
    return DataType("decimal", (precision, scale))


def _refuse_twins(names: list[str]) -> None:
    if len(set(names)) == len(names):
        return
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"column {twice!r} comes twice")


def conform(data: pa.Table, schema: TableSchema) -> pa.Table:
    """Bring a table to a logical schema: columns matched by name, in the schema's order.

    Values are cast only where nothing is lost: a number that does not fit, a text that is
    not a date, a fraction cut off are errors. Dictionaries, views, run ends and extension
    types (``arrow.uuid`` becomes text) are laid out as `to_arrow_type` says.

    Raises:
        ValueError: A column is missing, comes twice or is not in the schema; or a value can't
            be cast. The message names the column, both types and the first bad value.
    """
    if _fits(data.schema, schema):
        return data
    columns = [
        pa.chunked_array(
            [_cast_column(chunk, column) for chunk in data.column(column.name).chunks],
            to_arrow_type(column.type),
        )
        for column in _match_columns(data.schema, schema)
    ]
    return _assemble(pa.Table, columns, schema, data.num_rows)


def conform_batch(batch: pa.RecordBatch, schema: TableSchema) -> pa.RecordBatch:
    """Bring a batch to a logical schema, as `conform` does a table.

    Raises:
        ValueError: As `conform`.
    """
    if _fits(batch.schema, schema):
        return batch
    matched = _match_columns(batch.schema, schema)
    columns = [_cast_column(batch.column(column.name), column) for column in matched]
    return _assemble(pa.RecordBatch, columns, schema, batch.num_rows)


def _fits(found: pa.Schema, schema: TableSchema) -> bool:
    """Return whether columns are laid out already as a schema says, and carry nothing else."""
    _refuse_twins(found.names)
    return bool(found.equals(to_arrow(schema), check_metadata=True))


def _assemble(kind: Any, columns: list[Any], schema: TableSchema, rows: int) -> Any:
    if columns:
        return kind.from_arrays(columns, schema=to_arrow(schema))
    # without a column Arrow can't tell the number of rows
    return kind.from_pylist([{}] * rows, schema=to_arrow(schema))


def _match_columns(found: pa.Schema, schema: TableSchema) -> TableSchema:
    expected = set(schema.names)
    present = set(found.names)
    missing = [name for name in schema.names if name not in present]
    excess = [name for name in found.names if name not in expected]
    if missing or excess:
        parts = []
        if missing:
            parts.append(f"without {', '.join(map(repr, missing))}")
        if excess:
            parts.append(f"with {', '.join(map(repr, excess))} that the schema does not have")
        raise ValueError(f"the columns differ from the schema ({schema}): {' and '.join(parts)}")
    return schema


def _cast_column(array: pa.Array, column: Column) -> pa.Array:
    target = to_arrow_type(column.type)
    if array.type == target:
        return array
    try:
        return cast_array(array, target)
    except (pa.ArrowException, ValueError) as error:
        shown = _show_type(array.type)
        detail = _find_bad_value(array, target) or str(error)
        raise ValueError(
            f"column {column.name!r} is {shown} and can't be {column.type}: {detail}"
        ) from None


def settle_times(table: pa.Table) -> pa.Table:
    """Return a table whose times of day count microseconds, which is what is stored.

    Raises:
        ValueError: One has nanoseconds; the message names the column.

    Example:
        >>> times = pa.array([1_000, None], pa.time64("ns"))
        >>> str(settle_times(pa.table({"t": times})).schema.field("t").type)
        'time64[us]'
    """
    for position, field in enumerate(table.schema):
        if field.type != pa.time64("ns"):
            continue
        try:
            column = table.column(position).cast(pa.time64("us"))
        except pa.ArrowInvalid:
            raise ValueError(
                f"column {field.name!r} has a time of day with nanoseconds, which can't be stored"
            ) from None
        table = table.set_column(position, field.with_type(column.type), column)
    return table


def _show_type(type_: pa.DataType) -> str:
    try:
        return str(from_arrow_type(type_))
    except ValueError:
        return str(type_)


def _find_bad_value(array: pa.Array, target: pa.DataType) -> str:
    """Return the first value that can't be cast, found by halving; empty if no value can."""
    if not _can_cast(array[:0], target):
        return ""
    low, high = 0, len(array) - 1
    while low < high:
        middle = (low + high) // 2
        if _can_cast(array[low : middle + 1], target):
            low = middle + 1
        else:
            high = middle
    return f"row {low + 1} holds {_show_value(array[low])}"


def _can_cast(array: pa.Array, target: pa.DataType) -> bool:
    try:
        cast_array(array, target)
    except (pa.ArrowException, ValueError):
        return False
    return True


def _show_value(value: pa.Scalar) -> str:
    try:
        text = repr(value.as_py())
    except (ValueError, OverflowError):  # Python's own times end at microseconds, and in 9999
        text = show_value(value)
    return textwrap.shorten(text, 80, placeholder="…") if " " in text else text[:80]
