"""``<table>__gaps``: a row for every loss that a node declared.

The commit of a table that moves sequences over a loss carries the loss in its note, and a
number. The row is written after it, with that number as application transaction, before the
table's next commit and before an answer: whoever dies in between, the next one finds the note
and writes the row, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from segue.frames.arrow_types import to_arrow
from segue.stores.arriving_commit import Commit, commit, prepare_table
from segue.stores.arriving_files import describe_bounds, write_rows
from segue.stores.arriving_log import BATCHES, GAPS, LogState, refresh
from segue.stores.arriving_schema import GAP_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.spec.arriving import Batch
    from segue.stores.arriving_names import Names

Loss = dict[str, Any]


def describe_loss(batch: Batch) -> Loss:
    """Return the row of a loss."""
    return {
        "_node": batch.key.node,
        "_epoch": batch.key.epoch,
        "first_sequence": batch.first,
        "last_sequence": batch.last,
        "rows": batch.rows,
        "reason": batch.reason,
        "_deployment": batch.deployment,
    }


class GapsTable:
    """The losses of one table.

    Args:
        folder: Its folder.
        names: Gives names to files.

    Attributes:
        state: What the table had at the last look.
    """

    def __init__(self, folder: Path, names: Names) -> None:
        self.folder = folder
        self._names = names
        self.state = LogState()
        self._known: tuple[str, int, set[tuple[Any, ...]]] | None = None

    def refresh(self) -> LogState:
        """Return what the table has now."""
        self.state = refresh(self.folder, self.state)
        return self.state

    def number(self) -> int:
        """Return the number of the last losses that were written."""
        return self.refresh().transactions.get(GAPS, 0)

    def flush(self, losses: Mapping[int, Sequence[Loss]]) -> None:
        """Write losses whose numbers are above what was written.

        Raises:
            OSError: The disk fails; they are written later.
        """
        for number in sorted(losses):
            while self.number() < number:
                if self._write(number, losses[number]):
                    break

    def _write(self, number: int, losses: Sequence[Loss]) -> bool:
        fresh = self._leave_out_known(losses)
        version = self.state.version + 1
        files = {}
        if fresh:
            path = self.folder / self._names.give("arriving", version)
            self.folder.mkdir(parents=True, exist_ok=True)
            rows = pa.Table.from_pylist(fresh, schema=to_arrow(GAP_COLUMNS))
            footer = write_rows(path, rows)
            files = {path.name: describe_bounds(footer, GAP_COLUMNS)}
        made = Commit(
            note=BATCHES,
            hub=self._names.hub,
            adds=files,
            transactions={GAPS: number},
            described=prepare_table(self.state, GAP_COLUMNS),
        )
        linked = commit(self.folder, self.state, made)
        if not linked:
            for name in files:
                (self.folder / name).unlink(missing_ok=True)
        elif self._known is not None:
            self._known[2].update(_identify(loss) for loss in fresh)
        return linked

    def _leave_out_known(self, losses: Sequence[Loss]) -> list[Loss]:
        """Return losses that have no row yet: a table that was set back is told of them again."""
        state = self.state
        if self._known is None or self._known[:2] != (state.incarnation, len(state.files)):
            found: set[tuple[Any, ...]] = set()
            for name in state.files:
                rows = pq.read_table(self.folder / name, columns=_IDENTITY, partitioning=None)
                found.update(_identify(each) for each in rows.to_pylist())
            self._known = (state.incarnation, len(state.files), found)
        return [loss for loss in losses if _identify(loss) not in self._known[2]]


_IDENTITY = ["_node", "_epoch", "first_sequence", "last_sequence"]


def _identify(loss: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(loss[name] for name in _IDENTITY)
