"""What is to be told now, given what was told before: each episode once, and its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from segue.alerts.route import find_channels, weigh
from segue.spec.alerts import OWNER, Channel, Episode
from segue.spec.contract import Verdict

if TYPE_CHECKING:
    from segue.spec.contract import Contract, Measurement, Report
    from segue.spec.history import Point

_ORDER = list(Verdict)


@dataclass(frozen=True, slots=True)
class Item:
    """One check that somebody is told of.

    Attributes:
        episode: The episode that it belongs to.
        found: What was measured now.
        owner: Who answers for the table.
    """

    episode: Episode
    found: Measurement
    owner: str


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is to be told at once.

    Attributes:
        channel: The channel.
        items: Checks that it is about.
        well: Whether they are well again.
        owner: Whom it is for, where the channel's URL names the owner.
    """

    channel: Channel
    items: tuple[Item, ...]
    well: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be told, and what to forget.

    Attributes:
        messages: What is to be told.
        ended: Episodes that end without a word: nobody was told that they began, or their
            check or channel is gone.
    """

    messages: tuple[Message, ...]
    ended: tuple[Episode, ...]


def look_out(
    channels: Sequence[Channel],
    reports: Sequence[Report],
    contracts: Mapping[str, Contract],
    known: Sequence[Episode],
    past: Callable[[str, str], Sequence[Point]],
    now: str,
) -> Outlook:
    """Return what is to be told of what was measured.

    Args:
        channels: All channels.
        reports: What was measured; tables that were not are left as they are.
        contracts: Contracts by table; they name the owners.
        known: Episodes so far.
        past: Gives a check's earlier measurements by table and name, oldest first.
        now: UTC time as ISO text.
    """
    bad: list[tuple[Channel, Item]] = []
    well: list[tuple[Channel, Item]] = []
    ended: list[Episode] = []
    by_key = {each.key: each for each in known}
    for report in reports:
        contract = contracts.get(report.table)
        owner = contract.owner if contract else ""
        taking = {each.name: each for each in find_channels(channels, report.table, owner)}
        measured = {found.check: found for found in report.measurements}
        stated = {check.name for check in contract.checks} if contract else set()
        for found, channel in product(report.measurements, taking.values()):
            if weigh(found) in channel.verdicts:
                episode = by_key.get((found.table, found.check, channel.name))
                begun = _begin(episode, found, channel, past, now)
                bad += [(channel, Item(begun, found, owner))] if begun else []
        for episode in (each for each in known if each.table == report.table):
            again, to = measured.get(episode.check), taking.get(episode.channel)
            if again is None or to is None:
                # a check that was not asked for is left as it is
                if to is None or episode.check not in stated:
                    ended.append(episode)
            elif weigh(again) in to.verdicts:
                continue
            elif episode.told_at:
                over = replace(episode, well_at=episode.well_at or now)
                well.append((to, Item(over, again, owner)))
            else:
                ended.append(episode)
    return Outlook((*_gather(bad, well=False), *_gather(well, well=True)), tuple(ended))


def _begin(
    episode: Episode | None,
    found: Measurement,
    channel: Channel,
    past: Callable[[str, str], Sequence[Point]],
    now: str,
) -> Episode | None:
    """Return the episode as it is to be told now; None if all of it was told already."""
    verdict = weigh(found)
    if episode is None or episode.well_at:
        since = find_since(past(found.table, found.check), now)
        return Episode(found.table, found.check, channel.name, since, verdict)
    worse = episode.verdict is Verdict.WARN and verdict is not Verdict.WARN
    return replace(episode, verdict=verdict) if worse or not episode.told_at else None


def find_since(points: Sequence[Point], now: str) -> str:
    """Return since when a check is not well: the oldest of its last verdicts without a pass."""
    since = now
    for point in reversed(points):
        if point.verdict is Verdict.PASS:
            break
        since = min(since, point.at)
    return since


def _gather(pairs: Sequence[tuple[Channel, Item]], *, well: bool) -> list[Message]:
    """Return one message for each channel, or for each owner where the URL names them."""
    gathered: dict[tuple[str, str], tuple[Channel, list[Item]]] = {}
    for channel, item in pairs:
        owner = item.owner if OWNER in channel.url else ""
        gathered.setdefault((channel.name, owner), (channel, []))[1].append(item)

    def order(item: Item) -> tuple[str, int]:
        return item.episode.table, -_ORDER.index(item.episode.verdict)

    return [
        Message(channel, tuple(sorted(items, key=order)), well, owner)
        for (_, owner), (channel, items) in gathered.items()
    ]
