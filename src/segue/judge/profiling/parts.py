"""The columns of a table, some at a time: read once, and held while they are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.judge.profiling.kinds import Kind, kind_of
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.protocols import Session
    from segue.spec.types import Column, TableSchema

MOST_COLUMNS = 32
"""Columns of one part."""
_HELD = 256 * 2**20
"""Bytes of rows that are held at once, roughly."""
_FIXED = 8
"""Bytes of a number or a time."""
_HEAD = 10_000
"""Rows whose texts tell how long texts are."""
_PART = "segue: part"


def hold_parts(
    session: Session, table: str, schema: TableSchema, rows: int
) -> Iterator[tuple[str, tuple[Column, ...]]]:
    """Go through the columns of a table, as many at a time as can be held.

    A column that alone takes too much is left where it is.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        schema: Its columns.
        rows: How many rows it has.

    Returns:
        Each time, columns and the name by which a table of them is known until the next.
    """
    for part, size in _cut(schema, measure_columns(session, table, schema, rows)):
        if size > 2 * _HELD:
            yield table, part
            continue
        names = ", ".join(quote_identifier(column.name) for column in part)
        session.bind(_PART, session.fetch(f"select {names} from {quote_identifier(table)}"))
        try:
            yield _PART, part
        finally:
            session.unbind(_PART)


def _cut(schema: TableSchema, sizes: Sequence[float]) -> Iterator[tuple[tuple[Column, ...], float]]:
    part: list[Column] = []
    held = 0.0
    for column, size in zip(schema, sizes, strict=True):
        if part and (held + size > _HELD or len(part) == MOST_COLUMNS):
            yield tuple(part), held
            part, held = [], 0.0
        part.append(column)
        held += size
    if part:
        yield tuple(part), held


def measure_columns(
    session: Session, table: str, schema: TableSchema, rows: int
) -> tuple[float, ...]:
    """Return about how many bytes each column takes in memory."""
    long = [column for column in schema if kind_of(column.type) in (Kind.TEXT, Kind.OTHER)]
    found: dict[str, float] = {}
    for first in range(0, len(long), MOST_COLUMNS):
        some = long[first : first + MOST_COLUMNS]
        names = ", ".join(quote_identifier(column.name) for column in some)
        means = ", ".join(
            f"avg(strlen({quote_identifier(column.name)}::varchar)) as c{at}"
            for at, column in enumerate(some)
        )
        (told,) = session.fetch(
            f"select {means} from (select {names} from {quote_identifier(table)} limit {_HEAD})"
        ).to_pylist()
        found |= {
            column.name: mean or 0.0 for column, mean in zip(some, told.values(), strict=True)
        }
    return tuple(rows * (_FIXED + found.get(column.name, 0.0)) for column in schema)
