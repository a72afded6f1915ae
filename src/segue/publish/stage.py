"""Staged files: which run wrote them, and how they are taken away again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from segue.protocols import Lake
    from segue.spec.output import StagedTable

_STEM = re.compile(r"(\d{8}-\d{6}-[0-9a-z]+)[-.]")


def run_of(name: str) -> str | None:
    """Return the run that wrote a file, which begins its name; None if segue did not.

    Example:
        >>> run_of("20261102-091500-k3xq-orders-0.parquet")
        '20261102-091500-k3xq'
    """
    match = _STEM.match(name)
    return match[1] if match else None


def remove_staged(lake: Lake, staged: StagedTable) -> int:
    """Remove the new files of a result that nobody will publish; return the bytes freed."""
    folder = lake.folder(staged.table)
    return remove_files(folder / file.path for file in staged.adds)


def remove_files(paths: Iterable[Path]) -> int:
    """Remove files, those that are gone already left aside; return the bytes freed."""
    freed = 0
    for path in paths:
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            continue
        freed += size
    return freed
