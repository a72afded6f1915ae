"""From a contract to as few queries as can be: most checks share one scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.registry import nearest
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from segue.protocols import CheckKind
    from segue.spec.contract import Check, Contract
    from segue.spec.types import TableSchema


@dataclass(frozen=True, slots=True)
class Screen:
    """A cheap test before a dear count: a kind offers it by a method `screen`.

    Attributes:
        facts: Aggregates that the shared query computes for it.
        query: Given the facts, returns a SELECT of one truth value that is true only if no
            row breaks the check; or that truth value itself, where the facts tell.
    """

    facts: tuple[str, ...]
    query: Callable[[Sequence[Any]], str | bool]


@dataclass(frozen=True, slots=True)
class CompiledCheck:
    """A check and the SQL that measures it.

    Attributes:
        check: The check.
        kind: Its kind.
        measure: An aggregate expression, or a SELECT of one value.
        failing: Predicate of the rows that break it; empty for a check of the whole table.
        screen: A cheap test before `measure`, if the kind has one.
        problem: Why the check can't be measured; empty if it can.
    """

    check: Check
    kind: CheckKind
    measure: str = ""
    failing: str = ""
    screen: Screen | None = None
    problem: str = ""

    @property
    def alone(self) -> bool:
        """Whether the measure is a query of its own."""
        return self.measure.startswith("select ")

    @property
    def shared(self) -> tuple[str, ...]:
        """What the shared query computes for this check."""
        if self.problem:
            return ()
        facts = self.screen.facts if self.screen else ()
        return facts if self.alone else (self.measure, *facts)


def compile_checks(
    contract: Contract, schema: TableSchema, load_check: Callable[[str], CheckKind]
) -> tuple[CompiledCheck, ...]:
    """Return the SQL of every check of a contract, in its order.

    Args:
        contract: The contract.
        schema: Columns that the table has.
        load_check: Gives a kind by its name.
    """
    return tuple(
        _compile_check(check, load_check(check.kind), schema, contract.table)
        for check in contract.checks
    )


def _compile_check(check: Check, kind: CheckKind, schema: TableSchema, table: str) -> CompiledCheck:
    names = list(schema.names)
    missing = [name for name in check.columns if name not in names]
    if missing:
        hint = nearest(missing[0], names, noun="column")
        return CompiledCheck(check, kind, problem=f"there is no column {missing[0]!r}: {hint}")
    types = {column.name: column.type for column in schema}
    screen = getattr(kind, "screen", None)
    try:
        return CompiledCheck(
            check,
            kind,
            measure=kind.measure(check, types, table),
            failing=kind.failing(check, types, table) if kind.row_level else "",
            screen=screen(check, types, table) if screen else None,
        )
    except ValueError as error:
        return CompiledCheck(check, kind, problem=str(error))


def combine_metrics(compiled: Iterable[CompiledCheck]) -> tuple[str, ...]:
    """Return the expressions that one scan computes for all checks, each once.

    The first is the number of rows.
    """
    wanted = (expression for one in compiled for expression in one.shared)
    return tuple(dict.fromkeys(("count(*)", *wanted)))


def write_query(expressions: Sequence[str], table: str) -> str:
    """Return the SELECT of some expressions over a table.

    Example:
        >>> write_query(["count(*)", "max(x)"], "orders")
        'select count(*) as m0, max(x) as m1 from "orders"'
    """
    listed = ", ".join(f"{text} as m{position}" for position, text in enumerate(expressions))
    return f"select {listed} from {quote_identifier(table)}"
