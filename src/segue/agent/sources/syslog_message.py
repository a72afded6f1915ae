"""Messages of syslog, RFC 5424 and RFC 3164, taken apart.

What is neither is a message all the same, as RFC 3164 has it: nothing that came is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"),
    *("authpriv", "ftp", "ntp", "audit", "alert", "clock"),
    *(f"local{number}" for number in range(8)),
)
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")

_DEFAULT = 13
"""Priority of what states none: user, notice."""
_HIGHEST = 191

_PRIORITY = re.compile(r"<(\d{1,3})>")
_NEW = re.compile(
    r"1 (\S+) (\S+) (\S+) (\S+) (\S+) "
    r'(-|(?:\[[^\s=\]"]++(?: ++[^\s=\]"]++="(?:[^"\\\]]|\\.)*+")*+ *+\])++)(?: (.*))?',
    re.DOTALL,
)
_OLD = re.compile(
    r"(?:(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?:(?P<year>\d{4}) )?"
    r"(?P<time>\d\d:\d\d:\d\d(?:\.\d{1,6})?)|(?P<iso>\d{4}-\d\d-\d\dT\S+)):? "
    r"(?:(?P<host>[^\s:\[\]]+) )?(?P<rest>.*)",
    re.DOTALL,
)
_TAG = re.compile(r"(?P<app>[^\s:\[\]]{1,64})(?:\[(?P<process>[^\s\]]{1,64})\])?: ?", re.DOTALL)
_PART = re.compile(r'\[([^\s=\]"]++)((?: ++[^\s=\]"]++="(?:[^"\\\]]|\\.)*+")*+) *+\]')
_MEMBER = re.compile(r'([^\s=\]"]++)="((?:[^"\\\]]|\\.)*+)"')
_ESCAPE = re.compile(r'\\(["\\\]])')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Message:
    """A message; what it does not state is None.

    Attributes:
        priority: Facility and severity as one number.
        time: When it was sent, as it says.
        host: Who sent it, as it says.
        app: Program.
        process: Its process.
        message_id: Kind of message.
        data: Structured data, as it is written.
        message: The text.
    """

    priority: int
    time: datetime | None
    host: str | None
    app: str | None
    process: str | None
    message_id: str | None
    data: str | None
    message: str


def read_message(text: str, received: datetime, zone: tzinfo | None = None) -> Message:
    """Return the parts of a message.

    Args:
        text: The message.
        received: When it came; tells the year where the message does not.
        zone: Zone of times that state none; by default this machine's.

    Example:
        >>> from datetime import UTC
        >>> now = datetime(2024, 1, 1, tzinfo=UTC)
        >>> found = read_message("<34>Dec 31 23:59:58 gate su[7]: no entry", now, UTC)
        >>> found.time.isoformat(), found.host, found.app, found.process, found.message
        ('2023-12-31T23:59:58+00:00', 'gate', 'su', '7', 'no entry')
    """
    priority = _DEFAULT
    match = _PRIORITY.match(text)
    body = text
    if match is not None and int(match[1]) <= _HIGHEST:
        priority, body = int(match[1]), text[match.end() :]
    new = _NEW.fullmatch(body)
    if new is not None:
        return _read_new(priority, new)
    return _read_old(priority, body, received, zone)


def _read_new(priority: int, match: re.Match[str]) -> Message:
    time, host, app, process, message_id, data, message = match.groups()
    return Message(
        priority,
        _read_iso(time, None),
        _given(host),
        _given(app),
        _given(process),
        _given(message_id),
        _given(data),
        (message or "").removeprefix("\ufeff"),
    )


def _read_old(priority: int, body: str, received: datetime, zone: tzinfo | None) -> Message:
    match = _OLD.fullmatch(body)
    time = host = None
    rest = body
    if match is not None:
        iso = match["iso"]
        time = _read_iso(iso, zone) if iso else _find_year(match, received, zone)
        if time is not None:
            host, rest = match["host"], match["rest"]
    tag = _TAG.match(rest)
    if tag is None:
        return Message(priority, time, host, None, None, None, None, rest)
    return Message(priority, time, host, tag["app"], tag["process"], None, None, rest[tag.end() :])


def _given(text: str) -> str | None:
    return None if text == "-" else text


def _read_iso(text: str, zone: tzinfo | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else _settle(found, zone)


def _settle(local: datetime, zone: tzinfo | None) -> datetime:
    return local.replace(tzinfo=zone) if zone is not None else local.astimezone()


def _find_year(match: re.Match[str], received: datetime, zone: tzinfo | None) -> datetime | None:
    day, year = int(match["day"]), int(match["year"] or 0)
    return _find_nearest(match["month"], day, year, match["time"], received.date(), zone)


@lru_cache(maxsize=4096)
def _find_nearest(
    month: str, day: int, year: int, time: str, near: date, zone: tzinfo | None
) -> datetime | None:
    """Return the time in the year in which it is nearest to when the message came."""
    if month not in _MONTHS:
        return None
    number = _MONTHS.index(month) + 1
    found = []
    for each in [year] if year else (near.year - 1, near.year, near.year + 1):
        try:
            local = datetime.fromisoformat(f"{each:04}-{number:02}-{day:02}T{time}")
            found.append(_settle(local, zone))
        except ValueError:  # no leap year, or no such time
            continue
    return min(found, key=lambda each: abs(each.date() - near), default=None)


def read_data(data: str | None) -> list[tuple[str, str]] | None:
    r"""Return structured data as pairs, each named ``id.name``.

    Example:
        >>> read_data(r'[a@1 x="1" y="\"2\""][b]')
        [('a@1.x', '1'), ('a@1.y', '"2"'), ('b', '')]
    """
    if data is None:
        return None
    pairs: dict[str, str] = {}
    for part in _PART.finditer(data):
        members = _MEMBER.findall(part[2])
        if not members:
            pairs[part[1]] = ""
        for name, value in members:
            pairs[f"{part[1]}.{name}"] = _ESCAPE.sub(r"\1", value)
    return list(pairs.items())


TAKE: dict[str, Callable[[Message], object]] = {
    "time": lambda message: message.time,
    "priority": lambda message: message.priority,
    "facility": lambda message: FACILITIES[message.priority >> 3],
    "severity": lambda message: SEVERITIES[message.priority & 7],
    "host": lambda message: message.host,
    "app": lambda message: message.app,
    "process": lambda message: message.process,
    "message_id": lambda message: message.message_id,
    "data": lambda message: read_data(message.data),
    "message": lambda message: message.message,
}
"""What a column of a name is given."""
