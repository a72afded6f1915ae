"""Arrow data in the nearest stored types, and back, without loss.

Columns and the parts of nested types are matched by position: names may differ, so that
engines which fold names can carry any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from segue.frames.arrow_types import to_arrow, to_arrow_type
from segue.spec.nearest import find_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segue.spec.types import DataType, TableSchema

    _Convert = Callable[[pa.Array, DataType], pa.Array]

_COUNTED = ("time", "duration")
"""Kinds that lie as integers in their own unit."""


def store_batch(
    batch: pa.RecordBatch, schema: TableSchema, names: Sequence[str] | None = None
) -> pa.RecordBatch:
    """Return a batch of a logical schema in its nearest types.

    Args:
        batch: Has the columns of the schema, in its order and types.
        schema: The logical schema.
        names: Names that the columns get; None keeps those of the schema.

    Example:
        >>> from segue.spec.types import parse_schema
        >>> batch = pa.record_batch({"a": pa.array([1, 255], pa.uint8())})
        >>> store_batch(batch, parse_schema("a: uint8"), ["c0"]).schema
        c0: int16
    """
    arrays = [
        store_array(array, column.type) for array, column in zip(batch.columns, schema, strict=True)
    ]
    if not arrays:
        return batch
    return pa.RecordBatch.from_arrays(arrays, list(names or schema.names))


def restore_batch(batch: pa.RecordBatch, schema: TableSchema) -> pa.RecordBatch:
    """Return a batch that lies in nearest types in its logical ones, and with its names.

    Raises:
        ValueError: A value is not one of the logical type.

    Example:
        >>> from segue.spec.types import parse_schema
        >>> batch = pa.record_batch({"c0": pa.array([1, 255], pa.int16())})
        >>> restore_batch(batch, parse_schema("a: uint8")).schema
        a: uint8
    """
    arrays = [
        restore_array(array, column.type)
        for array, column in zip(batch.columns, schema, strict=True)
    ]
    if not arrays:
        return batch
    return pa.RecordBatch.from_arrays(arrays, schema=to_arrow(schema))


def store_array(array: pa.Array, logical: DataType) -> pa.Array:
    """Return an array of a logical type in its nearest type."""
    stored = to_arrow_type(find_storage(logical))
    if array.type == stored:
        return array
    if logical.kind == "categorical":
        return store_array(array.dictionary_decode(), logical.fields[0][1])
    if logical.kind in _COUNTED or _is_fine(logical):
        return array.cast(pa.int64())
    if logical.fields:
        return _rebuild(array, logical, stored, store_array)
    return array.cast(stored)


def restore_array(array: pa.Array, logical: DataType) -> pa.Array:
    """Return an array that lies in a nearest type in its logical type.

    Raises:
        ValueError: A value is not one of the logical type.
    """
    target = to_arrow_type(logical)
    if array.type == target:
        return array
    if logical.kind == "null":
        if array.null_count != len(array):
            raise ValueError("a column without a type can hold nothing but nulls")
        return pa.nulls(len(array))
    if logical.kind == "categorical":
        values = restore_array(array, logical.fields[0][1])
        return values.dictionary_encode().cast(target)
    if logical.fields:
        return _rebuild(array, logical, target, restore_array)
    if logical.kind == "timestamp" and pa.types.is_integer(array.type):
        return array.cast(pa.timestamp("ns")).cast(target)
    return array.cast(target)


def _is_fine(type_: DataType) -> bool:
    return type_.kind == "timestamp" and type_.arguments[0] == "ns"


def _rebuild(
    array: pa.Array, logical: DataType, target: pa.DataType, convert: _Convert
) -> pa.Array:
    """Return a nested array with converted parts, whatever their names were."""
    parts = [type_ for _, type_ in logical.fields]
    if logical.kind == "struct":
        inner = [convert(array.field(at), type_) for at, type_ in enumerate(parts)]
        mask = array.is_null()
        return pa.StructArray.from_arrays(inner, fields=list(target), mask=mask)
    array = pa.concat_arrays([array])  # from_arrays takes no slices
    mask = array.is_null() if array.null_count else None
    if logical.kind == "map":
        keys, values = convert(array.keys, parts[0]), convert(array.items, parts[1])
        return pa.MapArray.from_arrays(array.offsets, keys, values, type=target, mask=mask)
    if not pa.types.is_list(array.type):
        array = array.cast(pa.list_(array.type.value_type))
    return pa.ListArray.from_arrays(
        array.offsets, convert(array.values, parts[0]), type=target, mask=mask
    )
