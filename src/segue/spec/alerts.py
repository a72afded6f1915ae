"""Who is told when checks fail: channels, what was told, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.spec.contract import Verdict

if TYPE_CHECKING:
    from segue.errors import Location

OWNER = "{owner}"
"""Stands in a channel's URL for the owner of the tables that a message is about."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where alerts go.

    Attributes:
        name: Its name.
        location: Where it is declared.
        url: Address as Apprise writes it; secrets still stand in it as ``${NAME}``.
        owners: Patterns of the owners whose tables it takes; empty for all.
        tables: Patterns of the tables that it takes; empty for all.
        verdicts: Verdicts that it takes.
        fallback: Whether it takes only what no other channel does.
    """

    name: str
    location: Location
    url: str
    owners: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = (Verdict.FAIL, Verdict.ERROR)
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class AlertSpec:
    """``[alerts]``.

    Attributes:
        channels: The channels, in the order of the file.
        timeout: Longest wait for all channels together, in seconds.
    """

    channels: tuple[Channel, ...] = ()
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Episode:
    """A check that is not well, as far as one channel is concerned.

    It begins with the first verdict that the channel takes and ends once the check is well.

    Attributes:
        table: Name of the table.
        check: Name of the check.
        channel: Name of the channel.
        since: When the check was first found not to be well, as ISO text in UTC.
        verdict: The worst verdict that was told.
        told_at: When the channel took the message; empty if it has not yet.
        well_at: When the check was found to be well again, while that is still to be told.
    """

    table: str
    check: str
    channel: str
    since: str
    verdict: Verdict
    told_at: str = ""
    well_at: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others."""
        return self.table, self.check, self.channel


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of one message.

    Attributes:
        channel: Name of the channel.
        title: The message's title.
        checks: What it was about: table and check.
        problem: Why it did not arrive; empty if it did.
    """

    channel: str
    title: str
    checks: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    @property
    def arrived(self) -> bool:
        """Whether the channel took it."""
        return not self.problem
