"""Where sequences stand by a table's rows, after somebody set the table back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from segue.spec.arriving import APPLICATION, Key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from segue.stores.arriving_names import Names

_COLUMNS = ["_node", "_epoch", "_sequence"]


def find_positions(folder: Path, files: Iterable[str]) -> dict[str, int]:
    """Return the last sequence of each node and epoch that rows of these files have."""
    found: dict[str, int] = {}
    for name in files:
        file = pq.ParquetFile(folder / name)
        for group in range(file.metadata.num_row_groups):
            rows = file.read_row_group(group, columns=_COLUMNS)
            newest = pa.TableGroupBy(rows, ["_node", "_epoch"]).aggregate([("_sequence", "max")])
            for row in newest.to_pylist():
                key = Key(row["_node"], row["_epoch"]).application
                found[key] = max(found.get(key, 0), row["_sequence_max"])
    return found


def right_positions(folder: Path, files: Iterable[str], known: Iterable[str]) -> dict[str, int]:
    """Return the positions that a table should have, also of those that have no rows left."""
    found = find_positions(folder, files)
    mine = (name for name in known if name.startswith(f"{APPLICATION}/"))
    return {name: found.get(name, 0) for name in {*mine, *found}}


def remove_abandoned(folder: Path, names: Names, held: Iterable[str]) -> int:
    """Remove files of hubs that died before they committed them; return how many.

    Args:
        folder: Folder of the table.
        names: Knows which hubs run.
        held: Files that any version of the log still mentions.
    """
    kept = frozenset(held)
    found = [*folder.glob("*.parquet"), *folder.glob("_delta_log/_commit_*.json.tmp")]
    lost = [path for path in found if path.name not in kept and names.is_abandoned(path.name)]
    for path in lost:
        path.unlink(missing_ok=True)
    return len(lost)
