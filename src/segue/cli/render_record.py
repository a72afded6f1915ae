"""The record of a run, told to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from segue.cli.look import QUIET, Block, cell, facts, line, make_table, status
from segue.cli.render_alerts import render_alerts
from segue.cli.render_checks import render_measurements, render_samples
from segue.cli.render_error import render_failure
from segue.cli.wording import age, count, duration, listing
from segue.record.query import RecordSummary, StepSummary, summarize_record
from segue.spec.alerts import Delivery
from segue.spec.contract import Measurement, Report, Verdict
from segue.spec.run import StepFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType


def render_record(record: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Go through the parts of a run's record."""
    summary = summarize_record(record)
    yield line(("run ", QUIET), (summary.run_id, "bold"), "  ", status(summary.status).plain)
    yield facts(_facts(summary, record))
    yield Text("")
    planned = {each["step"] for each in record.get("plan", ())}
    # A source is worth a line only if it was judged, or something was wrong with it.
    yield _render_steps(
        [s for s in summary.steps if s.step in planned or s.verdicts or s.status != "done"]
    )
    for step in record.get("steps", ()):
        yield from _render_trouble(step)
    if alerts := record.get("alerts", ()):
        yield Text("")
        yield from render_alerts([_delivery(each) for each in alerts])
    told = any(step.get("failure") for step in record.get("steps", ()))
    if summary.error and not told:
        yield Text("")
        yield Block(summary.error, indent=0)


def _facts(summary: RecordSummary, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    software = record.get("software", {})
    engine = software.get("engine", {})
    settings = record.get("parameters", {})
    yield "asked", summary.command
    yield "by", summary.who
    took = "" if summary.seconds is None else f", took {duration(summary.seconds)}"
    yield (
        "started",
        f"{summary.started_at[:19].replace('T', ' ')} UTC ({age(summary.started_at)}){took}",
    )
    yield "snapshot", "none published" if summary.snapshot is None else str(summary.snapshot)
    yield "settings", listing([f"{name}={value}" for name, value in settings.items()], most=20)
    yield "engine", " ".join(str(engine[key]) for key in ("name", "version") if key in engine)
    yield "Python", str(software.get("python", ""))


def _render_steps(steps: Sequence[StepSummary]) -> RenderableType:
    rows = []
    for each in steps:
        cells = [
            cell(each.step),
            status(each.status),
            cell("" if each.rows_read is None else f"{each.rows_read:,}"),
            cell("" if each.rows_made is None else f"{each.rows_made:,}"),
            cell(f"{each.rows_rejected:,}" if each.rows_rejected else ""),
            cell(duration(each.seconds) if each.seconds else ""),
            cell(_tell_checks(each)),
            cell(each.reason.partition("\n")[0], QUIET),
        ]
        rows.append(cells)
    numbers = ["rows in", "rows out", "set aside", "time"]
    columns = ["step", "status", *numbers, "checks", "why"]
    return make_table(columns, rows, numbers=numbers, wrap=["why"])


def _tell_checks(step: StepSummary) -> str:
    total, passed = sum(step.verdicts.values()), step.verdicts.get("pass", 0)
    return "" if not total else f"{passed} of {total} pass" if passed < total else f"{total} pass"


def _render_trouble(step: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Go through what went wrong in a step, if anything did."""
    if failure := step.get("failure"):
        yield Text("")
        yield from render_failure(step["step"], StepFailure(**failure))
    measurements = tuple(
        _measurement(step["step"], each)
        for each in step.get("measurements", ())
        if each["verdict"] != Verdict.PASS
    )
    if measurements:
        yield Text("")
        yield line((step["step"], "bold"), f"  {count(len(measurements), 'check')} did not pass")
        yield render_measurements(measurements)
        yield from render_samples([Report(step["step"], 0, measurements)])


def _delivery(told: Mapping[str, Any]) -> Delivery:
    checks = tuple((table, check) for table, check in told["checks"])
    return Delivery(told["channel"], told["title"], checks, told["problem"])


def _measurement(table: str, told: Mapping[str, Any]) -> Measurement:
    return Measurement(
        table=table,
        check=told["check"],
        kind=told["kind"],
        columns=tuple(told.get("columns", ())),
        verdict=Verdict(told["verdict"]),
        rows=told["rows"],
        failing=told["failing"],
        message=told["message"],
        sample=tuple(told.get("sample", ())),
        shared=tuple(told.get("shared", ())),
        rejected=told["rejected"],
    )
