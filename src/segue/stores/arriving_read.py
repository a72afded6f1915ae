"""What is in an arriving table, for readers that take each row once.

Each file's name says of which versions it has rows (`segue.stores.arriving_names`). A file of a
hub has the rows of one version. A compacted file has those of many; how many rows of which
version, in the order in which they lie there, stands in its footer. So a reader that has seen
all up to version V finds what is new to it in the files that are there now, however often they
were compacted and however much of the log is gone:

- files whose versions are all above V: all rows;
- files whose versions are all up to V: none;
- the others: the row ranges that `find_new_rows` returns.

Another incarnation means that the table was made anew or set back: a reader begins again.
A file whose name a hub did not give means that another program rewrote the table, and that
the reader has to begin again, too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.stores.arriving_log import load
from segue.stores.arriving_names import versions_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from segue.spec.types import TableSchema

SEGMENTS = b"segue.segments"
"""Key of a compacted file's footer: ``[[version, rows], ...]`` in the order of the rows."""


@dataclass(frozen=True, slots=True)
class ArrivingFile:
    """A file of an arriving table.

    Attributes:
        path: Its name in the table's folder.
        rows: Its rows.
        bytes: Its size.
    """

    path: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ArrivingState:
    """An arriving table at one version of its log.

    Attributes:
        version: The version; -1 if there is no table yet.
        incarnation: Which table that is.
        schema: Its columns, provenance at the end; None if there is no table yet.
        files: Its files, in the order of their versions.
    """

    version: int
    incarnation: str
    schema: TableSchema | None
    files: tuple[ArrivingFile, ...]


@dataclass(frozen=True, slots=True)
class NewRows:
    """Rows of a file that a reader has not seen.

    Attributes:
        file: The file.
        ranges: First row and the row after the last, counted from 0; None for all rows.
    """

    file: ArrivingFile
    ranges: tuple[tuple[int, int], ...] | None = None


def read_state(folder: Path) -> ArrivingState:
    """Return what an arriving table has now; nothing is changed.

    Raises:
        StorageError: Another writer gave it what can't be read.
    """
    state = load(folder)
    files = [ArrivingFile(path, rows, size) for path, (size, rows) in state.files.items()]
    files.sort(key=lambda each: (versions_of(each.path) or (-1, -1), each.path))
    return ArrivingState(state.version, state.incarnation, state.schema, tuple(files))


def find_new_rows(folder: Path, state: ArrivingState, seen: int) -> tuple[NewRows, ...] | None:
    """Return the rows of versions above one that a reader has seen.

    Args:
        folder: Folder of the table.
        state: The table now; of the incarnation that the reader has seen.
        seen: Version of it up to which the reader has all rows; -1 for none.

    Returns:
        None if another program rewrote files, so that this can't be told.
    """
    found = []
    for file in state.files:
        versions = versions_of(file.path)
        if seen < 0 or (versions is not None and versions[0] > seen):
            found.append(NewRows(file))
        elif versions is None:
            return None
        elif versions[1] > seen:
            found.append(NewRows(file, _find_ranges(read_segments(folder, file.path), seen)))
    return tuple(found)


def read_segments(folder: Path, path: str) -> list[tuple[int, int]]:
    """Return of which version how many rows lie in a file, in their order."""
    import pyarrow.parquet as pq

    footer = pq.read_metadata(folder / path)
    told = (footer.metadata or {}).get(SEGMENTS)
    if told is not None:
        return [(version, rows) for version, rows in json.loads(told)]
    versions = versions_of(path)
    return [(versions[0] if versions else 0, footer.num_rows)]


def _find_ranges(segments: Sequence[tuple[int, int]], seen: int) -> tuple[tuple[int, int], ...]:
    ranges: list[tuple[int, int]] = []
    at = 0
    for version, rows in segments:
        if version > seen and rows:
            if ranges and ranges[-1][1] == at:
                ranges[-1] = (ranges[-1][0], at + rows)
            else:
                ranges.append((at, at + rows))
        at += rows
    return tuple(ranges)
