"""``fresh: 24h`` below a column, or ``fresh: {column: updated_at, within: 24h}``: data is recent.

The newest moment of the column is no longer ago than that, and not in the future. Durations
are ``90s``, ``15m``, ``24h``, ``7d``. A timestamp without a zone is taken as UTC; a date counts
from its end, in UTC, so that today is fresh. A table without any moment is an error.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from segue.judge.metric_bounds import to_utc
from segue.judge.row_check import read_long
from segue.judge.verdict import judge_value
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols import Context
    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))


class FreshCheck:
    """A newest moment that is too old, or in the future, breaks it."""

    name = "fresh"
    scope = "both"
    row_level = False
    extreme = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read a duration, or ``{column: …, within: …}``."""
        long = read_long(value, ("column", "within"), "within")
        if long.get("within") is None:
            raise ValueError(f"expected {{column: …, within: 24h}}, found {value!r}")
        within = long["within"]
        seconds = _count_seconds(within)
        if not 0 < seconds < timedelta.max.total_seconds():
            raise ValueError(f"expected a duration such as 24h, found {within!r}")
        arguments: dict[str, Any] = {"within": str(within).strip()}
        if "column" in long:
            if not isinstance(long["column"], str) or not long["column"]:
                raise ValueError(f"expected the name of a column, found {long['column']!r}")
            arguments["columns"] = [long["column"]]
        return arguments

    def settle(self, check: Check, columns: tuple[str, ...]) -> Mapping[str, Any]:
        """Refuse a check that does not tell its column."""
        del columns
        if not check.columns:
            raise ValueError("expected {column: …, within: 24h}, or put it below a column")
        return check.arguments

    def complete(self, check: Check, context: Context) -> Check:
        """Add the time that it is now."""
        arguments = {**check.arguments, "now": to_utc(context.moment).isoformat()}
        return replace(check, arguments=arguments)

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: no single row breaks it."""
        del check, types, table
        return ""

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged."""
        del table
        name = check.columns[0]
        if types[name].kind not in ("date", "timestamp"):
            hint = "a cast to timestamp makes a moment of it"
            raise ValueError(f"column {name!r} is {types[name]}, not a date or timestamp: {hint}")
        return f"max({quote_identifier(name)})"

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold the newest moment against the time."""
        now = datetime.fromisoformat(check.arguments["now"])
        age = _find_age(value, now)
        limit = _count_seconds(check.arguments["within"])
        name = check.columns[0]
        ahead = age < timedelta(0)
        seconds = abs(age.total_seconds())
        when = f"{say_age(seconds)} {'in the future' if ahead else 'ago'}"
        found = f"{name}: {_say_moment(value)} is {when}"
        if check.sensitive:
            found = f"{name}: its newest value is not shown (sensitive columns)"
        return judge_value(
            check,
            None if check.sensitive else age.total_seconds(),
            rows,
            kept=not ahead and seconds <= limit,
            found=found,
            expected=f"no more than {check.arguments['within']} ago",
        )

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        return f"{check.columns[0]} within {check.arguments['within']}"


def _count_seconds(within: Any) -> float:
    from segue.settings import parse_duration  # with pydantic, which most contracts can spare

    return parse_duration(within)


def _find_age(value: date, now: datetime) -> timedelta:
    """Return how long ago a moment was; a day lasts until its end."""
    if isinstance(value, datetime):
        return now - to_utc(value)
    today = now.date()
    if value > today:
        return datetime(today.year, today.month, today.day, tzinfo=UTC) - datetime(
            value.year, value.month, value.day, tzinfo=UTC
        )
    return timedelta(0) if value == today else now - _end(value)


def _end(day: date) -> datetime:
    after = day + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=UTC)


def _say_moment(value: date) -> str:
    if not isinstance(value, datetime):
        return value.isoformat()
    return to_utc(value).isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")


def say_age(seconds: float) -> str:
    """Return a duration in its two largest units.

    Example:
        >>> say_age(90), say_age(100_000), say_age(0.5), say_age(7200)
        ('1m 30s', '1d 3h', '0s', '2h')
    """
    left, parts = int(seconds), []
    for unit, size in _UNITS:
        if left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    if left or not parts:
        parts.append(f"{left}s")
    return " ".join(parts[:2])


CHECK = FreshCheck()
