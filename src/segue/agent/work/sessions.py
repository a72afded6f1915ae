"""Open sessions of one step: rows that follow one another, until there is silence.

Rows of open sessions are held in memory and kept in the spool (`segue.agent.work.shelf`).
A row that is older than the watermark comes too late: nothing can be added to a closed session.
What is kept may have rows of closed sessions among it until enough have gathered; when it is
read again, the watermark tells which these are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from segue.agent.work.shelf import Shelf
from segue.agent.work.windows import (
    BEGIN,
    Advance,
    align,
    newest,
    pick_closed,
    read_timed,
    set_late_aside,
)
from segue.spec.windows import END, START

if TYPE_CHECKING:
    import pyarrow as pa

    from segue.agent.work.shelf import Load
    from segue.spec.edge import WindowSpec

_PLACE = 0
_SPARE = 10_000
"""Rows of closed sessions that may stay in the spool, beside as many as are open."""


class OpenSessions:
    """The open sessions of a step.

    Args:
        step: Name of the step.
        window: Its sessions.
        load: Reads a state of the spool.
    """

    def __init__(self, step: str, window: WindowSpec, load: Load) -> None:
        """Go on where the spool says."""
        self.window = window
        self._name = f"window/{step}"
        self._watermark = BEGIN
        self._open: pa.Table | None = None
        packed = load(self._name)
        index = json.loads(packed) if packed is not None else {}
        self._shelf = Shelf(self._name, load, index.get("rows"))
        self._kept = index.get("kept", 0)
        if index.get("window") == str(window):
            self._watermark = index["watermark"]

    def advance(self, rows: pa.Table, *, flush: bool = False) -> Advance:
        """Take the rows of a micro-batch, and give those of sessions that end.

        Args:
            rows: The rows.
            flush: Whether to end all sessions: nothing comes any more.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        done = Advance()
        held = self._recall(rows, done)
        timed, times = read_timed(rows, self.window.column, done)
        late = pc.less(times, self._watermark)
        timed, times = set_late_aside(timed, times, late, done)
        before = self._watermark
        if len(times):
            self._watermark = max(before, newest(times) - self.window.late)
        self._close(pa.concat_tables([held, timed]), done, flush=flush)
        self._keep(timed, done)
        if done.states or self._watermark != before:
            done.states[self._name] = self._write_index()
        return done

    def _recall(self, rows: pa.Table, done: Advance) -> pa.Table:
        """Return the open rows; those that the spool had are looked through at first."""
        if self._open is None:
            held = align(self._shelf.fetch(_PLACE), rows.schema, done)
            self._open = self._part_open(self._assign(held), rows.schema)
        return align([self._open], rows.schema, done)

    def _assign(self, rows: pa.Table) -> pa.Table:
        from segue.frames.windows import assign_windows

        return assign_windows(rows, self.window)

    def _part_open(self, assigned: pa.Table, schema: pa.Schema) -> pa.Table:
        """Return rows of sessions that the watermark has not passed."""
        import pyarrow.compute as pc

        from segue.frames.windows import read_times

        still = pc.greater(read_times(assigned, END), self._watermark)
        return assigned.filter(still).drop_columns([START, END]).select(schema.names)

    def _close(self, table: pa.Table, done: Advance, *, flush: bool) -> None:
        """End the sessions that the watermark has passed."""
        import pyarrow.compute as pc

        from segue.frames.windows import read_times

        assigned = self._assign(table)
        ends = read_times(assigned, END)
        if flush and len(ends):
            self._watermark = max(self._watermark, newest(ends))
        self._open = table
        if pc.less_equal(ends, self._watermark).true_count:
            done.closed = pick_closed(assigned, BEGIN, self._watermark)
            self._open = self._part_open(assigned, table.schema)

    def _keep(self, fresh: pa.Table, done: Advance) -> None:
        """Write new rows; all that is open once most of what is kept belongs to closed sessions."""
        assert self._open is not None  # noqa: S101  # it was recalled
        still = self._open.num_rows
        if self._kept + fresh.num_rows > 2 * still + _SPARE or not still:
            self._shelf.remove(_PLACE, done.states)
            self._kept, fresh = 0, self._open
        if fresh.num_rows:
            self._shelf.add(_PLACE, fresh, done.states)
            self._kept += fresh.num_rows

    def _write_index(self) -> bytes:
        index: dict[str, Any] = {
            "window": str(self.window),
            "watermark": self._watermark,
            "rows": self._shelf.dump(),
            "kept": self._kept,
        }
        return json.dumps(index).encode()
