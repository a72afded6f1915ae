"""From a contract to as few queries as can be: most checks share one scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck
from segue.judge.slices import write_where
from segue.protocols import Context
from segue.registry import nearest
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from segue.protocols import CheckKind
    from segue.spec.contract import Check, Contract, Slice
    from segue.spec.types import TableSchema


ROWS = "count(*)"
MANY = 1_000_000
"""Rows from which on a verdict may be all that is worth knowing, if the value is dear."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A cheap test before a dear count: a kind offers it by a method `screen`.

    Attributes:
        facts: Aggregates that the shared query computes for it.
        query: Given the facts, returns a SELECT of one truth value that is true only if no
            row breaks the check; or that truth value itself, where the facts tell.
        kept: What stands in place of the measured value where the answer is true.
    """

    facts: tuple[str, ...]
    query: Callable[[Sequence[Any]], str | bool]
    kept: Any = 0


@dataclass(frozen=True, slots=True)
class CompiledCheck:
    """A check and the SQL that measures it.

    Attributes:
        check: The check.
        kind: Its kind.
        source: Name of the rows that its queries look at: the table, or a part of it.
        measure: An aggregate expression, or a SELECT of one value.
        rows: The aggregate that counts the rows that it looks at.
        failing: Predicate of the table's rows that break it; empty for a check of the whole table.
        screen: A cheap test before `measure`, if the kind has one.
        problem: Why the check can't be measured; empty if it can.
    """

    check: Check
    kind: CheckKind
    source: str = ""
    measure: str = ""
    rows: str = ROWS
    failing: str = ""
    screen: Screen | None = None
    problem: str = ""

    @property
    def by(self) -> tuple[str, ...]:
        """The columns of its segments."""
        return self.check.slice.by

    @property
    def inspects(self) -> bool:
        """Whether its kind measures by queries of its own."""
        return inspects(self.check, self.kind)

    @property
    def alone(self) -> bool:
        """Whether the measure is a query of its own."""
        return self.measure.startswith("select ")

    @property
    def shared(self) -> tuple[str, ...]:
        """What the shared query computes for this check."""
        if self.problem or self.inspects:
            return ()
        if self.by:
            return (self.rows, self.measure)
        facts = self.screen.facts if self.screen else ()
        return (self.rows, *facts) if self.alone else (self.rows, self.measure, *facts)


def compile_checks(
    contract: Contract,
    schema: TableSchema,
    load_check: Callable[[str], CheckKind],
    sources: Mapping[Slice, str] | None = None,
    context: Context | None = None,
    refused: Mapping[Slice, str] | None = None,
) -> tuple[CompiledCheck, ...]:
    """Return the SQL of every check of a contract, in its order.

    Args:
        contract: The contract.
        schema: Columns that the table has.
        load_check: Gives a kind by its name.
        sources: Names of the rows that checks look at, by slice; without them, all rows.
        context: What is known beside the table.
        refused: Why rows can't be told that checks look at, by slice.
    """
    known = sources or {}, context or Context(), refused or {}
    compiler = _Compiler(schema, contract.table, *known)
    return tuple(compiler.compile(check, load_check(check.kind)) for check in contract.checks)


def is_folded(check: Check, kind: CheckKind) -> bool:
    """Return whether the rows that a check looks at are told by its own predicate.

    It then shares the one scan of the whole table.
    """
    rows = check.slice
    plain = rows.sample is None and not rows.new and not inspects(check, kind)
    counts = getattr(type(kind), "measure", None) is RowCheck.measure
    # a segment without a row that counts is none, and only a part of the table tells that
    folds = getattr(kind, "folds", False) and not rows.by
    return bool(rows.where) and plain and (counts or folds)


def inspects(check: Check, kind: CheckKind) -> bool:
    """Return whether a kind measures a check by queries of its own."""
    asks = getattr(kind, "inspects", None)
    return hasattr(kind, "inspect") and (asks is None or bool(asks(check)))


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Writes the SQL of the checks of one table."""

    schema: TableSchema
    table: str
    sources: Mapping[Slice, str]
    context: Context
    refused: Mapping[Slice, str]

    def compile(self, check: Check, kind: CheckKind) -> CompiledCheck:
        names = list(self.schema.names)
        missing = [name for name in (*check.columns, *check.slice.by) if name not in names]
        if missing and not getattr(kind, "finds_columns", False):
            hint = nearest(missing[0], names, noun="column")
            return CompiledCheck(check, kind, problem=f"there is no column {missing[0]!r}: {hint}")
        if not is_folded(check, kind) and check.slice in self.refused:
            return CompiledCheck(check, kind, self.table, problem=self.refused[check.slice])
        complete = getattr(kind, "complete", None)
        try:
            if complete is not None:
                check = complete(check, self.context)
            return self.write(check, kind)
        except ValueError as error:
            return CompiledCheck(check, kind, self.table, problem=str(error))

    def write(self, check: Check, kind: CheckKind) -> CompiledCheck:
        types = {column.name: column.type for column in self.schema}
        where = write_where(check.slice) if check.slice.where else ""
        folded = is_folded(check, kind)
        source = self.table if folded else self.sources.get(check.slice, self.table)
        compares = getattr(kind, "compares", False)
        among = self.table if compares else source
        failing = kind.failing(check, types, among) if kind.row_level else ""
        if failing and where:
            failing = f"({where} and {failing})"
        rows = f"count(*) filter (where {where})" if folded else ROWS
        if inspects(check, kind):
            return CompiledCheck(check, kind, source, failing=failing)
        some = check.slice.sample is not None or check.slice.new
        if failing and (folded or check.slice.by):
            measure = f"count(*) filter (where {failing})"
        elif compares and some:
            part = getattr(kind, "measure_part", None)
            plain = f"select count(*) from {quote_identifier(source)} where {failing}"
            measure = part(check, source, self.table) if part else plain
        else:
            measure = kind.measure(check, types, source)
        if check.slice.by:
            if measure.startswith("select "):
                raise ValueError("it can't be judged by segments")
            return CompiledCheck(check, kind, source, measure, rows, failing)
        if self.has_many and check.anomaly is None:
            decide = getattr(kind, "decide", None)
            counts = decide(check, types) if decide else None
            if counts is not None:
                alone = f"select {measure} from {quote_identifier(source)}"
                return CompiledCheck(check, kind, source, alone, rows, failing, counts)
        screen = None if compares and some else getattr(kind, "screen", None)
        cheap = screen(check, types, source) if screen else None
        return CompiledCheck(check, kind, source, measure, rows, failing, cheap)

    @property
    def has_many(self) -> bool:
        """Return whether the table is known to have many rows."""
        return sum(file.rows for file in self.context.files or ()) >= MANY


def combine_metrics(compiled: Iterable[CompiledCheck]) -> tuple[str, ...]:
    """Return the expressions that one scan computes for all checks, each once.

    The first is the number of rows.
    """
    wanted = (expression for one in compiled for expression in one.shared)
    return tuple(dict.fromkeys((ROWS, *wanted)))


def write_query(expressions: Sequence[str], table: str, by: Sequence[str] = ()) -> str:
    """Return the SELECT of some expressions over a table, for each segment if it has some.

    Example:
        >>> write_query(["count(*)", "max(x)"], "orders")
        'select count(*) as m0, max(x) as m1 from "orders"'
        >>> write_query(["count(*)"], "orders", ["store"])
        'select "store" as s0, count(*) as m0 from "orders" group by "store"'
    """
    keys = [quote_identifier(name) for name in by]
    listed = [f"{key} as s{position}" for position, key in enumerate(keys)]
    listed += [f"{text} as m{position}" for position, text in enumerate(expressions)]
    grouped = f" group by {', '.join(keys)}" if keys else ""
    return f"select {', '.join(listed)} from {quote_identifier(table)}{grouped}"
