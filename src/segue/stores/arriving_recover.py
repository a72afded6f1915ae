"""Where sequences stand by a table's rows, after somebody set the table back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from segue.spec.arriving import APPLICATION, Key
from segue.spec.edge import PROVENANCE
from segue.spec.types import TableSchema
from segue.stores.arriving_files import arrange, open_payload
from segue.stores.arriving_schema import add_provenance, merge_columns

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from segue.spec.arriving import Batch
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


def has_rows(folder: Path, files: Iterable[str], schema: TableSchema | None, batch: Batch) -> bool:
    """Return whether a table has the rows of a batch that it has the sequences of.

    Asked of batches whose digests are forgotten: sent again very late, or by an agent that runs
    on an old copy of another's spool. Compared are the columns that both have, as they are stored.
    """
    if batch.gap:
        return True
    try:
        sent = open_payload(batch)
        merged, names, _ = merge_columns(schema or add_provenance(TableSchema(())), sent.schema)
        rows = arrange(sent, merged, names)
    except ValueError:
        return True  # it is not taken either way
    mine = ds.field("_node") == batch.key.node
    mine &= ds.field("_epoch") == batch.key.epoch
    mine &= (ds.field("_sequence") >= batch.first) & (ds.field("_sequence") <= batch.last)
    parts = [ds.dataset(folder / name, format="parquet").to_table(filter=mine) for name in files]
    held = [part for part in parts if part.num_rows]
    if sum(part.num_rows for part in held) != rows.num_rows:
        return False
    return all(
        _count([rows[name]]) == _count(_take(held, name, rows[name].type))
        for name in rows.column_names
        if name not in PROVENANCE and any(name in part.column_names for part in held)
    )


def _take(parts: Iterable[pa.Table], name: str, type_: pa.DataType) -> list[pa.ChunkedArray]:
    """Return a column of several files, in one type: a node's own file may write it otherwise."""
    return [
        part[name].cast(type_) if name in part.column_names else pa.nulls(part.num_rows, type_)
        for part in parts
    ]


def _count(columns: Iterable[pa.ChunkedArray]) -> Counter[str]:
    return Counter(repr(value) for column in columns for value in column.to_pylist())


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
