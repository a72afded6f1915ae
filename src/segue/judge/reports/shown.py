"""What was measured, as notebooks show it."""

from __future__ import annotations

from segue.frames.html import Markup, join_markup, write_block, write_grid, write_text
from segue.judge.reports.lines import SHOWN_ROWS, tell_row
from segue.spec.contract import Measurement, Report, Verdict
from segue.spec.shown import write_html

VERDICTS = {
    Verdict.PASS: ("✓ pass", "good"),
    Verdict.WARN: ("! warn", "warn"),
    Verdict.FAIL: ("✗ fail", "bad"),
    Verdict.ERROR: ("✗ error", "bad"),
}
"""How each verdict is written, and in which colour."""


@write_html.register
def write_report(report: Report) -> str:
    """Return a report as HTML."""
    return write_block(*write_reports([report]))


def write_reports(reports: list[Report]) -> list[Markup]:
    """Return a headline for each report, and a table of its checks, worst first."""
    parts: list[Markup] = []
    for report in reports:
        count = len(report.measurements)
        told = f"{count} {'check' if count == 1 else 'checks'} on {report.rows:,} rows"
        name = Markup(f"<b>{write_text(report.table)}</b>")
        parts.append(join_markup([write_verdict(report.verdict), name, write_text(told, "soft")]))
        if count:
            order = list(Verdict)
            found = sorted(report.measurements, key=lambda one: -order.index(one.verdict))
            header = ("check", "verdict", "failing", "what was found")
            parts.append(write_grid(header, map(_write_measurement, found), numbers=[2]))
    return parts


def write_verdict(verdict: Verdict) -> Markup:
    """Return a verdict in its colour, and in words."""
    return write_text(*VERDICTS[verdict])


def _write_measurement(found: Measurement) -> list[object]:
    failing = "" if found.failing is None else f"{found.failing:,}"
    lines: list[object] = [found.message]
    if found.rejected:
        lines.append("the rows are set aside")
    lines += found.shared
    sample = found.sample[:SHOWN_ROWS]
    lines += [write_text(f"such as {tell_row(found, row)}", "soft") for row in sample]
    verdict = write_verdict(found.verdict)
    return [found.check, verdict, failing, join_markup(filter(None, lines), "\n")]
