"""What the statistics of files prove of a column: how many nulls, and between which values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.judge.sql_text import plain_type, write_literal
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.output import DataFile
    from segue.spec.types import DataType


_EXACT = 10.0**15
"""Statistics are JSON numbers: with more digits their readers round what has a fraction."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is certain of the values of a column.

    Attributes:
        nulls: How many are null; None if not known.
        low: No value is smaller; None if not known, or if all are null.
        high: No value is greater.
        exact: Whether both bounds are values of the column.
        discrete: Whether there are but whole numbers.
    """

    nulls: int | None = None
    low: Any = None
    high: Any = None
    exact: bool = False
    discrete: bool = False


def find_bounds(files: Sequence[DataFile], name: str, type_: DataType) -> Bounds:
    """Return what the statistics of a table's files prove of a column.

    Args:
        files: All files of the table, with Delta Lake's statistics.
        name: Name of the column.
        type_: Its type.

    Example:
        >>> from segue.spec.output import DataFile
        >>> from segue.spec.types import DataType
        >>> told = {"minValues": {"n": 1}, "maxValues": {"n": 9}, "nullCount": {"n": 2}}
        >>> find_bounds([DataFile("a", 10, 100, stats=told)], "n", DataType("int64"))
        Bounds(nulls=2, low=1, high=9, exact=True, discrete=True)
        >>> find_bounds([DataFile("a", 10, 100)], "n", DataType("int64"))
        Bounds(nulls=None, low=None, high=None, exact=False, discrete=False)
    """
    filled = [file for file in files if file.rows]
    nulls = [_find(file, "nullCount", name) for file in filled]
    total = None if None in nulls else sum(nulls)
    valued = [file for file, count in zip(filled, nulls, strict=True) if count != file.rows]
    lows = [_find(file, "minValues", name) for file in valued]
    highs = [_find(file, "maxValues", name) for file in valued]
    if not valued or not all(_fits(value, type_) for value in (*lows, *highs)):
        return Bounds(total)
    exact = all(file.stats.get("tightBounds", True) for file in valued)
    low, high = min(lows, key=_order), max(highs, key=_order)
    return Bounds(total, low, high, exact, plain_type(type_).is_integer)


def _find(file: DataFile, part: str, name: str) -> Any:
    return file.stats.get(part, {}).get(name)


def _order(value: Any) -> Any:
    """Return what values order by: moments without the sign of their zone, which is always UTC."""
    return value.removesuffix("Z") if isinstance(value, str) else value


def _fits(value: Any, type_: DataType) -> bool:
    """Return whether a statistic orders as the column's values do.

    A type that is stored as another one (a time as a number) has statistics of that one.
    """
    plain = plain_type(type_)
    if isinstance(value, bool) or value is None:
        return False
    if plain.is_integer:
        return isinstance(value, int)
    if plain.kind == "decimal" and isinstance(value, float):
        return bool(abs(value) * 10 ** int(plain.arguments[1]) < _EXACT)
    if plain.is_float or plain.kind == "decimal":
        return isinstance(value, int | float)
    if plain.kind == "timestamp":
        # statistics count microseconds; a finer value may lie beyond them
        fine = plain.arguments[:1] == ("ns",)
        zoned = len(plain.arguments) > 1
        return isinstance(value, str) and not fine and value.endswith("Z") == zoned
    return isinstance(value, str) and plain.kind in ("string", "date")


def write_values(name: str, values: Sequence[Any], type_: DataType) -> str:
    """Return the SELECT of a few values as a column of their type; empty if it can't be written.

    Example:
        >>> from segue.spec.types import DataType
        >>> write_values("n", (1, 9), DataType("int64"))
        'select 1 as "n" union all select 9 as "n"'
    """
    try:
        literals = [write_literal(value, plain_type(type_)) for value in values]
    except ValueError:
        return ""
    if None in literals:
        return ""
    quoted = quote_identifier(name)
    return " union all ".join(f"select {literal} as {quoted}" for literal in literals)
