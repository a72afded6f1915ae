"""``segue alerts``: where alerts go, what was told, and whether a channel can be reached."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command
from segue.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from segue.spec.alerts import AlertSpec, Channel, Episode


@click.command(
    "alerts",
    cls=Command,
    examples=[
        ("segue alerts", "the channels, and which checks somebody was told of"),
        ("segue alerts test mail", "send a test message to the channel mail"),
        ("segue alerts test", "the same to every channel"),
    ],
)
@click.argument("action", type=click.Choice(["list", "test"]), default="list")
@click.argument("channel", default="")
@click.option(
    "--owner", default="", help="Whom a test is for, where the channel's url holds {owner}."
)
@common_options
def show_alerts(call: Call, *, action: str, channel: str, owner: str) -> None:
    """Show where alerts go and what was told, or send a test message.

    ACTION is `list` (if not stated) or `test`. The exit code is 1 if a test does not arrive.
    """
    from segue.conductor.alerts import try_channels

    with call.open_project() as project:
        if action == "test":
            channels = find_channels(project.spec.alerts, channel)
            deliveries = try_channels(project.workspace, channels, owner)
        else:
            ledger = project.workspace.ledger
            _list(call, project.spec.alerts, ledger.episodes(project.workspace.environment))
            return
    if call.as_json:
        call.print_json([asdict(each) for each in deliveries])
    else:
        from segue.cli.look import say
        from segue.cli.render_alerts import render_alerts

        say(call.out, *render_alerts(deliveries))
    if not all(each.arrived for each in deliveries):
        raise click.exceptions.Exit(1)


def find_channels(alerts: AlertSpec, name: str) -> Sequence[Channel]:
    """Return the channel of a name, or all of them.

    Raises:
        UnknownNameError: There is no such channel, or none at all.
    """
    from segue.registry import nearest

    if not alerts.channels:
        hint = 'write [alerts.channels.mail] with url = "mailtos://..." into segue.toml'
        raise UnknownNameError("the project has no channel for alerts", hint=hint)
    names = [each.name for each in alerts.channels]
    if name and name not in names:
        hint = nearest(name, names, noun="channel")
        raise UnknownNameError(f"there is no channel {name!r}", hint=hint)
    return [each for each in alerts.channels if name in ("", each.name)]


def _list(call: Call, alerts: AlertSpec, episodes: Sequence[Episode]) -> None:
    if call.as_json:
        channels = [{**asdict(each), "url": _hide(each.url)} for each in alerts.channels]
        call.print_json({"channels": channels, "episodes": [asdict(each) for each in episodes]})
        return
    from segue.cli.look import say

    say(call.out, *_render(alerts.channels, episodes))


def _render(channels: Sequence[Channel], episodes: Sequence[Episode]) -> Iterator[RenderableType]:
    from segue.cli.look import cell, line, make_table
    from segue.cli.wording import age

    if not channels:
        yield line("No alerts: segue.toml has no [alerts.channels.<name>].")
        return
    rows = [
        [
            cell(each.name),
            cell(_hide(each.url)),
            cell(", ".join((*each.owners, *each.tables)) or "all"),
            cell(", ".join(each.verdicts)),
            cell("fallback" if each.fallback else ""),
        ]
        for each in channels
    ]
    yield make_table(["channel", "where", "takes", "verdicts", "how"], rows, wrap=["takes"])
    if episodes:
        told = [
            [
                cell(each.channel),
                cell(each.table),
                cell(each.check),
                cell(str(each.verdict)),
                cell(age(each.since)),
                cell(age(each.told_at) if each.told_at else "not yet"),
            ]
            for each in episodes
        ]
        yield line("")
        columns = ["channel", "table", "check", "verdict", "since", "told"]
        yield make_table(columns, told, wrap=["check"])


def _hide(url: str) -> str:
    """Return a channel's address without what may be secret in it.

    Example:
        >>> _hide("mailtos://me:secret@mail.test/?to=a@b.test")
        'mailtos://...'
    """
    return f"{url.partition('://')[0]}://..."
