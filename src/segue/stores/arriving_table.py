"""One arriving table: batches of many nodes in one Delta commit, each exactly once."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from segue.errors import StorageError
from segue.failpoints import pass_point
from segue.spec.arriving import Place
from segue.spec.edge import GAPS_SUFFIX
from segue.stores import lake_log
from segue.stores.arriving_admit import Admission, admit
from segue.stores.arriving_commit import Commit, commit, prepare_table
from segue.stores.arriving_compact import (
    choose_files,
    compact,
    remove_replaced,
    replace_files,
    write_checkpoint,
)
from segue.stores.arriving_files import describe_bounds, write_payload, write_rows
from segue.stores.arriving_gaps import GapsTable, describe_loss
from segue.stores.arriving_gather import Gathering
from segue.stores.arriving_log import BATCHES, GAPS, RIGHTED, SETBACKS, LogState, refresh
from segue.stores.arriving_recover import has_rows, remove_abandoned, right_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from segue.spec.arriving import Batch, Key
    from segue.spec.types import TableSchema
    from segue.stores.arriving_names import Names

RACES = 200
"""Commits of other hubs that one commit may come behind, before it is given up."""


@dataclass(slots=True)
class Staged:
    """Files of a commit, on disk and in no log.

    Attributes:
        admission: What they hold.
        schema: Columns of the table with them.
        odd: Columns that were made because a type does not fit.
        files: Statistics of each, by name.
    """

    admission: Admission
    schema: TableSchema
    odd: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)


class ArrivingTable:
    """A table that nodes send; safe for several threads.

    Args:
        lake: Folder of the lake.
        name: Name of the table.
        names: Gives names to files.

    Attributes:
        odd_columns: Columns that the last commit made because a type does not fit.
    """

    def __init__(self, lake: Path, name: str, names: Names) -> None:
        self.name = name
        self.folder = lake / name
        self.odd_columns: tuple[str, ...] = ()
        self._names = names
        self._gaps = GapsTable(lake / f"{name}{GAPS_SUFFIX}", names)
        self._state = LogState()
        self._next_id = ""
        self._lock = threading.RLock()

    def refresh(self) -> LogState:
        """Return what the table has now, after doing what a dead hub left undone.

        Raises:
            StorageError: The table can't be used.
            OSError: The disk fails.
        """
        for _ in range(RACES):
            state = self._state = refresh(self.folder, self._state)
            self._reserve(state)
            if state.losses:
                self._gaps.flush(state.losses)
                state.losses.clear()
            if not state.set_back or self._right(state):
                return state
        raise _give_up(self.name)

    def _reserve(self, state: LogState) -> None:
        """Know the id of a table before it is made, for agents ask before they send."""
        if state.version >= 0:
            self._next_id = ""
        else:
            state.table_id = self._next_id = self._next_id or str(uuid4())

    def _right(self, state: LogState) -> bool:
        """Set positions to what the rows say, after somebody set the table back."""
        known = state.transactions
        right = right_positions(self.folder, state.files, known)
        right[SETBACKS] = known.get(SETBACKS, 0) + 1
        made = Commit(RIGHTED, self._names.hub, transactions=right, changes=False)
        return commit(self.folder, state, made)

    def find_place(self, key: Key) -> Place:
        """Return where a node's sequences stand.

        Raises:
            StorageError: The table can't be used.
            OSError: The disk fails.
        """
        with self._lock:
            state = self.refresh()
            return Place(state.transactions.get(key.application, 0), state.incarnation)

    def commit(self, batches: Sequence[Batch]) -> list[Place]:
        """Take batches into the table, in one commit that is on disk when this returns.

        Args:
            batches: Batches of this table, of any nodes, in any order.

        Returns:
            What became of each.

        Raises:
            StorageError: The table can't be used; nothing was acknowledged.
            OSError: The disk fails; nothing was acknowledged.
        """
        with self._lock:
            staged: Staged | None = None
            try:
                for _ in range(RACES):
                    state = self.refresh()
                    staged = self._bring_on(state, staged, batches)
                    if not staged.admission.ranges:
                        return self._answer(staged)
                    if self._link(state, staged):
                        done, staged = staged, None
                        self.refresh()
                        return self._answer(done)
            finally:
                self._drop(staged)
        raise _give_up(self.name)

    def _answer(self, staged: Staged) -> list[Place]:
        pass_point("hub.acknowledge.before")
        self.odd_columns = staged.odd
        incarnation = self._state.incarnation
        return [replace(each, incarnation=incarnation) for each in staged.admission.places]

    def _bring_on(self, state: LogState, staged: Staged | None, batches: Sequence[Batch]) -> Staged:
        """Stage batches, or give what was staged the version that it will have now."""
        if staged is not None:
            same = state.schema in (None, staged.schema)
            if same and staged.admission.still_holds(state):
                for old in list(staged.files):
                    new = self._names.give("arriving", state.version + 1)
                    (self.folder / old).rename(self.folder / new)
                    staged.files[new] = staged.files.pop(old)
                return staged
            self._drop(staged)
        return self._stage(state, batches)

    def _stage(self, state: LogState, batches: Sequence[Batch]) -> Staged:
        gathering = Gathering(state.schema)
        admission = admit(state, batches, gathering.take, partial(self._has_rows, state))
        pass_point("hub.staged")
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            lake_log.sync_path(self.folder.parent)
        staged = Staged(admission, gathering.schema, tuple(gathering.odd))
        try:
            self._write(state, staged, gathering)
            pass_point("hub.written")
        except BaseException:
            self._drop(staged)
            raise
        return staged

    def _has_rows(self, state: LogState, batch: Batch) -> bool:
        return has_rows(self.folder, state.files, state.schema, batch)

    def _write(self, state: LogState, staged: Staged, gathering: Gathering) -> None:
        for rows in gathering.links:
            name = self._names.give("arriving", state.version + 1)
            staged.files[name] = describe_bounds(rows.footer, gathering.schema)
            write_payload(self.folder / name, rows.batch.payload)
        table = gathering.table()
        if table is not None:
            name = self._names.give("arriving", state.version + 1)
            staged.files[name] = ""
            footer = write_rows(self.folder / name, table)
            staged.files[name] = describe_bounds(footer, gathering.schema)

    def _link(self, state: LogState, staged: Staged) -> bool:
        admission = staged.admission
        told = {"segue.batches": json.dumps(admission.ranges, separators=(",", ":"))}
        numbers = {name: ranges[-1][1] for name, ranges in admission.ranges.items()}
        if admission.losses:
            told["segue.gaps"] = json.dumps([describe_loss(each) for each in admission.losses])
            numbers[GAPS] = max(state.transactions.get(GAPS, 0), self._gaps.number()) + 1
        made = Commit(
            BATCHES,
            self._names.hub,
            adds=staged.files,
            transactions=numbers,
            described=prepare_table(state, staged.schema),
            told=told,
        )
        return commit(self.folder, state, made)

    def _drop(self, staged: Staged | None) -> None:
        """Remove files that no log mentions; those of a commit that may be there stay."""
        if staged is not None and self._state.known:
            for name in staged.files:
                (self.folder / name).unlink(missing_ok=True)

    @property
    def version(self) -> int:
        """The last version that was looked at."""
        return self._state.version

    def needs_compaction(self) -> bool:
        """Return whether there are many small files."""
        with self._lock:
            return any(choose_files(state) for state in (self._state, self._gaps.state))

    def _parts(self) -> Iterator[tuple[Path, Callable[[], LogState]]]:
        """Yield the folders of this table and of its losses, and what looks at them."""
        yield self.folder, self.refresh
        yield self._gaps.folder, self._gaps.refresh

    def compact(self) -> None:
        """Bring small files together until there are few.

        Raises:
            StorageError: The table can't be used.
            OSError: The disk fails; nothing was changed.
        """
        for folder, look in self._parts():
            while True:
                with self._lock:
                    state = look()
                    chosen = choose_files(state)
                    seen = replace(state, files=dict(state.files))
                if not chosen:
                    break
                made = compact(folder, self._names, chosen, seen)
                with self._lock:
                    replace_files(folder, self._names, chosen, made, look)

    def write_checkpoints(self) -> None:
        """Write checkpoints, after removing files that were replaced long ago."""
        for folder, look in self._parts():
            with self._lock:
                state = look()
                remove_replaced(folder, state)
            if state.version >= 0:
                write_checkpoint(folder)

    def remove_abandoned(self) -> int:
        """Remove what hubs that died had not committed; return how many files."""
        removed = 0
        with self._lock:
            for folder, look in self._parts():
                state = look()
                removed += remove_abandoned(folder, self._names, (*state.files, *state.removed))
        return removed


def _give_up(name: str) -> StorageError:
    return StorageError(
        f"other hubs commit to the table {name!r} without a pause", hint="send again later"
    )
