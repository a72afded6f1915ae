"""``segue agent``: enrol a machine, run its agent, look at it, install it as a service."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segue.cli.agent_spool import find_home, home_option, spool
from segue.cli.call import Call, answer_options
from segue.cli.group import Command, CommandFamily
from segue.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.agent.identity import Identity

STDIN = "-"
_SILENT = 5.0
"""Seconds without an answer that are worth a word."""


@click.group("agent", cls=CommandFamily)
def agent() -> None:
    """Make this machine a node of a fleet, and run its part."""


agent.add_command(spool)


@agent.command(
    "enrol",
    cls=Command,
    examples=[
        ("segue agent enrol TOKEN", "with the token that `segue hub token --node NAME` printed"),
        ("segue agent enrol - --label role=shop < token", "a token that shells don't remember"),
    ],
)
@click.argument("token")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label; repeatable.")
@click.option("--force", is_flag=True, help="Give an enrolled node a new key and a new epoch.")
@home_option
@answer_options
def enrol_node(
    call: Call, *, token: str, labels: tuple[str, ...], force: bool, home: Path | None
) -> None:
    """Make this machine a node, with a token that works once.

    The node makes its own key, which never leaves it, and trusts the hub's root that the token
    names, and no other.
    """
    from segue.agent.enrol import enrol
    from segue.agent.homes import is_held
    from segue.wire.token import Token

    typed = sys.stdin.read() if token == STDIN else token
    folder = find_home(home)
    identity = enrol(Token.parse(typed), folder, read_labels(labels), force=force)
    if call.as_json:
        call.print_json({"enrolled": {**identity.plain(), "home": str(folder)}})
        return
    from segue.cli.look import line, next_moves, say

    if is_held(folder):
        restart = ("systemctl restart segue-agent", "let the agent that runs here take its new key")
        say(
            call.out,
            line(f"Node {identity.node} of project {identity.project} has a new key."),
            line(("The agent that runs here has the old one, which is void.", "yellow")),
            line(*_tell_trust(identity)),
            next_moves(restart),
        )
        return
    say(
        call.out,
        line(f"This machine is node {identity.node} of project {identity.project}."),
        line(f"Its hub is {identity.hub}, its home {folder}."),
        line(*_tell_trust(identity)),
        next_moves(
            (
                f"segue agent install{name_home(folder)}",
                "run it as a service, from each start of the machine",
            ),
            (f"segue agent run{name_home(folder)}", "run it here and now"),
        ),
    )


def _tell_trust(identity: Identity) -> tuple[str | tuple[str, str]]:
    if identity.trust:
        return ("It runs what those sign whom the token's trust root names, and nothing else.",)
    told = "Its token names no trust root: it will believe the first one that the hub shows."
    return ((told, "yellow"),)


@agent.command(
    "run",
    cls=Command,
    examples=[
        ("segue agent run", "run what is deployed, until it is stopped"),
        ("segue agent run --once", "read all that is there, send it, and end"),
    ],
)
@click.option("--once", is_flag=True, help="End when all sources are read and all was sent.")
@click.option(
    "--slot",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Run an unpacked bundle by hand, in place of what is deployed.",
)
@home_option
def run_agent(*, once: bool, slot: Path | None, home: Path | None) -> None:
    """Run this node's agent, until it is stopped."""
    from segue.agent.identity import read_identity
    from segue.cli.agent_process import become_agent

    folder = find_home(home)
    read_identity(folder)  # what can be said at once is said by this process
    become_agent(folder, slot.absolute() if slot else None, once=once)


@agent.command(
    "status",
    cls=Command,
    examples=[
        ("segue agent status", "what runs here, what waits to be sent, what is wrong"),
        ("segue agent status --json", "the same for programs"),
    ],
)
@home_option
@answer_options
def show_status(call: Call, *, home: Path | None) -> None:
    """Show what this node does, as its agent wrote it last; no network is needed."""
    from segue.agent.status import read_status

    told = read_status(find_home(home))
    if call.as_json:
        call.print_json(told)
        return
    from segue.cli.look import cell, make_table, say

    rows = [[cell(name), cell(text)] for name, text in describe_status(told)]
    say(call.out, make_table([told["node"], ""], rows, wrap=[""]))


@agent.command(
    "install",
    cls=Command,
    examples=[
        ("segue agent install", "write the unit file of a service for the whole machine"),
        ("segue agent install --user", "of a service of your own account"),
        ("segue agent install --print", "show the unit file, write nothing"),
    ],
)
@click.option("--systemd", is_flag=True, default=True, help="For systemd; there is no other yet.")
@click.option("--user", is_flag=True, help="A service of this account, not of the machine.")
@click.option("--print", "only_print", is_flag=True, help="Show the unit file, write nothing.")
@home_option
@answer_options
def install_service(
    call: Call,
    *,
    systemd: bool,  # noqa: ARG001  # the only kind that there is
    user: bool,
    only_print: bool,
    home: Path | None,
) -> None:
    """Write a unit file for systemd, so that the agent runs from each start of the machine."""
    from segue.agent.identity import IDENTITY
    from segue.agent.install import find_unit, next_commands, write_unit

    folder = find_home(home)
    text = write_unit(folder, user=user)
    path = find_unit(user=user)
    if not only_print:
        from segue.errors import name_disk_fault

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise name_disk_fault(error, path) from None
    commands = next_commands(user=user, named=name_home(folder))
    if not (folder / IDENTITY).exists():
        told = "before all else: this machine is no node yet"
        commands.insert(0, (f"segue agent enrol TOKEN{name_home(folder)}", told))
    if call.as_json:
        call.print_json(
            {
                "unit": text,
                "path": str(path),
                "written": not only_print,
                "next": [typed for typed, _ in commands],
            }
        )
    elif only_print:
        click.echo(text, nl=False)
    else:
        from segue.cli.look import line, next_moves, say

        say(call.out, line(f"The unit file lies in {path}"), next_moves(*commands))


def name_home(folder: Path) -> str:
    """Return what to type behind a command for a home that is not the usual one."""
    from segue.agent.identity import default_home

    usual = folder == default_home().expanduser().resolve()
    return "" if usual else f" --home {shlex.quote(str(folder))}"


def read_labels(labels: tuple[str, ...]) -> dict[str, str]:
    """Return labels that were typed as ``name=value``.

    Raises:
        UsageError: One has another form.

    Example:
        >>> read_labels(("role=shop", "country=BE"))
        {'role': 'shop', 'country': 'BE'}
        >>> read_labels(("node=till-7",))
        Traceback (most recent call last):
        segue.errors.UsageError: 'node=till-7' is no label to give: ...
    """
    from segue.wire.selector import LONGEST_LABEL, NODE_LABEL

    found = {}
    for text in labels:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"{text!r} is no label", hint="write it as NAME=VALUE")
        if name.strip() == NODE_LABEL:
            raise UsageError(
                f"{text!r} is no label to give: {NODE_LABEL!r} is the node's name",
                hint="selectors know a node by it already: --to node=NAME",
            )
        if max(len(name), len(value)) > LONGEST_LABEL:
            raise UsageError(f"a label has at most {LONGEST_LABEL} letters", hint="shorten it")
        found[name.strip()] = value.strip()
    return found


def describe_status(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what is shown of a status: what it is about, and what it is."""
    from segue.cli.wording import size

    status = told["status"]
    runs = f"runs, process {told['pid']}" if told["running"] else "does not run"
    link = _describe_link(told)
    rows = [
        ("agent", runs),
        (
            "hub",
            f"{told['hub']} {link}" + (f": {told['link_error']}" if told["link_error"] else ""),
        ),
        *((("hint", told["link_hint"]),) if told.get("link_hint") else ()),
        ("deployment", _describe_deployment(status)),
        ("unsent", _describe_unsent(status)),
        ("spool", f"{size(status['spool_bytes'])} of {size(status['spool_cap'])}"),
        ("sent", f"{told['sent_rows']:,} rows since it began"),
        ("clock", status["clock_quality"]),
        ("memory", f"{status['memory'] / 2**20:.0f} MiB"),
    ]
    rows += [(f"rows of {name}", f"{number:,}") for name, number in status["rows"].items()]
    rows += [(f"rejects of {name}", f"{number:,}") for name, number in status["rejects"].items()]
    rows += [describe_destination(each) for each in status.get("destinations") or ()]
    if status["error"]:
        rows.append(("error", status["error"]))
    return [*rows, *(("alert", text) for text in status["alerts"])]


def describe_destination(told: Mapping[str, Any]) -> tuple[str, str]:
    """Return a further destination, and what waits for it and why.

    Example:
        >>> describe_destination({"name": "base", "unsent": 1200, "error": "no route"})
        ('to base', '1,200 rows unsent: no route')
        >>> describe_destination({"name": "base", "unsent": 0, "refused": 3})
        ('to base', 'nothing unsent, 3 rows refused for ever')
    """
    from segue.cli.wording import count

    waits = f"{count(told['unsent'], 'row')} unsent" if told.get("unsent") else "nothing unsent"
    if told.get("refused"):
        waits += f", {count(told['refused'], 'row')} refused for ever"
    return f"to {told['name']}", waits + (f": {told['error']}" if told.get("error") else "")


def _describe_link(told: dict[str, Any]) -> str:
    silent = told.get("silent", 0.0)
    if not told["linked"]:
        return "does not answer"
    if silent >= _SILENT:
        return f"has not answered for {silent:.0f} s"
    return "refuses" if told["link_error"] else "answers"


def _describe_unsent(status: dict[str, Any]) -> str:
    if not status["unsent"]:
        return "nothing"
    return f"{status['unsent']:,} rows, the oldest {status['lag']:.0f} s old"


def _describe_deployment(status: dict[str, Any]) -> str:
    if not status["applied"]:
        return f"{status['desired']} is on its way" if status["desired"] else "none yet"
    told = f"{status['applied']}, {'healthy' if status['healthy'] else 'not proven yet'}"
    if status["failed"]:
        told += f"; {status['failed']} was given up"
    return told
