"""What may be asked of a column, from what is in it: modest, and each with its evidence."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from segue.judge.profiling.kinds import Kind, kind_of
from segue.judge.profiling.values import KEY_NAME
from segue.judge.profiling.words import write_share
from segue.judge.suggesting.bounds import round_outward

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.spec.profile import ColumnProfile, Reference

MOST_LISTED = 12
"""Most values that `in` lists."""
_ROWS_PER_VALUE = 10
_ROWS_OF_RAREST = 5
"""A list of values is no chance if each stands in so many rows, and even the rarest in some."""
_LONGEST_LISTED = 40
_LEAST_ROWS = 10
"""Rows below which nothing but types and the first column's key is asked of a table."""
_KEY_ROWS = 20
"""Rows from which a column that sounds like a key is asked to be one."""
_COUNTER_ROWS = 1000
"""Rows from which a column is that counts, whatever it is called."""
_PATTERN_ROWS = 100
_LONG_NUMBER = 10_000
_LONGEST_PATTERN = 24
FORMATS = ("email", "uuid", "url", "ipv4", "date", "timestamp", "json")
"""Formats that a contract can ask for."""
_HARMLESS = " -_,:;/@#%&=!"
_UNITS = {"A": "[A-Z]", "a": "[a-z]", "9": "[0-9]"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing that may be asked.

    Attributes:
        kind: Word in the contract; empty for evidence alone.
        value: What stands behind the word.
        evidence: What it rests on, in a few words.
    """

    kind: str
    value: Any = None
    evidence: str = ""


def suggest_column(
    column: ColumnProfile, reference: Reference | None, *, first: bool
) -> list[Suggestion]:
    """Return what may be asked of a column.

    Args:
        column: What is in it.
        reference: The table that it is likely to refer to.
        first: Whether it stands first, where keys do.
    """
    found = [Suggestion("type", str(column.type)), *_suggest_required(column, first=first)]
    if column.text and column.text.format == "email" and not column.sensitive:
        found.append(Suggestion("sensitive", value=True, evidence="addresses of people"))
    elif column.sensitive:
        found.append(Suggestion("sensitive", value=True))
    if reference is not None and not reference.missing:
        told = f"all {reference.distinct:,} values found there"
        found.append(Suggestion("references", f"{reference.table}.{reference.other}", told))
    if _is_key(column, first=first):
        own = Suggestion("unique", value=True, evidence="every row has its own")
        return [*found, own, *_suggest_format(column)]
    suggest: tuple[Callable[[ColumnProfile], Iterator[Suggestion]], ...]
    suggest = _suggest_list, _suggest_format, _suggest_pattern
    if kind_of(column.type) is Kind.NUMBER:
        suggest = (_suggest_bounds,)
    for each in suggest:
        if reference is None and (more := list(each(column))):
            return [*found, *more]
    return found


def _suggest_required(column: ColumnProfile, *, first: bool) -> Iterator[Suggestion]:
    if not column.rows:
        return
    if column.nulls:
        share = write_share(column.nulls, column.rows)
        told = "all null" if column.nulls == column.rows else f"{column.nulls:,} null ({share})"
        yield Suggestion("", evidence=told)
    elif column.rows >= _LEAST_ROWS or (first and _may_be_key(column)):
        yield Suggestion("required", value=True, evidence="no nulls")
    else:
        yield Suggestion("", evidence="no nulls in so few rows")


def _may_be_key(column: ColumnProfile) -> bool:
    return bool(KEY_NAME.search(column.name)) and column.key


def _is_key(column: ColumnProfile, *, first: bool) -> bool:
    if not column.key or kind_of(column.type) not in (Kind.NUMBER, Kind.TEXT):
        return False
    if column.type.is_float or column.rows < _KEY_ROWS:
        return False
    if first or KEY_NAME.search(column.name):
        return True
    if column.text is not None:
        return column.text.format == "uuid"
    counts = isinstance(column.low, int) and isinstance(column.high, int)
    return (
        counts
        and column.rows >= _COUNTER_ROWS
        and int(column.high or 0) - int(column.low or 0) < 2 * column.rows
    )


def _suggest_list(column: ColumnProfile) -> Iterator[Suggestion]:
    values = column.frequent
    if column.sensitive or not column.exact or not 0 < column.distinct <= MOST_LISTED:
        return
    if len(values) < column.distinct or column.text is None:
        return
    rarest = min(each.rows for each in values)
    short = all(len(each.value) <= _LONGEST_LISTED for each in values)
    if short and column.values >= _ROWS_PER_VALUE * len(values) and rarest >= _ROWS_OF_RAREST:
        listed = sorted(each.value for each in values)
        if len(listed) == 1:
            told = "one value in all rows"
        else:
            told = f"{len(listed)} values, the rarest in {rarest:,} rows"
        yield Suggestion("in", listed, told)


def _suggest_bounds(column: ColumnProfile) -> Iterator[Suggestion]:
    if column.low is None or column.high is None or column.nans or column.infinite:
        return
    seen = f"{_show(column.low)} to {_show(column.high)}"
    if column.low == column.high:
        yield Suggestion("", evidence=f"always {_show(column.low)}")
        return
    few = column.rows < _LEAST_ROWS
    if few or KEY_NAME.search(column.name) or column.sensitive:
        yield Suggestion("", evidence=seen)
        return
    bounds = round_outward(_exact(column.low), _exact(column.high))
    if bounds is not None:
        yield Suggestion("between", list(bounds), f"{seen}, rounded outward")


def _show(value: Any) -> str:
    """Return a bound as it was seen; years have no comma."""
    return str(value) if abs(value) < _LONG_NUMBER else f"{value:,}"


def _exact(value: Any) -> Decimal:
    return Decimal(repr(value) if isinstance(value, float) else value)


def _suggest_format(column: ColumnProfile) -> Iterator[Suggestion]:
    text = column.text
    if text is None or not text.format:
        return
    if text.formatted < 1 or text.empty or text.format not in FORMATS:
        share = math.floor(1000 * text.formatted) / 10
        told = "all" if text.formatted == 1 else f"{share:g} %"
        yield Suggestion("", evidence=f"{told} written as {text.format}")
    elif column.rows >= _PATTERN_ROWS:
        yield Suggestion("format", text.format, f"all written as {text.format}")


def _suggest_pattern(column: ColumnProfile) -> Iterator[Suggestion]:
    text = column.text
    if text is None or len(text.patterns) != 1 or column.rows < _PATTERN_ROWS:
        return
    pattern = text.patterns[0].value
    whole = text.shortest == text.longest == len(pattern)
    if whole and len(pattern) <= _LONGEST_PATTERN and column.distinct > MOST_LISTED:
        told = f"all {column.distinct:,} values look like {pattern}"
        yield Suggestion("matches", write_pattern(pattern), told)


def write_pattern(shape: str) -> str:
    r"""Return a regular expression for texts of one shape.

    Example:
        >>> write_pattern("AA-9999")
        '[A-Z]{2}-[0-9]{4}'
    """
    parts = []
    for sign, run in groupby(shape):
        count = len(list(run))
        unit = _UNITS.get(sign) or (sign if sign in _HARMLESS else re.escape(sign))
        parts.append(unit if count == 1 else f"{unit}{{{count}}}")
    return "".join(parts)
