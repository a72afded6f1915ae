"""Numbers, times and names as people read them, and text that is safe on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE = 60
_HOUR = 3600
_DAY = 86400
_KILO = 1000


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun.

    Example:
        >>> count(1, "row"), count(1200, "row"), count(2, "query", "queries")
        ('1 row', '1,200 rows', '2 queries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Return a time span.

    Example:
        >>> duration(0.0042), duration(4.26), duration(75), duration(7260)
        ('4 ms', '4.3 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"


def size(number: float) -> str:
    """Return a number of bytes.

    Example:
        >>> size(812), size(20_480), size(3_400_000_000)
        ('812 B', '20 kB', '3.4 GB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if number < _KILO:
            return f"{number:.0f} {unit}" if number >= 10 or unit == "B" else f"{number:.1f} {unit}"  # noqa: PLR2004  # one digit gets a decimal
        number /= _KILO
    return f"{number:.1f} TB"


def age(then: str, now: datetime | None = None) -> str:
    """Return how long ago a time was.

    Args:
        then: ISO text; without a zone it is UTC.
        now: What time it is; the clock's if not stated.

    Example:
        >>> age("2026-01-02T10:00:00", datetime(2026, 1, 2, 13, 5, tzinfo=UTC))
        '3 h ago'
    """
    try:
        moment = datetime.fromisoformat(then)
    except ValueError:
        return then
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for length, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "just now" if seconds >= -_MINUTE else "in the future"


def listing(names: list[str] | tuple[str, ...], most: int = 6) -> str:
    """Return names in a row, cut when there are many.

    Example:
        >>> listing(["a", "b", "c"], most=2)
        'a, b and 1 more'
    """
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"
