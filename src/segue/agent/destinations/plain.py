"""Rows as JSON: one object each, provenance at its end."""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from segue.protocols.edge import Parcel


def write_rows(table: pa.Table) -> list[bytes]:
    """Return rows as JSON objects.

    Times are ISO texts, decimals and numbers that JSON lacks are texts, bytes are base64, maps
    are objects.

    Example:
        >>> import pyarrow as pa
        >>> write_rows(pa.table({"a": [1], "b": [float("nan")]}))
        [b'{"a":1,"b":"nan"}']
    """
    types = {field.name: field.type for field in table.schema}
    return [
        json.dumps(
            {name: plain_value(value, types[name]) for name, value in row.items()},
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode()
        for row in table.to_pylist()
    ]


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
