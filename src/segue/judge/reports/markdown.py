"""A report as Markdown, for comments on pull requests: what is not well, and what passed in a line.

Data stands in code blocks, or is escaped so that it is text and nothing else: no mark-up, no
link, and nobody is mentioned.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from segue.judge.findings import is_well, sort_worst_first, tell_counts, tell_verdict
from segue.judge.reports.lines import tell_row
from segue.spec.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.judge.findings import Findings
    from segue.spec.contract import Measurement, Report

MOST = 60_000
"""Characters at most: GitHub refuses comments that are longer than 65,536."""
_CELL = 400
_ROWS = 5
_SIGNS = re.compile(r"([\\`*_\[\]#|~$])")
_LINKS = re.compile(r"(@|://|www\.|#)(?=\w)")
"""What mentions people or links addresses unless a space of no width stands after it."""
_MARKS = {"pass": "✓", "warn": "!", "set aside": "!", "fail": "✗", "error": "✗"}


def write_markdown(findings: Findings) -> str:
    """Return findings as Markdown."""
    bad = [found for found in findings.measurements if not is_well(found)]
    sign = "✗" if findings.stops else "!" if bad else "✓"
    time = f", {findings.at[:16].replace('T', ' ')} UTC" if findings.at else ""
    parts = [f"## {sign} {escape(findings.subject)}: {tell_counts(findings.measurements)}{time}\n"]
    size, left = len(parts[0]), 0
    for report in findings.reports:
        for part in _write_table(findings, report):
            if size + len(part) > MOST:
                left += 1
                continue
            parts.append(part)
            size += len(part)
    if left:
        parts.append(f"\n{left:,} more parts are left out here: they would make it too long.\n")
    return "".join(parts)


def _write_table(findings: Findings, report: Report) -> Iterator[str]:
    bad = sort_worst_first([found for found in report.measurements if not is_well(found)])
    owner = findings.owner(report.table)
    told = f"{tell_counts(report.measurements)}, on {report.rows:,} rows"
    yield f"\n**{escape(report.table)}**: {told}{f', owner {escape(owner)}' if owner else ''}\n"
    if not bad:
        return
    yield "\n| | check | failing | what was found |\n| --- | --- | ---: | --- |\n"
    for found in bad:
        failing = "" if found.failing is None else f"{found.failing:,}"
        lines = [_write_message(found.message), *map(escape, found.shared)]
        word = tell_verdict(found)
        cells = (f"{_MARKS[word]} {word}", escape(found.check), failing, "<br>".join(lines))
        yield f"| {' | '.join(cells)} |\n"
    for found in bad:
        yield from _write_sample(found)


def _write_sample(found: Measurement) -> Iterator[str]:
    if not found.sample:
        return
    rows = [printable(tell_row(found, row)) for row in found.sample[:_ROWS]]
    runs = re.findall("`+", "\n".join(rows))
    fence = "`" * max(3, *(len(run) + 1 for run in runs), 3)
    summary = f"Rows that break {_escape_tag(_cut(printable(found.check)))}"
    yield f"\n<details><summary>{summary}</summary>\n\n{fence}text\n"
    yield "\n".join(rows) + f"\n{fence}\n\n</details>\n"


def _write_message(message: str) -> str:
    """Return a message as one cell; what it has in backticks is code."""
    parts = _cut(message).split("`")
    if len(parts) != 3 or not parts[1].strip():  # noqa: PLR2004  # before, code, after
        return escape("`".join(parts))
    code = printable(parts[1]).replace("|", "\\|")
    return f"{escape(parts[0])}`{code}`{escape(parts[2])}"


def escape(text: str) -> str:
    r"""Return any text as Markdown that shows just that text, in one line.

    Example:
        >>> escape("<b>*a*|b\n@all")
        '&lt;b&gt;\\*a\\*\\|b\\\\n@\u200ball'
    """
    return _escape_tag(_SIGNS.sub(r"\\\1", _cut(printable(text))))


def _escape_tag(text: str) -> str:
    """Return text for the inside of a tag, where Markdown's signs mean nothing."""
    return _LINKS.sub("\\1\u200b", html.escape(text, quote=False))


def _cut(text: str) -> str:
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"
