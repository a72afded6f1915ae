"""Conditions over a stream: when one holds, an episode begins, and its letter is written once.

A condition holds at a matching row if the rows that match, back over `within`, are as many as
the alert asks for. It is judged row by row in the order of time, so that it does not matter how
rows came in batches. An episode is over when the condition has not held for `quiet`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.spec.edge import MESSAGE_COLUMN
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

    from segue.protocols import LocalSession
    from segue.spec.edge import StreamAlert

    Seen = tuple[int, Any]
    """Time of a row that matched, and its value in the column whose values are counted."""

_NEVER = -(2**62)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way to one channel.

    Attributes:
        key: Names it among all letters of the node: who gets it twice can tell.
        alert: Name of the alert.
        channel: URL of the channel; secrets still stand in it as ``${NAME}``.
        title: Its title.
        body: Its text.
    """

    key: str
    alert: str
    channel: str
    title: str
    body: str


class Watch:
    """Watches one table for one alert.

    Args:
        alert: The alert.
        node: Name of the node.
        session: DuckDB.
        load: Reads a state of the spool.
        clock: Seconds that never go back, for alerts over the time of arrival.
    """

    def __init__(
        self,
        alert: StreamAlert,
        node: str,
        session: LocalSession,
        load: Callable[[str], bytes | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Go on where the spool says."""
        self.alert = alert
        self._node = node
        self._session = session
        self._clock = clock
        self._name = f"alert/{alert.name}"
        self._query = f"select * from {quote_identifier(alert.table)} where {alert.condition}"
        packed = load(self._name)
        state = json.loads(packed) if packed is not None else {}
        self._seen: list[Seen] = [(at, value) for at, value in state.get("seen", ())]
        self._held: int = state.get("held", _NEVER)
        # a boot begins the steady clock anew: what it told then goes on from there
        self._offset: int = state.get("arrival", 0) - int(clock() * 1e6)

    def see(self, rows: pa.Table) -> tuple[list[Letter], dict[str, bytes | None]]:
        """Look at the rows of a micro-batch; return letters, and the state to be kept.

        Raises:
            SqlError: The condition can't be computed on them.
        """
        self._session.bind(self.alert.table, rows)
        try:
            matching = self._session.fetch(self._query)
        finally:
            self._session.unbind(self.alert.table)
        times, matching = self._read_times(matching)
        if not matching.num_rows:
            return [], {}
        fresh = self._read_values(times, matching)
        begun = self._follow(fresh)
        letters = [
            letter for at, row in begun for letter in self._write(at, self._find_row(matching, row))
        ]
        state = {"seen": self._seen, "held": self._held, "arrival": self._arrival()}
        return letters, {self._name: json.dumps(state).encode()}

    def _arrival(self) -> int:
        return self._offset + int(self._clock() * 1e6)

    def _read_times(self, matching: pa.Table) -> tuple[list[int], pa.Table]:
        """Return when rows came about, or came here; rows without an event time don't count."""
        from segue.frames.windows import read_times

        if not self.alert.column:
            return [self._arrival()] * matching.num_rows, matching
        matching = matching.filter(matching[self.alert.column].is_valid())
        return read_times(matching, self.alert.column).to_pylist(), matching

    def _read_values(self, times: list[int], matching: pa.Table) -> list[tuple[int, Any, int]]:
        """Return time, value and number of each matching row that counts."""
        if not self.alert.distinct:
            return [(at, None, row) for row, at in enumerate(times)]
        values = (_plain(value) for value in matching[self.alert.distinct].to_pylist())
        return [
            (at, value, row)
            for row, (at, value) in enumerate(zip(times, values, strict=True))
            if value is not None
        ]

    def _follow(self, fresh: list[tuple[int, Any, int]]) -> list[tuple[int, int]]:
        """Go through what matched in its order; return time and row where episodes begin."""
        old = [(at, value, -1) for at, value in self._seen]
        ordered = sorted([*old, *fresh], key=lambda each: each[0])
        quiet = max(self.alert.quiet, 1)
        begun, kept = [], _Kept(self.alert)
        for at, value, row in ordered:
            kept.add(at, value)
            if row < 0 or not kept.holds(at):
                continue
            if at - self._held >= quiet:
                begun.append((at, row))
            self._held = max(self._held, at)
        self._seen = kept.dump()
        return begun

    def _find_row(self, matching: pa.Table, row: int) -> dict[str, Any]:
        found: dict[str, Any] = matching.slice(row, 1).to_pylist()[0]
        return found

    def _write(self, at: int, row: dict[str, Any]) -> Iterable[Letter]:
        alert = self.alert
        text = alert.message or f"{alert.condition} ({alert.at_least} within the time)"
        body = MESSAGE_COLUMN.sub(lambda found: str(row.get(found[1], found[0])), text)
        title = f"{alert.name} at {self._node}"
        for number, channel in enumerate(alert.send):
            yield Letter(
                f"{self._node}/{alert.name}/{at}/{number}", alert.name, channel, title, body
            )


class _Kept:
    """The rows that matched and may still count, in the order of time."""

    def __init__(self, alert: StreamAlert) -> None:
        self._alert = alert
        self._times: list[int] = []
        self._last: dict[Any, int] = {}

    def add(self, at: int, value: Any) -> None:
        """Take a row that is not older than those before."""
        if self._alert.distinct:
            self._last.pop(value, None)
            self._last[value] = at
            return
        self._times.append(at)
        if len(self._times) > self._alert.at_least:
            del self._times[0]

    def holds(self, at: int) -> bool:
        """Return whether enough rows count, back from a time."""
        least, since = self._alert.at_least, at - self._alert.within
        if self._alert.distinct:
            for value in [value for value, last in self._last.items() if last < since]:
                del self._last[value]
            return len(self._last) >= least
        return len(self._times) >= least and self._times[-least] >= since

    def dump(self) -> list[Seen]:
        """Return what has to be remembered."""
        if self._alert.distinct:
            return [(at, value) for value, at in self._last.items()]
        return [(at, None) for at in self._times]


def _plain(value: Any) -> Any:
    """Return a value as JSON can keep it, so that it is the same one when it is read again."""
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
