"""Measure a table against its contract, in about one scan."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segue.errors import StepError
from segue.judge import report_html as _report_html  # noqa: F401  # how notebooks show reports
from segue.judge.compile import CompiledCheck, combine_metrics, compile_checks, write_query
from segue.judge.sample import sample_failing
from segue.judge.verdict import judge_unmeasured
from segue.registry import load_check as load_registered
from segue.spec.contract import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segue.protocols import CheckKind, Session
    from segue.spec.contract import Contract, Measurement
    from segue.spec.types import TableSchema

_ROWS = "count(*)"


def measure_table(
    session: Session,
    table: str,
    contract: Contract,
    schema: TableSchema,
    load_check: Callable[[str], CheckKind] = load_registered,
) -> Report:
    """Measure every check of a contract and say what each came to.

    Args:
        session: Engine in which the table, and every table that its checks refer to, is bound
            under its own name.
        table: Name of the table.
        contract: What must be true of it; it speaks of this table.
        schema: The table's columns.
        load_check: Gives a check kind by its name.

    Returns:
        One measurement per check. A check that can't be measured has the verdict `error`
        and leaves the others alone.
    """
    gauge = _Gauge(session, table, private=bool(contract.sensitive))
    compiled = compile_checks(replace(contract, table=table), schema, load_check)
    shared, compiled = _measure_shared(gauge, compiled)
    measured = [_judge(gauge, one, shared) for one in compiled]
    broken = [one for one, found in zip(compiled, measured, strict=True) if found.failing]
    samples = sample_failing(session, table, broken, schema, contract.sensitive)
    finished = tuple(
        replace(found, table=table, sample=samples.get(found.check, ())) for found in measured
    )
    return Report(table, shared[_ROWS], finished)


@dataclass(frozen=True, slots=True)
class _Gauge:
    """What checks are measured with.

    Attributes:
        session: The engine.
        table: Name of the table.
        private: Whether values of the table must stay out of messages.
    """

    session: Session
    table: str
    private: bool


def _measure_shared(
    gauge: _Gauge, compiled: tuple[CompiledCheck, ...]
) -> tuple[dict[str, Any], tuple[CompiledCheck, ...]]:
    """Compute what checks share; those that the engine refuses come back with their problem."""
    try:
        return _fetch_expressions(gauge, combine_metrics(compiled)), compiled
    except StepError:
        tried = tuple(_try_alone(gauge, one) for one in compiled)
        # Each was measured by itself; together again, as a rule in one scan.
        return _fetch_expressions(gauge, combine_metrics(tried)), tried


def _try_alone(gauge: _Gauge, one: CompiledCheck) -> CompiledCheck:
    if not one.shared:
        return one
    query = write_query(one.shared, gauge.table)
    try:
        gauge.session.fetch(query)
    except StepError as error:
        return replace(one, problem=_explain(gauge, query, error))
    return one


def _fetch_expressions(gauge: _Gauge, expressions: Sequence[str]) -> dict[str, Any]:
    row = gauge.session.fetch(write_query(expressions, gauge.table))
    return {text: row.column(i)[0].as_py() for i, text in enumerate(expressions)}


def _judge(gauge: _Gauge, one: CompiledCheck, shared: Mapping[str, Any]) -> Measurement:
    rows = shared[_ROWS]
    if one.problem:
        return judge_unmeasured(one.check, rows, one.problem)
    query = one.measure if one.alone else write_query((one.measure,), gauge.table)
    try:
        if one.alone:
            value, query = _measure_alone(gauge, one, shared)
        else:
            value = shared[one.measure]
    except StepError as error:
        return judge_unmeasured(one.check, rows, _explain(gauge, query, error), query)
    if value is None:
        return judge_unmeasured(one.check, rows, "there is nothing to measure", query)
    return replace(one.kind.judge(one.check, value, rows), sql=query)


def _measure_alone(gauge: _Gauge, one: CompiledCheck, shared: Mapping[str, Any]) -> tuple[Any, str]:
    """Return what a check measures, and the query that told."""
    if one.screen:
        screen = one.screen.query([shared[fact] for fact in one.screen.facts])
        if screen is True:
            return 0, one.measure
        with suppress(StepError):  # what can't be screened is counted
            if screen and _fetch_value(gauge.session, screen) is True:
                return 0, screen
    return _fetch_value(gauge.session, one.measure), one.measure


def _fetch_value(session: Session, query: str) -> Any:
    return session.fetch(query).column(0)[0].as_py()


def _explain(gauge: _Gauge, query: str, error: StepError) -> str:
    """Say why a query failed; what fails while it runs may quote values of the table."""
    if gauge.private:
        try:
            gauge.session.describe(query)
        except StepError as refused:
            error = refused
        else:
            return "can't be measured: it fails on a value that is not shown (sensitive columns)"
    hint = f": {error.hint}" if error.hint else ""
    return f"can't be measured: {error.message}{hint}"
