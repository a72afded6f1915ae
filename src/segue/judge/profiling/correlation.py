"""Which numbers of a table go together."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

from segue.judge.profiling.kinds import Kind, kind_of
from segue.spec.profile import Correlation
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.protocols import Session
    from segue.spec.profile import ColumnProfile

MOST_COLUMNS = 30
"""Numbers up to which all pairs are measured: 435 pairs."""
_ROWS = 1_000_000
"""About how many rows are looked at."""
_LEAST_ROWS = 10
_LEAST = 0.3
_TOLD = 30


def find_correlations(
    session: Session, table: str, columns: Sequence[ColumnProfile]
) -> tuple[Correlation, ...] | None:
    """Return the pairs of numbers that go together, the closest first.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        columns: What is known of its columns.

    Returns:
        None if there are too many numbers to look at all pairs.
    """
    numbers = [column for column in columns if _varies(column)]
    rows = columns[0].rows if columns else 0
    if rows < _LEAST_ROWS or len(numbers) < 2:  # noqa: PLR2004  # a pair
        return ()
    if len(numbers) > MOST_COLUMNS:
        return None
    classes = rows // _ROWS
    pairs = list(combinations(range(len(numbers)), 2))
    listed = ", ".join(f"corr(c{one}, c{two}) as p{at}" for at, (one, two) in enumerate(pairs))
    row = session.fetch(f"select {listed} from {_write_numbers(table, numbers, classes)}")
    (told,) = row.to_pylist()
    found = [
        Correlation(numbers[one].name, numbers[two].name, value, classes > 1)
        for (one, two), value in zip(pairs, told.values(), strict=True)
        if value is not None and math.isfinite(value) and abs(value) >= _LEAST
    ]
    found.sort(key=lambda each: -abs(each.value))
    return tuple(found[:_TOLD])


def _varies(column: ColumnProfile) -> bool:
    return (
        kind_of(column.type) is Kind.NUMBER
        and not column.sensitive
        and column.stddev is not None
        and column.stddev > 0
    )


def _write_numbers(table: str, numbers: Sequence[ColumnProfile], classes: int) -> str:
    listed = []
    for at, column in enumerate(numbers):
        name = f"{quote_identifier(column.name)}::double"
        # scaled, so that squares of large numbers stay numbers
        size = max(abs(float(end)) for end in (column.low or 0, column.high or 0)) or 1.0
        value = f"{name} / {size!r}"
        whole = f"case when isfinite({name}) then {value} end"
        listed.append(f"{whole if column.type.is_float else value} as c{at}")
    some = f" where hash({', '.join(_name_all(numbers))}) % {classes} = 0" if classes > 1 else ""
    return f"(select {', '.join(listed)} from {quote_identifier(table)}{some})"


def _name_all(columns: Sequence[ColumnProfile]) -> list[str]:
    return [quote_identifier(column.name) for column in columns]
