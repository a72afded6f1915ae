"""A report as GitHub Actions' workflow commands: notes at the lines of contracts."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from segue.judge.findings import is_well, sort_worst_first
from segue.judge.reports.lines import SHOWN_ROWS, tell_row
from segue.spec.contract import Verdict
from segue.spec.printable import printable

if TYPE_CHECKING:
    from segue.judge.findings import Findings
    from segue.spec.contract import Measurement

_DATA: dict[str, str | int | None] = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: dict[str, str | int | None] = {**_DATA, ":": "%3A", ",": "%2C"}


def write_github(findings: Findings) -> str:
    """Return a workflow command for each check that is not well, worst first."""
    bad = [found for found in findings.measurements if not is_well(found)]
    return "".join(f"{_write_command(findings, found)}\n" for found in sort_worst_first(bad))


def _write_command(findings: Findings, found: Measurement) -> str:
    stops = found.verdict in (Verdict.FAIL, Verdict.ERROR) and not found.rejected
    facts = {"title": f"{found.table}: {found.check}"}
    where = findings.locate(found)
    if where is not None and where.path:
        facts = {"file": str(PurePosixPath(findings.folder) / where.path), **facts}
        if where.line is not None:
            facts["line"] = str(where.line)
    lines = [found.message, *found.shared]
    lines += [f"such as {tell_row(found, row)}" for row in found.sample[:SHOWN_ROWS]]
    if owner := findings.owner(found.table):
        lines.append(f"owner: {owner}")
    told = ",".join(f"{name}={_escape(value, _PROPERTY)}" for name, value in facts.items())
    message = "%0A".join(_escape(line, _DATA) for line in lines)
    return f"::{'error' if stops else 'warning'} {told}::{message}"


def _escape(text: str, signs: dict[str, str | int | None]) -> str:
    return printable(text).translate(str.maketrans(signs))
