"""How segue's types are stored in Delta Lake, which knows fewer of them."""

from __future__ import annotations

import json
from typing import Any

from segue.spec.nearest import TYPE_KEY, find_storage
from segue.spec.types import Column, DataType, TableSchema, parse_type

_DELTA = {
    "bool": "boolean",
    "int8": "byte",
    "int16": "short",
    "int32": "integer",
    "int64": "long",
    "float32": "float",
    "float64": "double",
    "string": "string",
    "binary": "binary",
    "date": "date",
}


def write_schema(schema: TableSchema) -> str:
    """Return Delta Lake's JSON of a schema; other types than stored ones become metadata."""
    fields = []
    for column in schema:
        stored = find_storage(column.type)
        told = {} if stored == column.type else {TYPE_KEY: str(column.type)}
        fields.append(_field(column.name, stored, told))
    return json.dumps({"type": "struct", "fields": fields})


def _field(name: str, type_: DataType, told: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "type": _write_type(type_), "nullable": True, "metadata": told}


def _write_type(type_: DataType) -> Any:
    inner = [_write_type(each) for _, each in type_.fields]
    if type_.kind == "list":
        return {"type": "array", "elementType": inner[0], "containsNull": True}
    if type_.kind == "map":
        key, value = inner
        return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}
    if type_.kind == "struct":
        return {"type": "struct", "fields": [_field(name, each, {}) for name, each in type_.fields]}
    if type_.kind == "decimal":
        return str(type_)
    if type_.kind == "timestamp":
        return "timestamp" if len(type_.arguments) > 1 else "timestamp_ntz"
    return _DELTA[type_.kind]


def has_local_timestamps(schema: TableSchema) -> bool:
    """Return whether a column, however deep, is stored as a timestamp without a zone."""
    return any(_is_local(find_storage(column.type)) for column in schema)


def _is_local(type_: DataType) -> bool:
    if type_.kind == "timestamp":
        return len(type_.arguments) == 1
    return any(_is_local(inner) for _, inner in type_.fields)


def read_schema(text: str) -> TableSchema:
    """Return the logical schema of Delta Lake's JSON.

    Raises:
        ValueError: It has a type that segue does not know.
    """
    columns = []
    for field in json.loads(text)["fields"]:
        told = field["metadata"].get(TYPE_KEY)
        columns.append(
            Column(field["name"], parse_type(told) if told else _read_type(field["type"]))
        )
    return TableSchema(tuple(columns))


_LOGICAL = {delta: kind for kind, delta in _DELTA.items()}


def _read_type(plain: Any) -> DataType:
    if isinstance(plain, str):
        if plain == "timestamp":
            return DataType("timestamp", ("us", "UTC"))
        if plain == "timestamp_ntz":
            return DataType("timestamp", ("us",))
        return DataType(_LOGICAL[plain]) if plain in _LOGICAL else parse_type(plain)
    if plain["type"] == "array":
        return DataType("list", (), (("item", _read_type(plain["elementType"])),))
    if plain["type"] == "map":
        key, value = _read_type(plain["keyType"]), _read_type(plain["valueType"])
        return DataType("map", (), (("key", key), ("value", value)))
    inner = tuple((field["name"], _read_type(field["type"])) for field in plain["fields"])
    return DataType("struct", (), inner)
