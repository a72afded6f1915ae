"""The machine's clock, names for runs, and the times that users write."""

from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from segue.errors import SelectionError, UnknownNameError
from segue.settings import parse_duration

if TYPE_CHECKING:
    from segue.conductor import Workspace

_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
"""What `name_run` gives."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> str:
        """Return UTC time as ISO text with microseconds."""
        return datetime.now(UTC).isoformat(timespec="microseconds")

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


def name_run() -> str:
    """Return a name for a run: UTC time for people, and four hex digits against chance."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def read_moment(text: str) -> str | None:
    """Return the UTC time that a user means, as ISO text; None if it is no time.

    Args:
        text: A date or time (UTC unless it says otherwise), or a duration back from now.

    Example:
        >>> read_moment("2026-11-20")
        '2026-11-20T00:00:00+00:00'
        >>> read_moment("yesterday") is None
        True
        >>> read_moment("20261120-081500-1130") is None  # the name of a run
        True
    """
    if _RUN.fullmatch(text):  # one in fifty reads as a time with an offset, too
        return None
    try:
        seconds = parse_duration(text)
    except ValueError:
        pass
    else:
        return datetime.fromtimestamp(time.time() - seconds, UTC).isoformat()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # one zone, for moments are compared as texts
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def find_moment(workspace: Workspace, since: str) -> str:
    """Return the time that a user means, or at which the run began that the text names.

    Raises:
        SelectionError: It is neither.
    """
    if (moment := read_moment(since)) is not None:
        return moment
    try:
        return workspace.ledger.run(since).started_at
    except UnknownNameError as error:
        raise SelectionError(
            f"since {since!r}: this is neither a date, a duration nor a run",
            hint="write it as 2026-11-20, 2026-11-20T08:00, 2h, 3d, or the id of a run",
        ) from error
