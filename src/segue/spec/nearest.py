"""The nearest type for each logical type, in formats and engines that know fewer of them.

Delta Lake and Spark know the same types, so that what a lake stores is what Spark computes with.
"""

from __future__ import annotations

from segue.spec.types import Column, DataType, TableSchema

TYPE_KEY = "segue.type"
"""Name of the field's metadata that holds the logical type, where it is not the stored one."""

_WIDER = {
    "uint8": DataType("int16"),
    "uint16": DataType("int32"),
    "uint32": DataType("int64"),
    "uint64": DataType("decimal", (20, 0)),
    "time": DataType("int64"),
    "duration": DataType("int64"),
    "null": DataType("int32"),
}


def find_storage(type_: DataType) -> DataType:
    """Return the nearest type that Delta Lake and Spark have.

    Example:
        >>> from segue.spec.types import parse_type
        >>> str(find_storage(parse_type("list<uint8>")))
        'list<int16>'
        >>> str(find_storage(parse_type("timestamp(ms, Europe/Rome)")))
        'timestamp(us, UTC)'
    """
    if type_.kind in _WIDER:
        return _WIDER[type_.kind]
    if type_.kind == "categorical":
        return find_storage(type_.fields[0][1])
    if type_.kind == "timestamp":
        unit, *zone = type_.arguments
        if unit == "ns":
            return DataType("int64")
        return DataType("timestamp", ("us", "UTC") if zone else ("us",))
    if type_.fields:
        stored = tuple((name, find_storage(inner)) for name, inner in type_.fields)
        return DataType(type_.kind, type_.arguments, stored)
    return type_


def find_storages(schema: TableSchema) -> TableSchema:
    """Return a schema with each column in its nearest type.

    Example:
        >>> from segue.spec.types import parse_schema
        >>> str(find_storages(parse_schema("a: uint8, b: string")))
        'a: int16, b: string'
    """
    return TableSchema(tuple(Column(each.name, find_storage(each.type)) for each in schema))
