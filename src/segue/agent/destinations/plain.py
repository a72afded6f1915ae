"""Rows as JSON: one object each, provenance at its end."""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any

from segue.frames.values import list_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from segue.protocols.edge import Parcel

LABELS = "_labels"


def write_rows(table: pa.Table) -> list[bytes]:
    """Return rows as JSON objects.

    Times are ISO texts, decimals and numbers that JSON lacks are texts, bytes are base64, maps
    are objects.

    Example:
        >>> import pyarrow as pa
        >>> write_rows(pa.table({"a": [1], "b": [float("nan")]}))
        [b'{"a":1,"b":"nan"}']
    """
    names = [_dump(name).replace("%", "%%") for name in table.column_names]
    row = "{" + ",".join(f"{name}:%s" for name in names) + "}"
    columns = [_write_column(name, table.column(name)) for name in table.column_names]
    return [(row % values).encode() for values in zip(*columns, strict=True)]


def _write_column(name: str, column: pa.ChunkedArray) -> list[str]:
    """Return the values of a column as JSON; those that come often are written once."""
    import pyarrow as pa

    type_ = column.type
    if name == LABELS and len(column):  # a node's own, the same in every row
        return [dump_value(column[0].as_py(), type_)] * len(column)
    if pa.types.is_nested(type_) or pa.types.is_null(type_):
        return [dump_value(value, type_) for value in column.to_pylist()]
    coded = column.combine_chunks()
    if not pa.types.is_dictionary(type_):
        coded = coded.dictionary_encode()
    if len(coded.dictionary) > len(coded) // 2 and (quick := _write_quickly(column)):
        return quick
    inner = coded.dictionary.type
    known = [dump_value(value, inner) for value in list_values(coded.dictionary)]
    if coded.null_count:
        known.append("null")
    places = coded.indices.fill_null(len(known) - 1) if coded.null_count else coded.indices
    return [known[place] for place in places.to_pylist()]


def _write_quickly(column: pa.ChunkedArray) -> list[str] | None:
    """Return numbers and times as JSON, written by Arrow; None for what it writes otherwise."""
    import pyarrow as pa
    import pyarrow.compute as pc

    types, type_ = pa.types, column.type
    if types.is_integer(type_):
        texts = column.cast(pa.string())
    elif type_ == pa.float64():
        texts = column.cast(pa.string())
        texts = pc.if_else(pc.is_finite(column), texts, _quote(texts))
    elif types.is_timestamp(type_) and type_.tz in (None, "UTC"):
        texts = _quote(pc.replace_substring(column.cast(pa.string()), " ", "T"))
    else:
        return None
    written: list[str] = texts.fill_null("null").to_pylist()
    return written


def _quote(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise('"', texts, '"', "")


def dump_value(value: Any, type_: pa.DataType) -> str:
    """Return a value of a type as JSON."""
    return _dump(plain_value(value, type_))


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def number_rows(parcel: Parcel) -> Iterator[tuple[int, int]]:
    """Yield for each row its sequence, and its number in the batch of this sequence, from 0.

    With node, stream and epoch they name a row for ever, whatever parcel brings it.
    """
    if "_sequence" in parcel.table.column_names:
        sequences = parcel.table.column("_sequence").to_pylist()
    else:
        sequences = [parcel.last] * parcel.table.num_rows
    row, before = -1, None
    for sequence in sequences:
        row = row + 1 if sequence == before else 0
        before = sequence
        yield sequence, row


def plain_value(value: Any, type_: pa.DataType) -> Any:
    """Return a value as JSON has it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        inner = {field.name: field.type for field in type_}
        return {name: plain_value(part, inner[name]) for name, part in value.items()}
    if isinstance(value, list):
        return _plain_list(value, type_)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _plain_list(value: list[Any], type_: pa.DataType) -> Any:
    import pyarrow as pa

    if not pa.types.is_map(type_):
        return [plain_value(part, type_.value_type) for part in value]
    pairs = ((plain_value(key, type_.key_type), part) for key, part in value)
    return {
        key if isinstance(key, str) else json.dumps(key): plain_value(part, type_.item_type)
        for key, part in pairs
    }
