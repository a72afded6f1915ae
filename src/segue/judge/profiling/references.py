"""Which columns of a table are likely to refer to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.judge.profiling.kinds import write_column
from segue.spec.profile import Reference
from segue.spec.sql import quote_identifier
from segue.spec.types import Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols import Session
    from segue.spec.profile import ColumnProfile, Profile
    from segue.spec.types import DataType, TableSchema

_LEAST_FOUND = 0.9
"""Share of the values that must stand in the other table."""
_LEAST_NAMED = 0.5
"""The same where the name says which table is meant."""
_LEAST_VALUES = 3
"""Values below which it may be chance that they stand in another table."""
_MOST_VALUES = 2_000_000
_MOST_ROWS = 5_000_000
"""Rows of another table up to which it is looked at."""
_MOST_COLUMNS = 100
_NEARLY = 0.8
"""Estimated share of different values from which a column is counted."""
_MOST_TESTS = 200
_PLAIN_KEYS = ("id", "key", "code", "no", "nr", "number", "uuid")


def find_references(
    session: Session, profile: Profile, others: Mapping[str, TableSchema]
) -> tuple[Reference, ...]:
    """Return the columns whose values stand in a key of another table, the surest first.

    Texts may refer to a key of any name; whole numbers only to one whose name fits, for small
    numbers stand in any table.

    Args:
        session: Engine in which all tables are bound.
        profile: What is in the table.
        others: Columns of the other tables.
    """
    found: dict[str, Reference] = {}
    tests = 0
    for table, schema in others.items():
        keys = _find_keys(session, table, schema)
        for column in filter(_may_refer, profile.columns):
            for key, values in keys.items():
                if not _fits(column, table, key, values):
                    continue
                tests += 1
                if tests > _MOST_TESTS:
                    return _sort(found)
                reference = _look_up(session, profile.table, column, table, key)
                if reference and _beats(reference, found.get(column.name)):
                    found[column.name] = reference
    return _sort(found)


def _sort(found: Mapping[str, Reference]) -> tuple[Reference, ...]:
    return tuple(sorted(found.values(), key=lambda each: each.missing / each.distinct))


def _beats(reference: Reference, other: Reference | None) -> bool:
    if other is None:
        return True
    ranks = [
        (each.missing / each.distinct, not names_fit(each.column, each.table, each.other))
        for each in (reference, other)
    ]
    return ranks[0] < ranks[1]


def _may_refer(column: ColumnProfile) -> bool:
    return _is_plain(column.type) and _LEAST_VALUES <= column.distinct <= _MOST_VALUES


def _find_keys(session: Session, table: str, schema: TableSchema) -> dict[Column, int]:
    """Return the columns that tell all rows of a table apart, with the number of their values."""
    source = quote_identifier(table)
    rows = _count(session, f"select count(*) from {source}")
    able = [column for column in schema if _is_plain(column.type)][:_MOST_COLUMNS]
    if not able or not _LEAST_VALUES <= rows <= _MOST_ROWS:
        return {}
    counted = (f"approx_count_distinct({write_column(each)})" for each in able)
    listed = ", ".join(f"{text} as c{at}" for at, text in enumerate(counted))
    (about,) = session.fetch(f"select {listed} from {source}").to_pylist()
    return {
        column: rows
        for column, values in zip(able, about.values(), strict=True)
        # an estimate first: only what comes near is counted
        if values >= _NEARLY * rows
        and rows == _count(session, f"select count(distinct {write_column(column)}) from {source}")
    }


def _count(session: Session, query: str) -> int:
    found: int = session.fetch(query).column(0)[0].as_py()
    return found


def _is_plain(type_: DataType) -> bool:
    return type_.is_integer or type_.kind in ("string", "categorical")


def _fits(column: ColumnProfile, table: str, key: Column, values: int) -> bool:
    """Return whether it is worth to look the values of a column up."""
    if column.distinct * _least(column.name, table, key) > values:
        return False
    if column.type.is_integer != key.type.is_integer:
        return False
    return not column.type.is_integer or names_fit(column.name, table, key.name)


def _least(column: str, table: str, key: Column) -> float:
    return _LEAST_NAMED if names_fit(column, table, key.name) else _LEAST_FOUND


def names_fit(column: str, table: str, key: str) -> bool:
    """Return whether a column sounds as if it referred to the key of a table.

    Example:
        >>> names_fit("customer_id", "customers", "id"), names_fit("month", "planes", "seats")
        (True, False)
    """
    name, known, end = (text.casefold().replace("_", "") for text in (column, table, key))
    singular = known.removesuffix("s")
    named = (known, singular, known.removesuffix("es"))
    if end in _PLAIN_KEYS:
        return any(name in (f"{each}{end}", each) for each in named)
    return name == end or any(name == f"{each}{end}" for each in named)


def _look_up(
    session: Session, table: str, column: ColumnProfile, other: str, key: Column
) -> Reference | None:
    own = write_column(Column(column.name, column.type))
    (row,) = session.fetch(
        f"select count(*) as n, count(k) as found from (select distinct {own} as v "
        f"from {quote_identifier(table)} where {quote_identifier(column.name)} is not null) "
        f"left join (select {write_column(key)} as k from {quote_identifier(other)}) on v = k"
    ).to_pylist()
    if not row["n"] or row["found"] < _least(column.name, other, key) * row["n"]:
        return None
    return Reference(column.name, other, key.name, row["n"] - row["found"], row["n"])
