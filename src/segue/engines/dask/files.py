"""What files hold, as far as tasks have to be cut to size before they are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from segue.spec.scan import Scan
    from segue.spec.types import TableSchema

_TEXT_ROW = 100
"""Bytes of a row in a text file, roughly."""


def measure_files(scan: Scan, schema: TableSchema) -> tuple[int, int]:
    """Return how many rows files have, and about how much memory they take.

    The number of rows is exact for Parquet, and a guess for other formats.
    """
    if scan.format != "parquet":
        size = sum(Path(path).stat().st_size for path in scan.paths)
        return size // _TEXT_ROW, size
    rows = size = 0
    for path in scan.paths:
        found = pq.read_metadata(path)
        rows += found.num_rows
        size += sum(found.row_group(at).total_byte_size for at in range(found.num_row_groups))
    # dictionaries in files make repeated texts small, which they are not in memory
    return rows, max(size, rows * sum(_width(str(column.type)) for column in schema))


def _width(type_: str) -> int:
    return 16 if type_ in ("string", "binary") or "<" in type_ else 8
