"""Rows for programs: CSV and JSON lines."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TextIO

from segue.cli.values import column_values, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

SLICE_ROWS = 10_000
_NEEDS_QUOTES = re.compile(r'[,"\r\n]|^\s|\s$|^$')


def write_json_lines(batches: pa.RecordBatchReader, stream: TextIO) -> None:
    """Write one JSON object per row."""
    for part in _slices(batches):
        columns = [map(plain_value, column_values(column)) for column in part.columns]
        for row in zip(*columns, strict=True):
            document = dict(zip(part.schema.names, row, strict=True))
            print(json.dumps(document, ensure_ascii=False, allow_nan=False), file=stream)


def write_csv(batches: pa.RecordBatchReader, stream: TextIO) -> None:
    """Write a header and one line per row; null is empty, an empty text is ``""``."""
    print(",".join(map(_field, batches.schema.names)), file=stream)
    for part in _slices(batches):
        columns = [map(_field, column_values(column)) for column in part.columns]
        stream.write("".join(f"{','.join(row)}\n" for row in zip(*columns, strict=True)))


def _slices(batches: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, SLICE_ROWS):
            yield batch.slice(start, SLICE_ROWS)


def _field(value: Any) -> str:
    if value is None:
        return ""
    if type(value) is int:
        return str(value)
    text = value if isinstance(value, str) else _write(value)
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _write(value: Any) -> str:
    plain = plain_value(value)
    if isinstance(plain, bool | list | dict):
        return json.dumps(plain, ensure_ascii=False)
    return str(plain)
