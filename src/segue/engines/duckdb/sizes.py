"""How large data is in memory, roughly, before it is read."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.spec.scan import Scan

_GROWTH = {"parquet": 4, "csv": 1, "json": 1, "arrow": 1}
"""How many bytes of memory a byte of a file becomes, as a rule."""

_COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def guess_bytes(scan: Scan) -> int:
    """Return how large the rows of files are in memory, roughly."""
    total = 0
    for path in scan.paths:
        growth = _GROWTH.get(scan.format, 1) * (5 if path.endswith(_COMPRESSED) else 1)
        try:
            total += os.stat(path).st_size * growth  # noqa: PTH116  # as quick as can be
        except OSError:  # whoever reads it tells
            continue
    return total


def read_bytes(text: str) -> int:
    """Return a size that DuckDB has written.

    Example:
        >>> read_bytes("1.5 GiB"), read_bytes("12 bytes")
        (1610612736, 12)
    """
    found = re.match(r"([\d.]+)\s*([KMGT]?)", text)
    return int(float(found[1]) * _UNITS[found[2]]) if found else 0
