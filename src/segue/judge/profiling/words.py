"""What a profile says, in words that terminal and page share."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.spec.profile import ColumnProfile, Plain, Profile, Reference

KEPT_OUT = "kept out: sensitive"
_LEVELS = "▁▂▃▄▅▆▇█"
_LARGE = 10**6
_LONG = 10_000
"""Number from which commas help; years have none."""
_MOST_KEYS = 5
_DAY = len("2026-01-31")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:")


def write_number(value: Plain | None) -> str:
    """Return a value as people read it.

    Example:
        >>> (
        ...     write_number(1301),
        ...     write_number(12.639070257),
        ...     write_number(0.00001234),
        ...     write_number("x"),
        ... )
        ('1301', '12.6391', '1.234e-05', 'x')
    """
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= _LONG else str(value)
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 10**15:
            return f"{value:,.0f}"
        return f"{value:,.2f}" if abs(value) >= _LARGE else f"{value:,.6g}"
    return value


def write_share(part: int, whole: int) -> str:
    """Return a share in per cent; what is little is not called nothing.

    Example:
        >>> write_share(0, 9), write_share(1, 3), write_share(1, 10**6), write_share(999999, 10**6)
        ('0 %', '33 %', '<0.1 %', '>99.9 %')
    """
    if not part or not whole:
        return "0 %"
    share = 100 * part / whole
    if share < 0.1:  # noqa: PLR2004  # what is shown has one digit
        return "<0.1 %"
    if part < whole and share > 99.9:  # noqa: PLR2004  # the same
        return ">99.9 %"
    return f"{share:.0f} %" if share >= 10 or share.is_integer() else f"{share:.1f} %"  # noqa: PLR2004  # two digits tell enough


def write_distinct(column: ColumnProfile) -> str:
    """Return how many values a column has; an estimate has three digits that count."""
    if column.exact:
        return f"{column.distinct:,}"
    size = 10 ** max(len(str(column.distinct)) - 3, 0)
    return f"~{column.distinct // size * size:,}"


def draw_levels(column: ColumnProfile, width: int = 12) -> str:
    """Return a histogram in one line, of at most so many signs.

    Example:
        >>> from segue.spec.profile import Bin, ColumnProfile
        >>> from segue.spec.types import parse_type
        >>> bars = tuple(Bin(at, at + 1, rows) for at, rows in enumerate((1, 4, 9, 0)))
        >>> draw_levels(ColumnProfile("n", parse_type("int8"), 14, 0, histogram=bars))
        '▂▄█ '
    """
    counts = [each.rows for each in column.histogram]
    step = -(-len(counts) // width) if counts else 1
    counts = [sum(counts[at : at + step]) for at in range(0, len(counts), step)]
    most = max(counts, default=0)
    top = len(_LEVELS) - 1
    return "".join(_LEVELS[min(top, round(each / most * top))] if each else " " for each in counts)


def tell_values(column: ColumnProfile) -> str:
    """Return in one line what is in a column."""
    if column.sensitive:
        return KEPT_OUT
    if not column.values:
        return "no value" if column.rows else ""
    if column.constant and column.frequent:
        return f"always {_quote(column.frequent[0].value)}"
    if column.histogram:
        low, high = (shorten_end(write_number(end)) for end in (column.low, column.high))
        return f"{low} {draw_levels(column)} {high}"
    return _tell_looks(column)


def _tell_looks(column: ColumnProfile) -> str:
    """Return frequent values where they tell something, else what texts look like."""
    text = column.text
    if _repeats(column):
        return tell_frequent(column)
    if text is not None and text.format:
        return text.format if text.formatted == 1 else f"{text.format} {text.formatted:.1%}"
    if text is not None and text.patterns:
        return ", ".join(_quote(each.value) for each in text.patterns[:3])
    return (
        "" if column.low is None else f"{write_number(column.low)} to {write_number(column.high)}"
    )


def shorten_end(text: str) -> str:
    """Return the end of a range; of a moment the day is enough beside a histogram."""
    return text[:_DAY] if _MOMENT.match(text) else text


def _repeats(column: ColumnProfile) -> bool:
    """Return whether the most frequent values tell something."""
    return bool(column.frequent) and column.frequent[0].rows * 200 >= column.values


def tell_frequent(column: ColumnProfile, most: int = 4) -> str:
    """Return the most frequent values with their shares."""
    shown = (
        f"{_quote(each.value)} {write_share(each.rows, column.values)}"
        for each in column.frequent[:most]
    )
    return ", ".join(shown)


def _quote(value: str) -> str:
    return value if value.strip() and value == value.strip() and "," not in value else f"'{value}'"


def tell_keys(profile: Profile) -> str:
    """Return what tells all rows apart."""
    shown = [" + ".join(key) for key in profile.keys[:_MOST_KEYS]]
    more = len(profile.keys) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def tell_duplicates(profile: Profile) -> str:
    """Return how many rows repeat others."""
    if profile.duplicates is None:
        return ""
    if not profile.duplicates:
        return "none"
    return f"{profile.duplicates:,} ({write_share(profile.duplicates, profile.rows)})"


def tell_reference(reference: Reference) -> str:
    """Return which table a column refers to, and how many of its values stand there."""
    found = reference.distinct - reference.missing
    all_found = "all values" if not reference.missing else f"{found:,} of {reference.distinct:,}"
    return f"{reference.column} in {reference.table}.{reference.other} ({all_found})"
