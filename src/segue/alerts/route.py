"""Which channel takes what."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from segue.spec.alerts import OWNER
from segue.spec.contract import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.alerts import Channel
    from segue.spec.contract import Measurement


def weigh(found: Measurement) -> Verdict:
    """Return what a measurement means to those who are told.

    Rows that are set aside stop nothing: that is a warning.
    """
    aside = found.rejected and found.verdict is Verdict.FAIL
    return Verdict.WARN if aside else found.verdict


def find_channels(channels: Sequence[Channel], table: str, owner: str) -> list[Channel]:
    """Return the channels for a table: those that name it or its owner, else the fallbacks."""
    fitting = [each for each in channels if takes_table(each, table, owner)]
    return [each for each in fitting if not each.fallback] or fitting


def takes_table(channel: Channel, table: str, owner: str) -> bool:
    """Return whether a channel is for a table of an owner."""
    if OWNER in channel.url and not owner:
        return False
    of_owner = not channel.owners or any(_meets(owner, each) for each in channel.owners)
    return of_owner and (not channel.tables or any(_meets(table, each) for each in channel.tables))


def _meets(name: str, pattern: str) -> bool:
    """Return whether a name fits a pattern; case does not count, as in mail addresses.

    Example:
        >>> _meets("Sales@example.com", "*@example.com"), _meets("orders", "pay*")
        (True, False)
    """
    return fnmatchcase(name.casefold(), pattern.casefold())
