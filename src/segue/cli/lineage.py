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
        hidden = _find_sensitive(project, graph)
    from segue.record import draw

    if call.as_json:
        call.print_json({"subject": subject, **draw.lineage_to_json(graph), "sensitive": hidden})
    elif mermaid:
        click.echo(draw.draw_mermaid(graph))
    elif picture is not None:
        _draw(call, graph, picture, subject)
    else:
        _print_trees(call, graph, subject)
        _print_sensitive(call, hidden)


def _find(project: Project, subject: str | None) -> Lineage:
    graph = project.lineage()
    if subject is None:
        return graph
    if "." in subject and all(node.name != subject for node in graph.nodes):
        return project.column_lineage(subject).graph
    return graph.around(subject)


def _find_sensitive(project: Project, graph: Lineage) -> dict[str, list[str]]:
    """Return the sensitive columns of a lineage, and the marked ones that they are made from."""
    found = {}
    for node in graph.nodes:
        table, _, column = node.name.partition(".")
        if why := project.spec.hidden(table).why(column) if column else ():
            found[node.name] = list(why)
    return found


def _print_sensitive(call: Call, hidden: dict[str, list[str]]) -> None:
    from segue.cli.look import QUIET, facts, line, say

    if hidden:
        told = [
            (name, f"from {', '.join(w)}" if w != [name] else "marked")
            for name, w in hidden.items()
        ]
        say(call.out, line(""), line(("sensitive", QUIET)), facts(told))


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
