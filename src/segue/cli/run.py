"""``segue run``: run, check, publish, record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from segue.cli.call import Call, common_options
from segue.cli.documents import describe_result
from segue.cli.group import Command
from segue.cli.selection import selection_options
from segue.spec.run import RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.project import Project, TableInfo
    from segue.spec.run import RunResult
    from segue.spec.step import Scalar


def _read_size(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    from segue.settings import parse_size

    try:
        return None if text is None else parse_size(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(
    "run",
    cls=Command,
    examples=[
        ("segue run", "everything that is not up to date"),
        ("segue run +daily", "the step daily, and what it needs"),
        ("segue run daily --force", "daily, even if it is up to date"),
        ("segue run -p forecast.horizon=7", "with another value of a setting, for this time"),
        ("segue run --since 2h", "also what last ran before two hours ago"),
    ],
)
@selection_options
@click.option("--threads", type=click.IntRange(min=1), help="Most threads of the place local.")
@click.option(
    "--memory",
    metavar="SIZE",
    callback=_read_size,
    help="Most memory of the place local, such as 2GB; the rest goes to temporary files.",
)
@common_options
def run_steps(
    call: Call,
    *,
    select: tuple[str, ...],
    force: bool,
    since: str | None,
    params: dict[str, Scalar],
    threads: int | None,
    memory: int | None,
) -> None:
    """Run what is not up to date, check it, publish it all at once.

    SELECT names steps: daily (it alone), +daily (with what it needs), daily+ (with what
    depends on it), tag:x; all steps if none is named. If anything fails, nothing is published
    and the exit code is 1.
    """
    options: dict[str, Any] = {"force": force, "since": since, "params": params}
    options |= {"threads": threads, "memory": memory}
    with call.open_project() as project:
        result = _run(call, project, select, options)
        published = [
            info for info in project.tables() if result.run_id and info.run_id == result.run_id
        ]
        if call.as_json:
            call.print_json(describe_result(result, project.workspace.project, published))
        else:
            _show(call, project, result, published)
    if result.status is not RunStatus.DONE:
        raise click.exceptions.Exit(1)


def _run(
    call: Call, project: Project, select: tuple[str, ...], options: dict[str, Any]
) -> RunResult:
    """Run with progress on the console; with ``--json`` in silence."""
    command = click.get_current_context().obj or "segue run"
    if call.as_json:
        return project.run(*select, **options, command=command, check=False)
    from segue.cli.progress import make_reporter

    with make_reporter(call.out, project.workspace.project.steps) as reporter:
        return project.run(*select, **options, listener=reporter, command=command, check=False)


def _show(call: Call, project: Project, result: RunResult, published: Sequence[TableInfo]) -> None:
    from segue.cli.look import say
    from segue.cli.render_run import render_result

    names = [info.name for info in published]
    say(call.out, *render_result(result, project.workspace.project, names))
