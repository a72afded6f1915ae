"""Patterns and lists of values that are held against each different text once, not each row.

That pays where a column of many rows has few texts, which Parquet stores as a dictionary:
grouping by it costs a twentieth of matching a pattern row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.compile import MANY, ROWS
from segue.judge.gather import REFUSALS, fetch_row
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.judge.compile import CompiledCheck
    from segue.protocols import Session
    from segue.spec.types import TableSchema

_DRAWN = 20_000
_DRAWN_TEXTS = 1_000
"""Different texts among the first rows from which on a column is left to the scan of all checks."""
_TEXTS = 20_000
"""The same among all rows."""
_COUNT = "__segue_count"

Counted = tuple[Any, str]
"""What was counted, and the query that did."""


def count_by_value(
    session: Session,
    table: str,
    compiled: Sequence[CompiledCheck],
    schema: TableSchema,
    answers: Mapping[str, Any],
) -> dict[str, Counted]:
    """Return counts of failing rows of columns with few texts, by their expressions.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        compiled: The checks.
        schema: Columns of the table.
        answers: What the statistics of the table's files told; without them nothing is counted,
            for grouping pays only where columns are stored apart.
    """
    if answers.get(ROWS, 0) < MANY:
        return {}
    texts = {each.name for each in schema if each.type.kind in ("string", "categorical")}
    asked: dict[str, list[CompiledCheck]] = {}
    for one in compiled:
        if (
            one.measure not in answers
            and _can_count(one, table)
            and set(one.check.columns) <= texts
        ):
            asked.setdefault(one.check.columns[0], []).append(one)
    try:
        few = _find_few(session, table, list(asked))
        counted: dict[str, Counted] = {}
        for name in few:
            counted |= _count(session, table, name, asked[name])
    except REFUSALS:  # then the scan of all checks tells what is wrong
        return {}
    return counted


def _can_count(one: CompiledCheck, table: str) -> bool:
    """Return whether a check counts rows of the whole table by the value of one column."""
    plain = one.source == table and not one.by and not one.check.slice.where
    counts = one.measure == f"count(*) filter (where {one.failing})"
    return plain and counts and bool(getattr(one.kind, "pointwise", False))


def _find_few(session: Session, table: str, names: Sequence[str]) -> list[str]:
    """Return the columns that have few texts: judged by some rows, and those then by all."""
    columns = ", ".join(map(quote_identifier, names))
    for source, most in (
        (f"(select {columns} from {quote_identifier(table)} limit {_DRAWN})", _DRAWN_TEXTS),
        (quote_identifier(table), _TEXTS),
    ):
        if not names:
            break
        counts = ", ".join(f"approx_count_distinct({quote_identifier(name)})" for name in names)
        found = fetch_row(session, f"select {counts} from {source}")
        names = [name for name, count in zip(names, found, strict=True) if count <= most]
    return list(names)


def _count(
    session: Session, table: str, name: str, checks: Sequence[CompiledCheck]
) -> dict[str, Counted]:
    column = quote_identifier(name)
    grouped = (
        f"(select {column}, count(*) as {_COUNT} from {quote_identifier(table)} group by {column})"
    )
    sums = [f"coalesce(sum({_COUNT}) filter (where {one.failing}), 0)::bigint" for one in checks]
    row = fetch_row(session, f"select {', '.join(sums)} from {grouped}")
    return {
        one.measure: (value, f"select {text} from {grouped}")
        for one, value, text in zip(checks, row, sums, strict=True)
    }
