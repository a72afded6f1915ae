"""``--report FORMAT[=FILE]``: what was found, for people, CI servers and pull requests."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from segue.errors import UsageError
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from segue.cli.call import Call
    from segue.judge.findings import Findings

FORMATS = ("terminal", "json", "junit", "markdown", "html", "github")
IN_GITHUB = "GITHUB_ACTIONS"
WORKSPACE = "GITHUB_WORKSPACE"


class Wanted(NamedTuple):
    """A report that is asked for.

    Attributes:
        format: One of `FORMATS`.
        path: The file; None for standard output.
    """

    format: str
    path: Path | None = None


def report_option(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--report``, which can be repeated; it gets a tuple of `Wanted`."""
    return click.option(
        "--report",
        "wanted",
        metavar="FORMAT[=FILE]",
        multiple=True,
        callback=_read_wanted,
        help=f"Report as {', '.join(FORMATS)}; to FILE, or to standard output. Can be repeated.",
    )(function)


def parse_wanted(text: str) -> Wanted:
    """Read ``format`` or ``format=file``.

    Raises:
        ValueError: There is no such format, or no file behind the sign.

    Example:
        >>> parse_wanted("junit=out.xml").format, parse_wanted("github").path
        ('junit', None)
    """
    name, equals, path = text.partition("=")
    if name not in FORMATS:
        raise ValueError(f"there is no report {name!r}: {nearest(name, FORMATS)}")
    if equals and not path:
        raise ValueError(f"{text!r} names no file")
    return Wanted(name, Path(path) if path else None)


def _read_wanted(
    _context: click.Context, _option: click.Parameter, texts: tuple[str, ...]
) -> tuple[Wanted, ...]:
    try:
        wanted = tuple(map(parse_wanted, texts))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if sum(each.path is None for each in wanted) > 1:
        raise click.BadParameter("only one report can go to standard output: give others a FILE")
    return wanted


def write_reports(call: Call, findings: Findings, wanted: Sequence[Wanted]) -> None:
    """Write each report that is asked for; a terminal's if none goes to standard output.

    Where GitHub Actions runs the command, it gets its annotations as well.

    Raises:
        UsageError: A file can't be written, or two reports would meet on standard output.
    """
    shown = [each.format for each in wanted if each.path is None]
    if call.as_json and shown:
        raise UsageError(
            "--json and a report would both go to standard output",
            hint=f"give the report a file: --report {shown[0]}=FILE",
        )
    shown = shown or ["json" if call.as_json else "terminal"]
    for each in wanted:
        if each.path is not None:
            _write_file(each.path, _write_text(findings, each.format))
    if shown[0] == "terminal":
        _render(call.out, findings)
    else:
        click.echo(_write_text(findings, shown[0]), nl=False)
    if os.environ.get(IN_GITHUB) == "true" and "github" not in {each.format for each in wanted}:
        # GitHub reads both streams, and what programs read stays on the other one
        click.echo(_write_text(findings, "github"), nl=False, err=True)


def find_folder(root: Path) -> str:
    """Return a project's folder as annotations name it: from the top of the repository."""
    top = Path(os.environ.get(WORKSPACE) or Path.cwd())
    try:
        inside = root.resolve().relative_to(top.resolve())
    except ValueError:
        return ""
    return "" if inside == Path() else inside.as_posix()


def _write_text(findings: Findings, name: str) -> str:
    """Return a report as text."""
    if name == "junit":
        from segue.judge.reports.junit import write_junit

        return write_junit(findings)
    if name == "markdown":
        from segue.judge.reports.markdown import write_markdown

        return write_markdown(findings)
    if name == "html":
        from segue.judge.reports.page import write_page

        return write_page(findings)
    if name == "github":
        from segue.judge.reports.github import write_github

        return write_github(findings)
    if name == "json":
        document = describe_findings(findings)
        return f"{json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)}\n"
    return _write_plain(findings)


def _write_plain(findings: Findings) -> str:
    """Return what a terminal would show, without colours."""
    from segue.cli.call import make_console

    stream = StringIO()
    _render(make_console(stream, color=False), findings)
    return stream.getvalue()


def describe_findings(findings: Findings) -> dict[str, Any]:
    """Return findings as plain values, for ``--json``."""
    from segue.cli.documents import describe_report

    tables = [
        {**describe_report(report), "owner": findings.owner(report.table)}
        for report in findings.reports
    ]
    return {
        "verdict": "fail" if findings.stops else "pass",
        "tables": tables,
        "alerts": [asdict(each) for each in findings.alerts],
    }


def _write_file(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror or error}") from error


def _render(console: Console, findings: Findings) -> None:
    from segue.cli.look import line, say
    from segue.cli.render_alerts import render_alerts
    from segue.cli.render_checks import render_judged, render_measurements, render_samples
    from segue.cli.wording import count

    measurements = findings.measurements
    if not measurements:
        say(console, line("Nothing to check: no contract names a table that has rows yet."))
        return
    words = [str(each.verdict) for each in measurements]
    total = f"{count(len(words), 'check')} of {count(len(findings.reports), 'table')}: "
    parts = [f"{words.count(word)} {word}" for word in ("pass", "warn", "fail", "error")]
    closing = total + ", ".join(part for part in parts if not part.startswith("0 "))
    say(
        console,
        render_measurements(measurements),
        *render_samples(findings.reports),
        line(""),
        *render_alerts(findings.alerts),
        line(closing),
        *render_judged(findings.reports),
    )
