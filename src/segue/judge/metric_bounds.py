"""Bounds of what is measured: as contracts write them, and as values are held against them.

Bounds are inclusive. They are kept as plain values under ``min`` and ``max``, and compared
exactly: a decimal never passes through a floating-point number, NaN lies within no bounds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segue.judge.row_check import read_long
from segue.judge.sql_text import Plain, read_decimal, read_scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = ("min", "max", "between", "equals")
"""Keys by which a contract says bounds."""

NEEDED = "expected bounds: [min, max], {min: …}, {max: …}, {equals: …}, or anomaly: true"

_PAIR = 2
_ALL = 100
_KINDS = {bool: "true or false", datetime: "a time", date: "a date", time: "a time of day"}


def read_bounds(value: Any) -> dict[str, Plain | None]:
    """Return the bounds that a contract states.

    Args:
        value: ``[min, max]``, ``{min: …, max: …}``, ``{between: [min, max]}``,
            ``{equals: …}`` or one value for exactly that; a mapping may be empty.

    Raises:
        ValueError: It makes no sense.

    Example:
        >>> read_bounds([0, None]), read_bounds(3)
        ({'min': 0, 'max': None}, {'min': 3, 'max': 3})
    """
    if value is None:
        raise ValueError(NEEDED)
    if isinstance(value, list | tuple):
        value = {"between": value}
    long = read_long(value, KEYS, "equals")
    forms = [key for key in ("between", "equals") if key in long]
    if len(forms) + bool(long.keys() & {"min", "max"}) > 1:
        raise ValueError(f"say {' or '.join(long)}, not both")
    if "equals" in long:
        only = _read_end(long["equals"])
        if only is None:
            raise ValueError(NEEDED)
        return {"min": only, "max": only}
    if "between" in long:
        pair = long["between"]
        if not isinstance(pair, list | tuple) or len(pair) != _PAIR:
            raise ValueError(f"expected [min, max], with ~ for no bound, found {pair!r}")
        long = {"min": pair[0], "max": pair[1]}
    return _check_ends(long)


def has_bounds(arguments: Mapping[str, Any]) -> bool:
    """Return whether a check's arguments state a bound."""
    return arguments.get("min") is not None or arguments.get("max") is not None


def read_share(end: Plain | None) -> Fraction | None:
    """Return a share that is written such as ``5%``; None for anything else.

    Example:
        >>> read_share("0.5%"), read_share(3)
        (Fraction(1, 200), None)
    """
    if not isinstance(end, str) or not end.rstrip().endswith("%"):
        return None
    number = read_decimal(end.rstrip().removesuffix("%").strip())
    if number is None:
        return None
    if not 0 <= number <= _ALL:
        raise ValueError(f"{end!r} is no share: it lies between 0% and 100%")
    return Fraction(number) / _ALL


def is_within(value: Any, arguments: Mapping[str, Any]) -> bool:
    """Return whether a value lies within the bounds of a check's arguments.

    Args:
        value: A number, a moment, a text or a truth value; not None.
        arguments: They hold ``min`` and ``max``.

    Raises:
        ValueError: The bounds are of another kind than the value.

    Example:
        >>> is_within(0.1, {"min": None, "max": 0.1}), is_within(float("nan"), {})
        (True, False)
        >>> is_within(date(2026, 1, 31), {"max": "2026-02-01"})
        True
    """
    if value != value:  # noqa: PLR0124 - NaN
        return False
    low, high = arguments.get("min"), arguments.get("max")
    if low is not None:
        one, other = _align(value, low)
        if one < other:
            return False
    if high is not None:
        one, other = _align(value, high)
        if one > other:
            return False
    return True


def say_bounds(arguments: Mapping[str, Any]) -> str:
    """Return bounds in words.

    Example:
        >>> say_bounds({"min": 1000, "max": None}), say_bounds({"min": 3, "max": 3})
        ('at least 1,000', 'exactly 3')
    """
    low, high = arguments.get("min"), arguments.get("max")
    if low is not None and high is not None:
        if low == high:
            return f"exactly {say_value(low)}"
        return f"between {say_value(low)} and {say_value(high)}"
    if low is None:
        return "" if high is None else f"at most {say_value(high)}"
    return f"at least {say_value(low)}"


def say_value(value: Any) -> str:
    """Return a value as a sentence holds it.

    Example:
        >>> say_value(1234567.5), say_value(Decimal("1000.10")), say_value(Fraction(1, 3))
        ('1,234,567.5', '1,000.10', '0.3333333333333333')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    if isinstance(value, Fraction):
        value = value.numerator if value.denominator == 1 else float(value)
    if isinstance(value, Decimal):
        return f"{value:,f}"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _check_ends(long: Mapping[str, Any]) -> dict[str, Plain | None]:
    low, high = _read_end(long.get("min")), _read_end(long.get("max"))
    if isinstance(low, bool) or isinstance(high, bool):
        raise ValueError("true and false have no order: say equals")  # noqa: TRY004  # of the contract
    if low is None and high is None and long:
        raise ValueError("expected at least one bound")
    if low is not None and high is not None:
        first, last = read_decimal(low), read_decimal(high)
        both_texts = isinstance(low, str) and isinstance(high, str)
        if (first is None or last is None) and not both_texts:
            raise ValueError(f"the bounds {low!r} and {high!r} are of different kinds")
        if first is not None and last is not None:
            nonsense = first > last
        else:
            share, whole = read_share(low), read_share(high)
            shares = share is not None and whole is not None
            nonsense = share > whole if shares else str(low) > str(high)  # type: ignore[operator]
        if nonsense:
            raise ValueError(f"nothing is between {low} and {high}: the smaller bound comes first")
    return {"min": low, "max": high}


def _read_end(value: Any) -> Plain | None:
    if value is None:
        return None
    end = read_scalar(value)
    if isinstance(end, float) and end != end:  # noqa: PLR0124 - NaN
        raise ValueError(f"{value!r} is no bound")
    read_share(end)
    return end


def _align(value: Any, bound: Plain) -> tuple[Any, Any]:
    """Return a value and a bound as what can be compared, exactly."""
    if isinstance(value, bool) or isinstance(bound, bool):
        if not (isinstance(value, bool) and isinstance(bound, bool)):
            raise _mismatch(value, bound)
        return value, bound
    if isinstance(value, float):
        return value, float(_expect_number(value, bound))
    if isinstance(value, int | Decimal | Fraction):
        number = _expect_number(value, bound)
        if isinstance(number, Decimal) and number.is_infinite():
            return 0, 1 if number > 0 else -1
        return Fraction(value), Fraction(number)
    if not isinstance(bound, str):
        raise _mismatch(value, bound)
    return (value, bound) if isinstance(value, str) else _align_moments(value, bound)


def _align_moments(value: Any, bound: str) -> tuple[Any, Any]:
    """Return moments that can be compared: a day begins at midnight, no zone means UTC."""
    try:
        if isinstance(value, time):
            return value, time.fromisoformat(bound.strip())
        other = datetime.fromisoformat(bound.strip())
    except ValueError:
        raise _mismatch(value, bound) from None
    if not isinstance(value, date):
        raise _mismatch(value, bound)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001  # made so below
    return to_utc(value), to_utc(other)


def to_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; one without a zone is in UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _expect_number(value: Any, bound: Plain) -> Decimal | Fraction:
    share = read_share(bound)
    number = read_decimal(bound) if share is None else share
    if number is None or number != number:  # noqa: PLR0124 - NaN
        raise _mismatch(value, bound)
    return number


def _mismatch(value: Any, bound: Plain) -> ValueError:
    known = (word for kind, word in _KINDS.items() if isinstance(value, kind))
    number = "a number" if isinstance(value, int | float | Decimal | Fraction) else "a text"
    return ValueError(f"what is measured is {next(known, number)}, and the bound is {bound!r}")
