"""Measure a table against its contract, in about one scan."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from segue.judge.answers import SQL, answer_checks
from segue.judge.by_value import count_by_value
from segue.judge.compile import ROWS, CompiledCheck, compile_checks, is_folded, write_query
from segue.judge.failures import look_into_failing
from segue.judge.gather import REFUSALS, Gauge, gather_shared
from segue.judge.history.anomaly_verdict import judge_anomaly
from segue.judge.reports import shown as _report_html  # noqa: F401  # how notebooks show reports
from segue.judge.segments import judge_segments
from segue.judge.slices import bind_slices
from segue.judge.verdict import judge_unmeasured
from segue.protocols import Context, Scene
from segue.registry import load_check as load_registered
from segue.spec.contract import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segue.judge.gather import Found
    from segue.protocols import CheckKind, Session
    from segue.spec.contract import Contract, Measurement
    from segue.spec.types import TableSchema


def measure_table(
    session: Session,
    table: str,
    contract: Contract,
    schema: TableSchema,
    load_check: Callable[[str], CheckKind] = load_registered,
    context: Context | None = None,
) -> Report:
    """Measure every check of a contract and say what each came to.

    Args:
        session: Engine in which the table, and every table that its checks refer to, is bound
            under its own name.
        table: Name of the table.
        contract: What must be true of it; it speaks of this table.
        schema: The table's columns.
        load_check: Gives a check kind by its name.
        context: What is known beside the table: the time, what was before.

    Returns:
        One measurement per check. A check that can't be measured has the verdict `error`
        and leaves the others alone.
    """
    context = context or Context()
    compiled = compile_contract(session, table, contract, schema, load_check, context)
    hidden = contract.sensitive.among(schema.names)
    gauge = make_gauge(session, table, compiled, schema, context, private=bool(hidden))
    found = gather_shared(gauge, compiled)
    judge = _Judge(gauge, schema, context, frozenset(hidden))
    measured = [judge.judge(one, found) for one in found.compiled]
    judged = list(zip(found.compiled, measured, strict=True))
    samples, shared = look_into_failing(session, table, judged, schema, hidden)
    finished = tuple(
        replace(
            each,
            table=table,
            sample=samples.get(each.check, each.sample),
            shared=shared.get(each.check, each.shared),
        )
        for each in measured
    )
    return Report(table, found.rows, finished)


def make_gauge(
    session: Session,
    table: str,
    compiled: Sequence[CompiledCheck],
    schema: TableSchema,
    context: Context,
    *,
    private: bool,
) -> Gauge:
    """Return what checks are measured with, knowing already what costs little to know."""
    known = answer_checks(session, table, compiled, schema, context.files)
    counted = count_by_value(session, table, compiled, schema, known)
    answers = known | {text: value for text, (value, _) in counted.items()}
    sources = dict.fromkeys(known, SQL) | {text: query for text, (_, query) in counted.items()}
    return Gauge(session, table, private, answers, sources)


def compile_contract(
    session: Session,
    table: str,
    contract: Contract,
    schema: TableSchema,
    load_check: Callable[[str], CheckKind],
    context: Context,
) -> tuple[CompiledCheck, ...]:
    """Return the SQL of every check, and give names to the parts of the table that they look at."""
    slices = [
        check.slice for check in contract.checks if not is_folded(check, load_check(check.kind))
    ]
    sources, refused = bind_slices(session, table, slices, schema, context)
    contract = replace(contract, table=table)
    return compile_checks(contract, schema, load_check, sources, context, refused)


class _Judge:
    """Says what each check came to."""

    def __init__(
        self, gauge: Gauge, schema: TableSchema, context: Context, sensitive: frozenset[str]
    ) -> None:
        self.gauge = gauge
        self.schema = schema
        self.context = context
        self.sensitive = sensitive

    def judge(self, one: CompiledCheck, found: Found) -> Measurement:
        """Return a check's measurement, with the time that it took."""
        began = perf_counter()
        measured = self._judge(one, found)
        own = perf_counter() - began
        context = self.context
        measured = judge_anomaly(one.check, measured, context.past, context.moment)
        return replace(measured, seconds=round(own + found.seconds(one), 6))

    def _judge(self, one: CompiledCheck, found: Found) -> Measurement:
        if one.problem:
            return judge_unmeasured(one.check, found.rows, one.problem)
        if one.by:
            return judge_segments(one, found.table(one), self.sensitive)
        rows = found.value(one, one.rows)
        if one.inspects:
            return self._inspect(one, found.count(one.source))
        query = one.measure if one.alone else write_query((one.measure,), one.source)
        try:
            if one.alone:
                value, query = self._measure_alone(one, found)
            else:
                value = found.value(one, one.measure)
        except REFUSALS as error:
            problem = self._probe(one) or self.gauge.explain(query, error)
            return judge_unmeasured(one.check, rows, problem, query)
        if value is None:
            return judge_unmeasured(one.check, rows, "there is nothing to measure", query)
        query = self.gauge.find_source(one) or query
        return replace(one.kind.judge(one.check, value, rows), sql=query)

    def _probe(self, one: CompiledCheck) -> str:
        """Say what another table lacks, if it is that for which a check can't be measured."""
        probe: Any = getattr(one.kind, "probe", None)
        query = probe(one.check) if probe is not None else ""
        try:
            if query:
                self.gauge.session.describe(query)
        except REFUSALS as error:
            told = self.gauge.explain(query, error).partition(": ")
            return f"{told[0]}: in {', '.join(one.check.tables)} {told[2]}"
        return ""

    def _inspect(self, one: CompiledCheck, rows: int) -> Measurement:
        hidden = self.context.sensitive
        secret = self.sensitive.union(*(hidden.get(name, ()) for name in one.check.tables))
        gauge = replace(self.gauge, private=bool(secret))
        scene = Scene(gauge.session, one.source, self.schema, rows, self.context, secret)
        inspect: Any = getattr(one.kind, "inspect", None)
        try:
            measured: Measurement = inspect(one.check, scene)
        except REFUSALS as error:
            problem = gauge.explain("", error)
        except ValueError as error:
            problem = str(error)
        else:
            return measured
        return judge_unmeasured(one.check, rows, problem, str(one.check.arguments.get("sql", "")))

    def _measure_alone(self, one: CompiledCheck, found: Found) -> tuple[Any, str]:
        """Return what a check measures, and the query that told."""
        if one.screen:
            screen = one.screen.query([found.value(one, fact) for fact in one.screen.facts])
            if screen is True:
                return one.screen.kept, write_query(one.screen.facts or (ROWS,), one.source)
            with suppress(*REFUSALS):  # what can't be screened is counted
                if screen and self.gauge.fetch_value(screen) is True:
                    return one.screen.kept, screen
        return self.gauge.fetch_value(one.measure), one.measure
