"""``segue lineage``: what tables and columns are made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options, picture_option
from segue.cli.complete import complete_table
from segue.cli.group import Command
from segue.errors import UsageError

if TYPE_CHECKING:
    from segue.project import Project
    from segue.record.lineage import Lineage


@click.command(
    "lineage",
    cls=Command,
    examples=[
        ("segue lineage", "all tables, each with what it is made from"),
        ("segue lineage daily", "what daily is made from, and what is made from it"),
        ("segue lineage daily.amount", "the same for one column"),
        ("segue lineage --mermaid", "as a flowchart, for Markdown"),
        ("segue lineage daily --svg daily.svg", "as a picture"),
    ],
)
@click.argument(
    "subject",
    required=False,
    metavar="[TABLE|TABLE.COLUMN]",
    shell_complete=complete_table,
)
@click.option("--mermaid", is_flag=True, help="Answer as a Mermaid flowchart.")
@picture_option
@common_options
def show_lineage(call: Call, *, subject: str | None, mermaid: bool, picture: Path | None) -> None:
    """Show what tables and columns are made from.

    A Python step does not say which column it makes from which: there all columns of its
    inputs count.
    """
    if mermaid + bool(picture) + call.as_json > 1:
        raise UsageError(
            "--mermaid, --svg and --json exclude each other", hint="choose one of them"
        )
    with call.open_project() as project:
        graph = _find(project, subject)
    from segue.record import draw

    if call.as_json:
        call.print_json({"subject": subject, **draw.lineage_to_json(graph)})
    elif mermaid:
        click.echo(draw.draw_mermaid(graph))
    elif picture is not None:
        _draw(call, graph, picture, subject)
    else:
        _print_trees(call, graph, subject)


def _find(project: Project, subject: str | None) -> Lineage:
    graph = project.lineage()
    if subject is None:
        return graph
    if "." in subject and all(node.name != subject for node in graph.nodes):
        return project.column_lineage(subject).graph
    return graph.around(subject)


def _draw(call: Call, graph: Lineage, picture: Path, subject: str | None) -> None:
    from segue.cli.look import line, say
    from segue.record.svg import draw_svg

    title = f"Lineage of {subject}" if subject else "Lineage"
    try:
        picture.write_text(draw_svg(graph, title), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{picture} can't be written: {error.strerror}", hint="name a file in another folder"
        ) from error
    say(call.out, line(f"Written: {picture}"))


def _print_trees(call: Call, graph: Lineage, subject: str | None) -> None:
    from segue.cli.look import QUIET, Block, line, say
    from segue.record.draw import draw_tree

    if not graph.nodes:
        say(call.out, line("The project has no tables yet."))
        return
    if subject is None:
        say(call.out, Block(draw_tree(graph), indent=0))
        return
    say(call.out, line(("made from", QUIET)), Block(draw_tree(graph.upstream(subject), subject)))
    onward = graph.downstream(subject)
    if len(onward.nodes) > 1:
        tree = Block(draw_tree(onward, subject, onward=True))
        say(call.out, line(""), line(("goes into", QUIET)), tree)
