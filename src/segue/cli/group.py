"""The group ``segue``: every command by name, imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from segue import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence


class Entry(NamedTuple):
    """Where a command lives, and what the list of commands says of it.

    Attributes:
        target: ``module:function`` below ``segue.cli``.
        help: First sentence of the command's own help.
    """

    target: str
    help: str


COMMANDS = {
    "new": Entry("new:write_project", "Write a small working project into a new folder."),
    "plan": Entry("plan:show_plan", "Show what a run would do, step by step, and why."),
    "run": Entry("run:run_steps", "Run what is not up to date, check it, publish it all at once."),
    "check": Entry("check:check_tables", "Check a project's tables, or any data, by contracts."),
    "profile": Entry("profile:show_profile", "Describe every column of a table, or of any data."),
    "suggest": Entry("suggest:show_suggestion", "Suggest a contract from what is in any data."),
    "alerts": Entry(
        "alerts:show_alerts", "Show where alerts go and what was told, or send a test message."
    ),
    "contracts": Entry(
        "contracts:contracts", "Take contracts over from other tools, or write them for others."
    ),
    "checks": Entry("checks:checks", "Look at what checks measured over time."),
    "read": Entry("read:read_table", "Show the rows of a table."),
    "query": Entry("query:query_tables", "Run a SELECT over published tables and sources."),
    "tables": Entry("tables:list_tables", "List the project's tables."),
    "show": Entry("show:show_subject", "Show all that is known of a table or of a run."),
    "lineage": Entry("lineage:show_lineage", "Show what tables and columns are made from."),
    "runs": Entry("runs:list_runs", "List runs, the newest first."),
    "recover": Entry("recover:recover_runs", "Finish or discard what a dead run left behind."),
    "vacuum": Entry("vacuum:remove_files", "Remove files that no kept snapshot needs."),
    "agent": Entry("agent:agent", "Make this machine a node of a fleet, and run its part."),
    "hub": Entry("hub:hub", "Run a project's hub, and let nodes and operators in."),
    "nodes": Entry("nodes:list_nodes", "List the nodes of a fleet, and what happened to them."),
    "node": Entry("nodes:node", "Look at one node of a fleet, or forget it."),
    "deploy": Entry("deploy:deploy", "Sign what nodes shall run, and bring it to the hub."),
    "deployments": Entry("deployments:deployments", "List what was deployed, and where it runs."),
    "rollback": Entry(
        "deployments:rollback", "Deploy earlier content again, at once, as a new number."
    ),
    "doctor": Entry("doctor:diagnose_all", "Look for what could go wrong on this machine."),
}
"""All commands, in the order in which one meets them."""


class CommandGroup(click.Group):
    """A group that imports a command when it is invoked, or for its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Import a command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, function = entry.target.partition(":")
        command: click.Command = getattr(import_module(f"segue.cli.{module}"), function)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is named first, or the nearest to it."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from segue.registry import nearest

            ctx.fail(f"there is no command {args[0]!r}: {nearest(args[0], list(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


class Command(click.Command):
    """A command whose help ends with examples."""

    def __init__(self, *args: Any, examples: Sequence[tuple[str, str]], **options: Any) -> None:
        """Keep the examples: what to type, and what it is for."""
        super().__init__(*args, **options)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write the examples below the options."""
        _write_examples(self.examples, formatter)


class CommandFamily(click.Group):
    """Commands below a common word; their examples are its own."""

    @property
    def examples(self) -> tuple[tuple[str, str], ...]:
        """What to type, and what it is for: all commands' examples."""
        members = (getattr(command, "examples", ()) for command in self.commands.values())
        return tuple(example for examples in members for example in examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write the examples below the commands."""
        _write_examples(self.examples, formatter)


def _write_examples(examples: Sequence[tuple[str, str]], formatter: click.HelpFormatter) -> None:
    with formatter.section("Examples"):
        for typed, meaning in examples:
            formatter.write(f"{'':{formatter.current_indent}}{typed}\n")
            with formatter.indentation():
                formatter.write_text(meaning)


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 a check or a run failed, 2 the project or the arguments are"
    " wrong, 3 segue itself failed. `segue COMMAND --help` shows examples.\n\n"
    "\b\nThe tab key completes names after (or zsh_source, fish_source):\n"
    '  eval "$(_SEGUE_COMPLETE=bash_source segue)"',
)
@click.version_option(__version__, prog_name="segue", message="%(prog)s %(version)s")
def segue() -> None:
    """Plan, run, check and publish a project of Python and SQL steps."""
