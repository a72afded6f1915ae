"""Tells owners what failed, once what was measured is known, and remembers whom it told."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from segue.errors import SegueError
from segue.settings import redact
from segue.spec.alerts import Delivery
from segue.spec.contract import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.alerts.episodes import Message, Outlook
    from segue.alerts.send import Letter
    from segue.conductor.workspace import Workspace
    from segue.spec.alerts import Channel, Episode
    from segue.spec.contract import Report


def tell_owners(
    workspace: Workspace,
    reports: Sequence[Report],
    run_id: str = "",
    *,
    published: bool = True,
) -> tuple[Delivery, ...]:
    """Send what failed or is well again to the project's channels.

    Nothing that goes wrong here is raised: it stands in what is returned.

    Args:
        workspace: Has the channels, and the ledger that knows what was told before.
        reports: What was measured.
        run_id: The run that measured; empty outside of one.
        published: Whether what was measured is what readers see.
    """
    channels = workspace.project.alerts.channels
    if not channels or not reports:
        return ()
    try:
        known = workspace.ledger.episodes(workspace.environment)
        if not known and all(report.verdict is Verdict.PASS for report in reports):
            return ()
        outlook = look_out_in(workspace, reports, known)
        letters = write_letters(workspace, outlook, run_id, published=published)
        send_in_time(workspace, letters)
        remember(workspace, outlook, letters, known)
    except SegueError as error:  # a ledger that is locked or full
        return (Delivery("", "alerts", problem=_hide(workspace, str(error))),)
    return tuple(
        Delivery(
            letter.channel.name,
            letter.title,
            tuple((item.episode.table, item.episode.check) for item in message.items),
            _hide(workspace, letter.problem),
        )
        for letter, message in zip(letters, outlook.messages, strict=True)
    )


def look_out_in(
    workspace: Workspace, reports: Sequence[Report], known: Sequence[Episode]
) -> Outlook:
    """Return what is to be told of a project's tables."""
    from segue.alerts.episodes import look_out

    ledger, project, environment = workspace.ledger, workspace.project, workspace.environment
    return look_out(
        project.alerts.channels,
        reports,
        project.contracts,
        known,
        lambda table, check: ledger.history(table, check, environment=environment, limit=100),
        workspace.clock.now(),
    )


def write_letters(
    workspace: Workspace, outlook: Outlook, run_id: str, *, published: bool
) -> list[Letter]:
    """Return the messages as they go out, without secrets."""
    from segue.alerts.send import Letter
    from segue.alerts.text import write_body, write_title

    project = workspace.project
    return [
        Letter(
            message.channel,
            _hide(workspace, write_title(project.name, message)),
            _hide(workspace, write_body(message, project.contracts, run_id, published=published)),
            _find_kind(message),
            message.owner,
        )
        for message in outlook.messages
    ]


def _find_kind(message: Message) -> str:
    if message.well:
        return "success"
    only_warns = all(item.episode.verdict is Verdict.WARN for item in message.items)
    return "warning" if only_warns else "failure"


def send_in_time(workspace: Workspace, letters: Sequence[Letter]) -> None:
    """Send letters, for no longer than the project states."""
    from segue.alerts.send import send_letters

    if letters:
        send_letters(letters, os.environ, workspace.project.alerts.timeout)


def remember(
    workspace: Workspace,
    outlook: Outlook,
    letters: Sequence[Letter],
    known: Sequence[Episode],
) -> None:
    """Write down what was told: what did not arrive is told again next time."""
    now, before = workspace.clock.now(), {each.key: each for each in known}
    kept: list[Episode] = []
    ended = list(outlook.ended)
    for message, letter in zip(outlook.messages, letters, strict=True):
        for item in message.items:
            episode, earlier = item.episode, before.get(item.episode.key)
            if not letter.problem and message.well:
                ended.append(episode)
            elif not letter.problem:
                kept.append(replace(episode, told_at=now, well_at=""))
            elif message.well or earlier is None or earlier.well_at:
                kept.append(episode)
    if kept or ended:
        workspace.ledger.keep_episodes(kept, ended, workspace.environment)


def try_channels(
    workspace: Workspace, channels: Sequence[Channel], owner: str = ""
) -> tuple[Delivery, ...]:
    """Send each channel a message that says that it is a test."""
    from segue.alerts.send import Letter

    name = workspace.project.name
    body = f"This is a test. Alerts of {name} will arrive like this one."
    letters = [
        Letter(each, f"{name}: a test of channel {each.name}", body, "info", owner)
        for each in channels
    ]
    send_in_time(workspace, letters)
    return tuple(
        Delivery(each.channel.name, each.title, problem=_hide(workspace, each.problem))
        for each in letters
    )


def _hide(workspace: Workspace, text: str) -> str:
    return redact(text, workspace.project.secrets, os.environ)
