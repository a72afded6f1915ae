"""Tables that nodes send and hubs write: read like any other source, each row once if appended."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from segue.errors import SourceError, StorageError
from segue.settings import Table
from segue.spec.scan import Scan, SourceFile, SourceState
from segue.spec.types import parse_schema
from segue.stores import lake_log
from segue.stores.arriving_names import versions_of
from segue.stores.arriving_read import read_segments, read_state
from segue.stores.lake_commit import is_arriving
from segue.stores.sources.options import read_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.spec.step import SourceSpec
    from segue.stores.arriving_read import ArrivingState

SEEN = "\t"
"""Stands in a file of `scan` between its path and the version up to which its rows are known."""

_DAY = 86_400_000
"""Milliseconds over which the flow of rows is measured."""


class ArrivingOptions(Table):
    """``[tables.<name>]`` of a table that hubs write; segue declares them itself."""

    path: str = Field(description="Folder of the table, relative to the project's folder.")
    columns: str = Field(
        "", description="Its columns before anything has arrived, as a schema expression."
    )


@dataclass(frozen=True, slots=True)
class Flow:
    """How much arrives in a table.

    Attributes:
        rows: Rows that it has.
        bytes: Bytes of its files.
        rows_per_day: Rows that arrive in a day, by the newest day of its log; None if unknown.
        bytes_per_day: Bytes of files, likewise.
        newest: When rows arrived last, as ISO text in UTC; empty if none did.
    """

    rows: int = 0
    bytes: int = 0
    rows_per_day: float | None = None
    bytes_per_day: float | None = None
    newest: str = ""


class ArrivingSource:
    """Delta tables of a hub."""

    suffixes = ()
    options = ArrivingOptions

    def observe(self, source: SourceSpec, root: Path) -> SourceState:
        """Look at the table's log; before anything has arrived the table is empty.

        Raises:
            SourceError: Nothing has arrived, and nobody knows its columns; or it can't be read.
        """
        options = read_options(ArrivingOptions, source)
        folder = root / options.path
        state = _read(source, folder)
        if state.schema is None:
            _refuse_unknown(source, options)
            return SourceState(source.name, "empty", rows=0, grows=True, version=-1)
        highs = [versions_of(file.path) for file in state.files]
        newest = max((each[1] for each in highs if each), default=-1)
        rows = sum(file.rows for file in state.files)
        foreign = sorted(file.path for file in state.files if versions_of(file.path) is None)
        # what a hub compacts has other files and the same rows
        told = f"{state.incarnation}\0{newest}\0{rows}\0{state.schema}\0{foreign}"
        return SourceState(
            source.name,
            hashlib.sha256(told.encode()).hexdigest(),
            tuple(_tell_files(folder, state)),
            rows=rows,
            grows=True,
            version=newest,
            incarnation=state.incarnation,
        )

    def scan(self, source: SourceSpec, root: Path, scratch: Path, only: Sequence[str] = ()) -> Scan:
        """Return how to read the table, or the rows of some files that are not known yet.

        Raises:
            SourceError: It can't be read.
        """
        options = read_options(ArrivingOptions, source)
        folder = root / options.path
        state = _read(source, folder)
        if state.schema is None:
            _refuse_unknown(source, options)
            return Scan("parquet", (), schema=parse_schema(options.columns))
        paths = [str(folder / file.path) for file in state.files]
        if only:
            paths = [_take_file(source, each, scratch) for each in only]
        shown = {path: f"{source.name}/{Path(path).name}" for path in paths}
        return Scan("parquet", tuple(paths), {"union": True, "shown": shown}, schema=state.schema)

    def is_sent(self, folder: Path) -> bool | None:
        """Return whether hubs write the table of a folder; None if there is none."""
        if not lake_log.list_commits(folder):
            return None
        return is_arriving(folder)

    def measure(self, folder: Path) -> Flow | None:
        """Return how much arrives in the table of a folder, None if nothing ever did.

        Raises:
            StorageError: It can't be read.
        """
        state = read_state(folder)
        if state.schema is None:
            return None
        rows, size = (sum(f.rows for f in state.files), sum(f.bytes for f in state.files))
        commits = list(_read_commits(folder))
        if not commits:
            return Flow(rows, size)
        newest = max(at for at, _, _ in commits)
        recent = [each for each in commits if each[0] > newest - _DAY]
        first = min(at for at, _, _ in recent)
        told = datetime.fromtimestamp(newest / 1000, UTC).isoformat(timespec="seconds")
        if newest == first:
            return Flow(rows, size, newest=told)
        # the first commit begins the span: its own rows came before it
        later = [each for each in recent if each[0] > first]
        share = _DAY / (newest - first)
        return Flow(
            rows,
            size,
            share * sum(count for _, count, _ in later),
            share * sum(length for _, _, length in later),
            told,
        )


def _read(source: SourceSpec, folder: Path) -> ArrivingState:
    try:
        return read_state(folder)
    except (StorageError, OSError, ValueError) as error:
        message = getattr(error, "message", str(error))
        raise SourceError(
            f"table {source.name!r}: what arrived can't be read: {message}",
            location=source.location,
            hint=getattr(error, "hint", ""),
        ) from None


def _refuse_unknown(source: SourceSpec, options: ArrivingOptions) -> None:
    if not options.columns:
        raise SourceError(
            f"table {source.name!r}: nothing has arrived yet, and its columns are not known",
            location=source.location,
            hint="segue plan tells what keeps them from being known",
        )


def _tell_files(folder: Path, state: ArrivingState) -> Iterator[SourceFile]:
    for file in state.files:
        versions = versions_of(file.path)
        stamp = f"{versions[0]}-{versions[1]}" if versions else ""
        yield SourceFile(str(folder / file.path), file.bytes, stamp, file.path)


def _take_file(source: SourceSpec, asked: str, scratch: Path) -> str:
    """Return a file, or a copy of those of its rows that are above a version.

    Raises:
        SourceError: It is gone.
    """
    path, _, seen = asked.partition(SEEN)
    if not Path(path).exists():
        raise SourceError(
            f"table {source.name!r}: a file that was planned to be read is gone",
            location=source.location,
            hint="run again: the plan is made anew",
        )
    return str(_copy_new(Path(path), int(seen), scratch)) if seen else path


def _copy_new(path: Path, seen: int, scratch: Path) -> Path:
    """Copy the rows of a compacted file that came after a version."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = scratch / f"above-{seen}-{path.name}"
    rows, at, parts = pq.read_table(path), 0, []
    for version, count in read_segments(path.parent, path.name):
        if version > seen:
            parts.append(rows.slice(at, count))
        at += count
    scratch.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.concat_tables([rows.slice(0, 0), *parts]), target, compression="zstd")
    return target


def _read_commits(folder: Path) -> Iterator[tuple[int, int, int]]:
    """Yield time, rows and bytes of each commit of a log that brought rows."""
    import json

    for version in reversed(lake_log.list_commits(folder)):
        actions = lake_log.read_commit(folder, version) or []
        adds = [each["add"] for each in actions if each.get("add", {}).get("dataChange")]
        stamp = next((a["commitInfo"]["timestamp"] for a in actions if "commitInfo" in a), None)
        if adds and stamp is not None:
            rows = sum(json.loads(add.get("stats") or "{}").get("numRecords", 0) for add in adds)
            yield int(stamp), rows, sum(add["size"] for add in adds)
