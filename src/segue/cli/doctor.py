"""``segue doctor``: what could go wrong on this machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.cli.diagnose import Finding


@click.command(
    "doctor",
    cls=Command,
    examples=[
        ("segue doctor", "look at Python, libraries, disk, project, lake and ledger"),
        ("segue doctor --json", "the same, to send along with a report"),
    ],
)
@common_options
def diagnose_all(call: Call) -> None:
    """Look for what could go wrong on this machine.

    Nothing is changed. The exit code is 1 if something is wrong.
    """
    from segue.cli.diagnose import diagnose

    findings = tuple(diagnose(call.start))
    failed = any(finding.verdict == "fail" for finding in findings)
    if call.as_json:
        answers = [asdict(finding) for finding in findings]
        call.print_json({"verdict": "fail" if failed else "ok", "findings": answers})
    else:
        _print_findings(call, findings)
    if failed:
        raise click.exceptions.Exit(1)


def _print_findings(call: Call, findings: Sequence[Finding]) -> None:
    from rich.text import Text

    from segue.cli.look import cell, line, make_table, say, verdict
    from segue.cli.wording import count

    rows = []
    for finding in findings:
        found = cell(finding.message)
        if finding.hint:
            found = Text("\n").join([found, line(("next: ", "cyan"), finding.hint)])
        rows.append([verdict(finding.verdict), cell(finding.name), found])
    table = make_table(["", "looked at", "found"], rows, wrap=["found"])
    bad = [finding for finding in findings if finding.verdict != "ok"]
    closing = f"{count(len(bad), 'thing')} to look at." if bad else "All is well."
    say(call.out, table, line(""), line(closing))
