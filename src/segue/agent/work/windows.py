"""Open windows of one step: their rows wait in the spool, not in memory.

The watermark is the newest event time minus `late`. A window is closed once it has passed the
window's end, and its rows go to the step then, with all others that close in the same
micro-batch. A row whose windows are all closed comes too late.

Rows are kept by *pane*: the stretch between two starts of windows, so that each is kept once and
a commit writes little more than new rows (`segue.agent.work.shelf`). Sessions:
`segue.agent.work.sessions`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.agent.work.shelf import Shelf
from segue.spec.windows import END, START

if TYPE_CHECKING:
    import pyarrow as pa

    from segue.agent.work.shelf import Load
    from segue.spec.edge import WindowSpec

LATE = "late"
"""Reason of rows that come when all of their windows are closed."""
TIMELESS = "no event time"
CHANGED = "kept by an earlier deployment, with columns that don't fit"

BEGIN = -(2**62)
"""The watermark before the first row."""


@dataclass(slots=True)
class Advance:
    """What a micro-batch did to the windows of a step.

    Attributes:
        closed: Rows of windows that closed, with their windows; None if none did.
        aside: Rows that belong to no window that is open, each with the reason.
        states: What the spool has to keep or forget.
    """

    closed: pa.Table | None = None
    aside: list[tuple[pa.Table, str]] = field(default_factory=list)
    states: dict[str, bytes | None] = field(default_factory=dict)


class OpenWindows:
    """The open windows of a step that are tumbling or sliding.

    Args:
        step: Name of the step.
        window: Its windows.
        load: Reads a state of the spool.
    """

    def __init__(self, step: str, window: WindowSpec, load: Load) -> None:
        """Go on where the spool says."""
        self.window = window
        self._name = f"window/{step}"
        self._watermark = BEGIN
        packed = load(self._name)
        index = json.loads(packed) if packed is not None else {}
        self._shelf = Shelf(self._name, load, index.get("rows"))
        self._anew = bool(index) and index["window"] != str(window)
        if index and not self._anew:
            self._watermark = index["watermark"]

    def advance(self, rows: pa.Table, *, flush: bool = False) -> Advance:
        """Take the rows of a micro-batch, and give those of windows that close.

        Args:
            rows: The rows.
            flush: Whether to close all windows: nothing comes any more.
        """
        done = Advance()
        if self._anew:
            rows = self._begin_anew(rows, done)
        timed, times = self._set_aside(rows, done)
        before = self._watermark
        if len(times):
            self._watermark = max(before, newest(times) - self.window.late)
        self._close(timed, times, before, done, flush=flush)
        if done.states or self._watermark != before:
            done.states[self._name] = self._write_index()
        return done

    def _begin_anew(self, rows: pa.Table, done: Advance) -> pa.Table:
        """Add the rows that are kept: an earlier deployment cut time into other windows."""
        held = [table for pane in self._shelf.places for table in self._shelf.fetch(pane)]
        for pane in self._shelf.places:
            self._shelf.remove(pane, done.states)
        self._anew = False
        return align([*held, rows], rows.schema, done)

    def _set_aside(self, rows: pa.Table, done: Advance) -> tuple[pa.Table, Any]:
        """Part rows that have no time, or all of whose windows are closed."""
        import pyarrow.compute as pc

        from segue.frames.windows import find_panes

        window = self.window
        timed, times = read_timed(rows, window.column, done)
        ends = pc.add(find_panes(times, window.every), window.size)
        late = pc.less_equal(ends, self._watermark)
        return set_late_aside(timed, times, late, done)

    def _close(
        self, rows: pa.Table, times: Any, before: int, done: Advance, *, flush: bool
    ) -> None:
        """Close what the watermark has passed, and keep the rows that others wait for."""
        import pyarrow.compute as pc

        from segue.frames.windows import find_panes

        size, every = self.window.size, self.window.every
        panes = find_panes(times, every)
        fresh = sorted(pc.unique(panes).to_pylist())
        known = sorted({*self._shelf.places, *fresh})
        if flush and known:
            self._watermark = max(self._watermark, known[-1] + size)
        first = ((before - size) // every + 1) * every
        last = (self._watermark - size) // every * every
        touched = [pane for pane in known if first <= pane < last + size]
        if first <= last and touched:
            self._give(touched, rows, panes, before, done)
        for pane in (pane for pane in known if pane <= last):
            self._shelf.remove(pane, done.states)
        for pane in (pane for pane in fresh if pane > last):
            self._shelf.add(pane, rows.filter(pc.equal(panes, pane)), done.states)

    def _give(
        self, touched: list[int], rows: pa.Table, panes: Any, before: int, done: Advance
    ) -> None:
        """Give the rows of windows that end behind one watermark, and not behind the other."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from segue.frames.windows import assign_windows

        stored = [table for pane in touched for table in self._shelf.fetch(pane)]
        fresh = rows.filter(pc.is_in(panes, pa.array(touched, pa.int64())))
        held = align([*stored, fresh], rows.schema, done)
        done.closed = pick_closed(assign_windows(held, self.window), before, self._watermark)

    def _write_index(self) -> bytes:
        index = {
            "window": str(self.window),
            "watermark": self._watermark,
            "rows": self._shelf.dump(),
        }
        return json.dumps(index).encode()


def align(tables: list[pa.Table], schema: pa.Schema, done: Advance) -> pa.Table:
    """Put rows below each other that may have been kept by a deployment with other columns.

    Rows whose values don't fit the columns of today are set aside.
    """
    import pyarrow as pa

    fitting = []
    for table in tables:
        if table.schema.equals(schema):
            fitting.append(table)
            continue
        try:
            columns = [
                table[field.name].cast(field.type)
                if field.name in table.column_names
                else pa.nulls(table.num_rows, field.type)
                for field in schema
            ]
        except pa.ArrowException:
            done.aside.append((table, CHANGED))
        else:
            fitting.append(pa.Table.from_arrays(columns, schema=schema))
    return pa.concat_tables(fitting) if fitting else schema.empty_table()


def read_timed(rows: pa.Table, column: str, done: Advance) -> tuple[pa.Table, Any]:
    """Return rows that have an event time, and these times; the others are set aside."""
    from segue.frames.windows import read_times

    if rows[column].null_count:
        done.aside.append((rows.filter(rows[column].is_null()), TIMELESS))
        rows = rows.filter(rows[column].is_valid())
    return rows, read_times(rows, column)


def set_late_aside(rows: pa.Table, times: Any, late: Any, done: Advance) -> tuple[pa.Table, Any]:
    """Part rows that come too late."""
    import pyarrow.compute as pc

    if not late.true_count:
        return rows, times
    done.aside.append((rows.filter(late), LATE))
    kept = pc.invert(late)
    return rows.filter(kept), times.filter(kept)


def pick_closed(assigned: pa.Table, before: int, until: int) -> pa.Table | None:
    """Return rows of windows whose end is behind `until`, and was not behind `before`.

    They come window by window; None if there are none.
    """
    import pyarrow.compute as pc

    from segue.frames.windows import read_times

    ends = read_times(assigned, END)
    rows = assigned.filter(pc.and_(pc.less_equal(ends, until), pc.greater(ends, before)))
    if not rows.num_rows:
        return None
    return rows.take(pc.sort_indices(read_times(rows, START)))  # a stable order


def newest(times: pa.Int64Array) -> int:
    """Return the latest of times, of which there is one at least."""
    import pyarrow.compute as pc

    return int(pc.max(times).as_py())
