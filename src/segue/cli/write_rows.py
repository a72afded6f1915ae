"""Rows for programs: CSV and JSON lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from segue.cli.values import column_values, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

SLICE_ROWS = 10_000


def write_json_lines(batches: pa.RecordBatchReader, stream: TextIO) -> None:
    """Write one JSON object per row."""
    for row in _rows(batches):
        document = dict(zip(batches.schema.names, map(plain_value, row), strict=True))
        print(json.dumps(document, ensure_ascii=False, allow_nan=False), file=stream)


def write_csv(batches: pa.RecordBatchReader, stream: TextIO) -> None:
    """Write a header and one line per row; null is empty, an empty text is ``""``."""
    print(",".join(map(_field, batches.schema.names)), file=stream)
    for row in _rows(batches):
        print(",".join(map(_field, row)), file=stream)


def _rows(batches: pa.RecordBatchReader) -> Iterator[tuple[Any, ...]]:
    for batch in batches:
        for start in range(0, batch.num_rows, SLICE_ROWS):
            part = batch.slice(start, SLICE_ROWS)
            yield from zip(*map(column_values, part.columns), strict=True)


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    plain = plain_value(value)
    text = json.dumps(plain, ensure_ascii=False) if isinstance(plain, list | dict) else str(plain)
    if not text or any(mark in text for mark in ',"\r\n') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text
