"""The queries that checks share: one for each part of a table, and for each kind of segments."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from segue.errors import StepError, UnsupportedError
from segue.judge.cells import read_cell
from segue.judge.compile import ROWS, combine_metrics, write_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa

    from segue.errors import SegueError
    from segue.judge.compile import CompiledCheck
    from segue.protocols import Session

REFUSALS = (StepError, UnsupportedError)
"""What an engine raises where a query can't be measured: it fails, or it is refused before."""

_PROBE = "segue__probe"
"""Name that a query has for a moment, to see whether an engine can read it."""

Part = tuple[str, tuple[str, ...]]
"""Name of the rows that a query looks at, and the columns of its segments."""


def fetch_row(session: Session, query: str) -> tuple[Any, ...]:
    """Return the one row of a query, as a session gives it at the least cost."""
    own: Callable[[str], tuple[Any, ...] | None] | None = getattr(session, "fetch_row", None)
    row = own(query) if own else None
    return row or tuple(read_cell(column[0]) for column in session.fetch(query).columns)


@dataclass(frozen=True, slots=True)
class Gauge:
    """What checks are measured with.

    Attributes:
        session: The engine.
        table: Name of the table.
        private: Whether values of the table must stay out of messages.
        answers: Aggregates of the table that the shared query need not compute, by expression.
        sources: What told them: an SQL query, or a comment in its place.
    """

    session: Session
    table: str
    private: bool
    answers: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def find_answers(self, part: Part) -> Mapping[str, Any]:
        """Return what is known of a part of the table already: answers are of its whole only."""
        return self.answers if part == (self.table, ()) else {}

    def find_source(self, one: CompiledCheck) -> str:
        """Return what told a check's measure, if the shared query did not."""
        known = one.measure in self.find_answers((one.source, one.by))
        return self.sources.get(one.measure, "") if known else ""

    def fetch_value(self, query: str) -> Any:
        """Return the one value of a query."""
        return fetch_row(self.session, query)[0]

    def explain(self, query: str, error: SegueError) -> str:
        """Say why a query failed; what fails while it runs may quote values of the table."""
        if self.private and not isinstance(error, UnsupportedError):
            try:
                self.session.describe(query or "select 1")
            except REFUSALS as refused:
                error = refused
            else:
                what = "it fails on a value that is not shown (sensitive columns)"
                return f"can't be measured: {what}"
        hint = f": {error.hint}" if error.hint else ""
        return f"can't be measured: {error.message}{hint}"


@dataclass(slots=True)
class Found:
    """What the shared queries told.

    Attributes:
        compiled: The checks; those that the engine refuses have a problem now.
        rows: Rows of the table.
    """

    compiled: tuple[CompiledCheck, ...]
    rows: int = 0
    _values: dict[Part, dict[str, Any]] = field(default_factory=dict)
    _tables: dict[Part, tuple[pa.Table, tuple[str, ...]]] = field(default_factory=dict)
    _seconds: dict[Part, float] = field(default_factory=dict)

    def keep(self, part: Part, row: Mapping[str, Any], seconds: float) -> None:
        """Take what a shared query told."""
        self._seconds[part] = seconds
        self._values.setdefault(part, {}).update(row)

    def keep_segments(
        self, part: Part, table: pa.Table, expressions: tuple[str, ...], seconds: float
    ) -> None:
        """Take what a shared query told of each segment."""
        self._seconds[part] = seconds
        self._tables[part] = table, expressions

    def answer(self, part: Part, answers: Mapping[str, Any]) -> None:
        """Take what is known without a query."""
        self._values[part] = dict(answers)

    def value(self, one: CompiledCheck, expression: str) -> Any:
        """Return an aggregate of the rows that a check looks at."""
        return self._values.get((one.source, ()), {}).get(expression)

    def count(self, source: str) -> int:
        """Return the number of rows of a part of the table."""
        return int(self._values[source, ()][ROWS])

    def table(self, one: CompiledCheck) -> Segments:
        """Return what was measured of each segment of a check."""
        table, expressions = self._tables[one.source, one.by]
        places = tuple(expressions.index(each) for each in (one.rows, one.measure))
        query = write_query((one.rows, one.measure), one.source, one.by)
        return Segments(table, (places[0], places[1]), query)

    def seconds(self, one: CompiledCheck) -> float:
        """Return how long the shared query took that a check rests on."""
        return self._seconds.get((one.source, one.by), 0.0) if one.shared else 0.0


@dataclass(frozen=True, slots=True)
class Segments:
    """What was measured of each segment.

    Attributes:
        table: Columns `s0`, `s1`, ... of the segments' keys, and `m0`, `m1`, ... of aggregates.
        places: Numbers of the aggregates that count rows, and that measure.
        query: The SELECT that tells the same for this check alone.
    """

    table: pa.Table
    places: tuple[int, int]
    query: str


def gather_shared(gauge: Gauge, compiled: tuple[CompiledCheck, ...]) -> Found:
    """Compute what checks share; those that the engine refuses come back with their problem."""
    try:
        return _gather(gauge, compiled)
    except UnsupportedError:  # before work started: what the engine can read goes on together
        compiled = tuple(_bind_alone(gauge, one) for one in compiled)
        with suppress(*REFUSALS):
            return _gather(gauge, compiled)
    except StepError:
        pass
    tried = tuple(_try_alone(gauge, one) for one in compiled)
    # Each was measured by itself; together again, as a rule in one scan.
    return _gather(gauge, tried)


def _gather(gauge: Gauge, compiled: tuple[CompiledCheck, ...]) -> Found:
    found = Found(compiled)
    for part, checks in _part_checks(gauge.table, compiled).items():
        answers = gauge.find_answers(part)
        expressions = tuple(each for each in combine_metrics(checks) if each not in answers)
        if not part[1]:
            found.answer(part, answers)
        if not expressions:
            continue
        began = perf_counter()
        query = write_query(expressions, *part)
        if part[1]:
            table = gauge.session.fetch(query)
            found.keep_segments(part, table, expressions, perf_counter() - began)
        else:
            row = dict(zip(expressions, fetch_row(gauge.session, query), strict=True))
            found.keep(part, row, perf_counter() - began)
    found.rows = found.count(gauge.table)
    return found


def _part_checks(table: str, compiled: Iterable[CompiledCheck]) -> dict[Part, list[CompiledCheck]]:
    """Return which checks share a query; the one of the whole table is always there."""
    parts: dict[Part, list[CompiledCheck]] = {(table, ()): []}
    for one in compiled:
        if not one.problem:
            parts.setdefault((one.source, one.by), []).append(one)
    return parts


def _bind_alone(gauge: Gauge, one: CompiledCheck) -> CompiledCheck:
    """Return a check with its problem, if the engine can't even read what it asks; nothing runs."""
    if not one.shared:
        return one
    try:
        gauge.session.bind(_PROBE, write_query(one.shared, one.source, one.by))
    except REFUSALS as error:
        query = write_query(one.shared, one.source, one.by)
        return replace(one, problem=gauge.explain(query, error))
    gauge.session.unbind(_PROBE)
    return one


def _try_alone(gauge: Gauge, one: CompiledCheck) -> CompiledCheck:
    answers = gauge.find_answers((one.source, one.by))
    asked = [each for each in one.shared if each not in answers]
    if not asked:
        return one
    query = write_query(asked, one.source, one.by)
    try:
        gauge.session.fetch(query)
    except REFUSALS as error:
        return replace(one, problem=gauge.explain(query, error))
    return one
