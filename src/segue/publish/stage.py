"""Where results lie before they are published, and how they are taken away again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from segue.protocols import Lake
    from segue.spec.output import StagedTable

_STEM = re.compile(r"(?P<run>\d{8}-\d{6}-[0-9a-z]+)\.(?P<attempt>\d+)-")


def stage_folder(lake: Lake, table: str) -> Path:
    """Return the folder into which a table's new files are written."""
    return lake.folder(table)


def new_stem(run_id: str, step: str, attempt: int) -> str:
    """Return how the names of an attempt's files begin; it tells the run, for `vacuum`.

    Example:
        >>> new_stem("20261102-091500-k3xq", "orders", 1)
        '20261102-091500-k3xq.1'
    """
    del step  # files lie in the folder of the step's table
    return f"{run_id}.{attempt}"


def run_of(name: str) -> str | None:
    """Return the run that wrote a file, None if segue did not.

    Example:
        >>> run_of("20261102-091500-k3xq.1-0.parquet")
        '20261102-091500-k3xq'
    """
    match = _STEM.match(name)
    return match["run"] if match else None


def remove_attempt(folder: Path, stem: str) -> int:
    """Remove what a failed attempt left in a table's folder; return the bytes freed."""
    return _remove(path for path in folder.glob("*") if path.name.startswith(f"{stem}-"))


def remove_staged(lake: Lake, staged: StagedTable) -> int:
    """Remove the new files of a result that nobody will publish; return the bytes freed."""
    folder = lake.folder(staged.table)
    return _remove(folder / file.path for file in staged.adds)


def _remove(paths: Iterable[Path]) -> int:
    freed = 0
    for path in paths:
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            continue
        freed += size
    return freed
