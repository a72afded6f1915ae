"""Small files of an arriving table brought together, and what is old removed.

Nothing is locked while files are read and written: the commit says which files it replaces, and
is tried again while hubs commit new ones. It changes no rows, and says so.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from segue.frames.arrow_types import to_arrow
from segue.spec.nearest import find_storages
from segue.stores import lake_log
from segue.stores.arriving_commit import Commit, commit
from segue.stores.arriving_files import COMPRESSION, ROW_GROUP, describe_bounds
from segue.stores.arriving_log import COMPACTED, LogState
from segue.stores.arriving_names import versions_of
from segue.stores.arriving_read import SEGMENTS, read_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from segue.stores.arriving_names import Names

SMALL = 4 * 2**20
"""Files of this size are left as they are."""
LARGEST = 128 * 2**20
MANY = 32
"""Small files of like size that are brought together."""
MANY_LARGE = 256
"""The same where they have a megabyte: what nodes packed is rewritten seldom, or not at all."""
_MOST_SEGMENTS = 4000
_TIERS = 3
"""Bits by which files of unlike size differ: each row is rewritten a few times at most."""
_LARGE_TIER = (2**20).bit_length() // _TIERS
KEEP_COMMITS = 10_000
REMOVED_MILLISECONDS = 6 * 3600 * 1000
"""How long a replaced file stays for readers that are in the middle of it."""


def choose_files(state: LogState) -> tuple[str, ...]:
    """Return small files that should become one, in the order of their versions."""
    tiers: dict[int, list[str]] = {}
    for name, (size, _) in state.files.items():
        if size < SMALL and versions_of(name) is not None:
            tiers.setdefault(max(size, 4096).bit_length() // _TIERS, []).append(name)
    for tier in sorted(tiers):
        names = sorted(tiers[tier], key=lambda name: versions_of(name) or (0, 0))
        if len(names) >= (MANY if tier < _LARGE_TIER else MANY_LARGE):
            return _cut(names, state)
    return ()


def _cut(names: Sequence[str], state: LogState) -> tuple[str, ...]:
    taken: list[str] = []
    size = 0
    for name in names:
        size += state.files[name][0]
        if taken and (size > LARGEST or len(taken) >= _MOST_SEGMENTS):
            break
        taken.append(name)
    return tuple(taken)


def compact(folder: Path, names: Names, chosen: Sequence[str], state: LogState) -> str:
    """Write files into one that is in no log yet, and bring it to the disk; return its name."""
    bounds = [versions_of(name) or (0, 0) for name in chosen]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    name = names.give("compacted", low, high)
    schema = to_arrow(find_storages(state.schema)) if state.schema else None
    segments = [segment for each in chosen for segment in read_segments(folder, each)]
    note = {SEGMENTS.decode(): json.dumps(_join(segments), separators=(",", ":"))}
    with (folder / name).open("xb") as sink:
        with pq.ParquetWriter(sink, schema, store_schema=False, **COMPRESSION) as writer:
            for tables in _gather(folder, chosen, schema):
                writer.write_table(tables, row_group_size=ROW_GROUP)
            writer.add_key_value_metadata(note)
        sink.flush()
        os.fsync(sink.fileno())
    return name


def _join(segments: Iterable[tuple[int, int]]) -> list[list[int]]:
    joined: list[list[int]] = []
    for version, rows in segments:
        if joined and joined[-1][0] == version:
            joined[-1][1] += rows
        else:
            joined.append([version, rows])
    return joined


def _gather(folder: Path, chosen: Sequence[str], schema: pa.Schema) -> Iterable[pa.Table]:
    """Yield the rows of files, about a row group at a time."""
    import pyarrow as pa

    held: list[pa.Table] = []
    for name in chosen:
        file = pq.ParquetFile(folder / name)
        for group in range(file.metadata.num_row_groups):
            rows = file.read_row_group(group)
            columns = [
                rows[field.name].cast(field.type)
                if field.name in rows.column_names
                else pa.nulls(rows.num_rows, field.type)
                for field in schema
            ]
            held.append(pa.table(columns, schema=schema))
            if sum(table.num_rows for table in held) >= ROW_GROUP:
                yield pa.concat_tables(held)
                held = []
    if held:
        yield pa.concat_tables(held)


def replace_files(
    folder: Path,
    names: Names,
    chosen: Sequence[str],
    made: str,
    refresh: Callable[[], LogState],
) -> bool:
    """Commit a compacted file in place of others; return False if one of them is gone."""
    footer = pq.read_metadata(folder / made)
    while True:
        state = refresh()
        if state.schema is None or any(name not in state.files for name in chosen):
            (folder / made).unlink(missing_ok=True)
            return False
        change = Commit(
            COMPACTED,
            names.hub,
            adds={made: describe_bounds(footer, state.schema)},
            removes=tuple(chosen),
            changes=False,
        )
        if commit(folder, state, change):
            return True


def write_checkpoint(folder: Path) -> None:
    """Write a checkpoint of a log, and remove what lies far behind it."""
    from deltalake import DeltaTable

    DeltaTable(folder.as_uri()).create_checkpoint()
    log = folder / lake_log.LOG
    newest = max(log.glob("*.checkpoint*.parquet"), default=None)
    for path in (newest, log / "_last_checkpoint"):
        if path is not None and path.exists():
            lake_log.sync_path(path)
    lake_log.sync_path(log)
    _remove_commits(log)


def _remove_commits(log: Path) -> None:
    """Remove commits and checkpoints that are too old to be asked for: a count, no clock."""
    checkpoints = sorted(int(path.name[:20]) for path in log.glob("*.checkpoint*.parquet"))
    commits = lake_log.list_commits(log.parent)
    if not commits:
        return
    enough = [version for version in checkpoints if version <= commits[-1] - KEEP_COMMITS]
    if not enough:
        return
    for version in commits:
        if version < enough[-1]:
            lake_log.commit_path(log.parent, version).unlink(missing_ok=True)
    for path in log.glob("*.checkpoint*.parquet"):
        if int(path.name[:20]) < enough[-1]:
            path.unlink(missing_ok=True)


def remove_replaced(folder: Path, state: LogState) -> int:
    """Remove files that were replaced long ago; return how many."""
    horizon = time.time_ns() // 1_000_000 - REMOVED_MILLISECONDS
    old = [name for name, when in state.removed.items() if when < horizon]
    for name in old:
        (folder / name).unlink(missing_ok=True)
        del state.removed[name]
    return len(old)
