"""Which columns tell the rows of a table apart, and which rows repeat others."""

from __future__ import annotations

from itertools import combinations
from math import prod
from typing import TYPE_CHECKING

from segue.judge.profiling.values import KEY_NAME
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.protocols import Session
    from segue.spec.profile import ColumnProfile

    _Columns = tuple[ColumnProfile, ...]

_CANDIDATES = 10
"""Columns of which combinations are tried."""
_WIDEST = 3
"""Most columns of a combination."""
_TOLD = 3
_ROWS = 20_000
"""About how many rows combinations are tried on first."""
_AT_ONCE = 30
_LEAST_ROWS = 20
"""Rows below which a combination that tells them apart is chance."""
_MOST_ROWS = 20_000_000
"""Rows up to which those that repeat others are counted."""


def find_keys(
    session: Session, table: str, columns: Sequence[ColumnProfile]
) -> tuple[tuple[str, ...], ...]:
    """Return single columns that tell all rows apart, else the smallest combinations.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        columns: What is known of its columns.
    """
    single = [column for column in columns if column.key and can_be_key(column)]
    if single:
        single.sort(key=lambda column: not KEY_NAME.search(column.name))
        return tuple((column.name,) for column in single)
    rows = columns[0].rows if columns else 0
    if rows < _LEAST_ROWS:
        return ()
    for width in range(2, _WIDEST + 1):
        tried = _choose_combinations(columns, width, rows)
        if tried and (found := _try(session, table, tried, rows)):
            return tuple(found)
    return ()


def can_be_key(column: ColumnProfile) -> bool:
    """Return whether a column is of a type that keys have."""
    type_ = column.type
    whole = type_.is_integer or (type_.kind == "decimal" and type_.arguments[1] == 0)
    return whole or type_.kind in ("string", "date", "timestamp", "binary", "categorical")


def _choose_combinations(columns: Sequence[ColumnProfile], width: int, rows: int) -> list[_Columns]:
    """Return combinations with enough values to tell all rows apart."""
    able = [
        (position, column)
        for position, column in enumerate(columns)
        if not column.nulls and column.distinct > 1 and can_be_key(column)
    ]
    # names that sound like keys, then texts and times, then what stands first
    able.sort(key=lambda pair: (not KEY_NAME.search(pair[1].name), _is_number(pair[1]), pair[0]))
    chosen = [column for _, column in sorted(able[:_CANDIDATES], key=lambda pair: pair[0])]
    return [
        some
        for some in combinations(chosen, width)
        if prod(column.distinct for column in some) >= rows
    ]


def _is_number(column: ColumnProfile) -> bool:
    return column.type.is_integer or column.type.kind == "decimal"


def _try(
    session: Session, table: str, tried: Sequence[_Columns], rows: int
) -> list[tuple[str, ...]]:
    """Return combinations under which no two rows are alike."""
    found: list[tuple[str, ...]] = []
    for some in _screen(session, table, tried, rows // _ROWS):
        if _is_apart(session, table, some):
            found.append(tuple(column.name for column in some))
        if len(found) == _TOLD:
            break
    return found


def _screen(
    session: Session, table: str, tried: Sequence[_Columns], classes: int
) -> list[_Columns]:
    """Leave out combinations that some of the rows refute already."""
    if classes <= 1:
        return list(tried)
    anchor = max({each for some in tried for each in some}, key=lambda each: each.distinct)
    # rows with the same value stay together, so that what repeats is seen
    source = (
        f"(select * from {quote_identifier(table)} "
        f"where hash({quote_identifier(anchor.name)}) % {classes} = 0)"
    )
    left: list[_Columns] = []
    for first in range(0, len(tried), _AT_ONCE):
        some = tried[first : first + _AT_ONCE]
        listed = ", ".join(
            f"count(distinct hash({_name_all(each)})) = count(*) as p{at}"
            for at, each in enumerate(some)
        )
        row = session.fetch(f"select {listed} from {source}")
        left += [each for each, told in zip(some, row.columns, strict=True) if told[0].as_py()]
    return left


def _name_all(some: _Columns) -> str:
    return ", ".join(quote_identifier(column.name) for column in some)


def _is_apart(session: Session, table: str, some: _Columns) -> bool:
    repeated = (
        f"select 1 as one from {quote_identifier(table)} "
        f"group by {_name_all(some)} having count(*) > 1 limit 1"
    )
    found: int = session.fetch(repeated).num_rows
    return found == 0


def count_duplicates(
    session: Session, table: str, columns: Sequence[ColumnProfile], rows: int
) -> int | None:
    """Return how many rows repeat an earlier one in all columns; None if there are too many."""
    if not columns or rows <= 1 or any(column.key for column in columns):
        return 0
    if rows > _MOST_ROWS:
        return None
    hashed = f"(select hash({', '.join(map(_write_value, columns))}) as h from "
    row = session.fetch(
        "select coalesce(sum(n - 1), 0)::bigint as n from (select count(*) as n from "
        f"{hashed}{quote_identifier(table)}) group by h)"
    )
    found: int = row.column(0)[0].as_py()
    return found


def _write_value(column: ColumnProfile) -> str:
    name = quote_identifier(column.name)
    # DuckDB's hash of an interval leaves a part of it aside
    return f"{name}::varchar" if column.type.kind == "duration" else name
