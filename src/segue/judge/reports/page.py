"""A report as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.frames.html import Markup, join_markup, write_text
from segue.judge.findings import (
    count_verdicts,
    is_well,
    sort_worst_first,
    tell_counts,
    tell_verdict,
)
from segue.judge.reports.charts import KINDS, draw_counts, draw_history, draw_segments, draw_share
from segue.judge.reports.style import STYLE
from segue.judge.verdict import write_share
from segue.spec.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.judge.findings import Findings
    from segue.spec.contract import Measurement, Report

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_LONGEST = 80
"""Characters of a value that are shown; the rest shows where one points at it."""
_SIGNS = {"pass": "✓", "warn": "!", "set aside": "!", "fail": "✗", "error": "✗"}


def write_page(findings: Findings) -> str:
    """Return findings as an HTML page: what is not well in full, what passed in a list."""
    order = sort_worst_first(findings.measurements)
    ranks = {found.table: place for place, found in reversed(list(enumerate(order)))}
    reports = sorted(findings.reports, key=lambda each: ranks.get(each.table, len(order)))
    time = f"{findings.at[:16].replace('T', ' ')} UTC · " if findings.at else ""
    told = f"{time}{_count_tables(len(reports))}, {tell_counts(findings.measurements)}"
    body = [
        f"<h1>{_show(findings.subject)}</h1>",
        f'<p class="soft">{told}</p>',
        draw_counts(count_verdicts(findings.measurements)),
        *(_write_table(findings, report) for report in reports),
        "<footer>Written by segue. Values of sensitive columns are left out.</footer>",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{write_text(printable(findings.subject))}: checks</title>"
        f"<style>{STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _count_tables(count: int) -> str:
    return f"{count:,} table{'' if count == 1 else 's'}"


def _show(value: object) -> Markup:
    """Return a value that came with the data as HTML, in its own direction of writing."""
    return Markup(f"<bdi>{write_text(printable(str(value)))}</bdi>")


def _write_pill(found: Measurement) -> str:
    word = tell_verdict(found)
    return f'<span class="pill {KINDS[word]}">{_SIGNS[word]} {word}</span>'


def _write_table(findings: Findings, report: Report) -> str:
    bad = sort_worst_first([found for found in report.measurements if not is_well(found)])
    well = [found for found in report.measurements if is_well(found)]
    facts = [f"{report.rows:,} rows", tell_counts(report.measurements)]
    if owner := findings.owner(report.table):
        facts.append(f"owner {owner}")
    told = _show(" · ".join(facts))
    title = f"<h2>{_show(report.table)}</h2>"
    parts = [f'<header>{title}<span class="soft">{told}</span></header>']
    parts.append(draw_counts(count_verdicts(report.measurements)))
    parts += [_write_check(findings, found) for found in bad]
    if well:
        rows = "".join(_write_passed(findings, found) for found in well)
        noun = "check passes" if len(well) == 1 else "checks pass"
        parts.append(
            f"<article><details{'' if bad else ' open'}><summary>{len(well):,} {noun}</summary>"
            f'<div class="scroll"><table>{rows}</table></div></details></article>'
        )
    return f"<section>{''.join(parts)}</section>"


def _write_passed(findings: Findings, found: Measurement) -> str:
    cells = (_show(found.check), _write_message(found), draw_history(findings.history(found)))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _write_check(findings: Findings, found: Measurement) -> str:
    return f"<article>{''.join(_write_parts(findings, found))}</article>"


def _write_parts(findings: Findings, found: Measurement) -> Iterator[str]:
    where = findings.locate(found)
    place = f'<span class="soft">{_show(where)}</span>' if where and where.path else ""
    yield f"<header>{_write_pill(found)}<h3>{_show(found.check)}</h3>{place}</header>"
    aside = " The rows are set aside." if found.rejected else ""
    yield f"<p>{_write_message(found)}{aside}</p>"
    if found.failing and found.rows and not found.segments:
        bar = draw_share(found.failing, found.rows, KINDS[tell_verdict(found)])
        share = write_share(found.failing, found.rows)
        yield f'<div class="measured">{bar}<span>{share}</span></div>'
    if found.shared:
        yield f"<ul>{''.join(f'<li>{_show(line)}</li>' for line in found.shared)}</ul>"
    if found.segments:
        yield draw_segments(found.segments)
    yield draw_history(findings.history(found))
    if found.sample:
        yield _write_sample(found)
    if found.sql:
        yield f"<details><summary>SQL</summary><pre>{_show(found.sql)}</pre></details>"


def _write_message(found: Measurement) -> Markup:
    """Return a message; what it has in backticks is code."""
    parts = found.message.split("`")
    if len(parts) != 3:  # noqa: PLR2004  # before, code, after
        return _show(found.message)
    before, code, after = parts
    return join_markup([_show(before), Markup(f"<code>{_show(code)}</code>"), _show(after)], "")


def _write_sample(found: Measurement) -> str:
    names = list(found.sample[0])
    head = "".join(
        f"<th{' class=checked' if name in found.columns else ''}>{_show(name)}</th>"
        for name in names
    )
    rows = "".join(
        f"<tr>{''.join(f'<td>{_write_value(row.get(name))}</td>' for name in names)}</tr>"
        for row in found.sample
    )
    return (
        f"<details open><summary>Rows that break it, {len(found.sample)} of them</summary>"
        f'<div class="scroll"><table class="sample"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _write_value(value: object) -> str:
    if value is None:
        return '<span class="soft">null</span>'
    text = str(value)
    if len(text) <= _LONGEST:
        return _show(text)
    whole = write_text(printable(text)).replace('"', "&quot;")
    return f'<span title="{whole}">{_show(text[: _LONGEST - 1])}…</span>'
