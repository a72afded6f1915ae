"""What is in a table, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from segue.spec.shown import Shown

if TYPE_CHECKING:
    from segue.spec.types import DataType

Plain = int | float | Decimal | str
"""A value: numbers as numbers, all else as text."""


@dataclass(frozen=True, slots=True)
class ValueCount:
    """A value, or a pattern, and how many rows have it."""

    value: str
    rows: int


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram.

    Attributes:
        low: Where it begins, which is inside.
        high: Where it ends, which is outside but for the last one.
        rows: Rows whose value lies in it.
    """

    low: Plain
    high: Plain
    rows: int


@dataclass(frozen=True, slots=True)
class TextProfile:
    """What texts look like.

    Attributes:
        shortest: Characters of the shortest.
        longest: Characters of the longest.
        mean: Characters on average.
        empty: How many are empty.
        patterns: Most frequent patterns: ``A`` and ``a`` stand for letters, ``9`` for a digit,
            ``+`` for more of the same.
        format: What most are written as, such as ``email``; empty if there is no such thing.
        formatted: Share of the values that were looked at which are written so.
        sampled: Whether patterns and format were taken from a sample of the values.
    """

    shortest: int
    longest: int
    mean: float
    empty: int
    patterns: tuple[ValueCount, ...] = ()
    format: str = ""
    formatted: float = 0.0
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What is in a column.

    Attributes:
        name: Its name.
        type: Its type.
        rows: Rows of the table.
        nulls: How many of its values are null.
        distinct: How many values it has, null left aside.
        exact: Whether they were counted; else `distinct` is an estimate.
        unique: Whether no value comes twice, null left aside; None if nobody counted.
        low: Smallest value; None where there is none, or the column is sensitive.
        high: Largest value.
        mean: Mean of the finite values of a number.
        stddev: Standard deviation of a sample, of the same.
        zeros: How many are zero.
        negatives: How many are below zero.
        nans: How many are NaN.
        infinite: How many are infinite.
        quantiles: Shares (0.25 for the first quartile) and the values below which they lie.
        exact_quantiles: Whether quantiles are exact; else they are estimates.
        histogram: Bars of the same width.
        frequent: Most frequent values, the first the most frequent, with their rows.
        text: What texts look like; None for other types.
        sensitive: Whether values were kept out.
    """

    name: str
    type: DataType
    rows: int
    nulls: int
    distinct: int = 0
    exact: bool = True
    unique: bool | None = None
    low: Plain | None = None
    high: Plain | None = None
    mean: float | None = None
    stddev: float | None = None
    zeros: int | None = None
    negatives: int | None = None
    nans: int = 0
    infinite: int = 0
    quantiles: tuple[tuple[float, Plain], ...] = ()
    exact_quantiles: bool = True
    histogram: tuple[Bin, ...] = ()
    frequent: tuple[ValueCount, ...] = ()
    text: TextProfile | None = None
    sensitive: bool = False

    @property
    def values(self) -> int:
        """How many of its values are not null."""
        return self.rows - self.nulls

    @property
    def constant(self) -> bool:
        """Whether all rows have the same value."""
        return self.rows > 1 and self.exact and not self.nulls and self.distinct == 1

    @property
    def key(self) -> bool:
        """Whether it tells all rows apart."""
        return self.rows > 0 and not self.nulls and bool(self.unique)


@dataclass(frozen=True, slots=True)
class Reference:
    """A column whose values stand in another table.

    Attributes:
        column: The column.
        table: The other table.
        other: Its column, which is a key there.
        missing: How many of the column's values are not found.
        distinct: How many values the column has.
    """

    column: str
    table: str
    other: str
    missing: int
    distinct: int


@dataclass(frozen=True, slots=True)
class Correlation:
    """Two columns of numbers that go together.

    Attributes:
        column: One of them.
        other: The other one.
        value: Pearson's coefficient, from -1 to 1.
        sampled: Whether it was measured on some of the rows.
    """

    column: str
    other: str
    value: float
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class Profile(Shown):
    """What is in a table.

    Attributes:
        table: Its name.
        rows: How many rows it has.
        columns: Its columns, in order.
        keys: Columns that together tell all rows apart: single columns, or the smallest
            combinations that were found where there is none.
        duplicates: Rows that repeat an earlier one; None if nobody counted.
        references: Columns whose values stand in another table.
        correlations: Pairs of numbers that go together most.
        notes: What was not looked at, or not exactly, and why.
        seconds: How long it took.
    """

    table: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    keys: tuple[tuple[str, ...], ...] = ()
    duplicates: int | None = None
    references: tuple[Reference, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def constant(self) -> tuple[str, ...]:
        """Names of columns that have the same value in all rows."""
        return tuple(column.name for column in self.columns if column.constant)

    @property
    def empty(self) -> tuple[str, ...]:
        """Names of columns that have no value."""
        return tuple(column.name for column in self.columns if self.rows and not column.values)

    def find(self, name: str) -> ColumnProfile | None:
        """Return the column called `name`, letter for letter, or None."""
        return next((column for column in self.columns if column.name == name), None)
