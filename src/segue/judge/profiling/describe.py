"""Describe every column of a table, in two passes over its rows."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from segue.judge.profiling import shown as _profile_html  # noqa: F401  # how notebooks show it
from segue.judge.profiling.correlation import MOST_COLUMNS, find_correlations
from segue.judge.profiling.facts import Facts, find_facts
from segue.judge.profiling.keys import count_duplicates, find_keys
from segue.judge.profiling.kinds import read_value
from segue.judge.profiling.parts import hold_parts
from segue.judge.profiling.spread import Spread, find_spread
from segue.judge.profiling.texts import read_texts
from segue.judge.profiling.values import Values, find_values
from segue.spec.profile import ColumnProfile, Profile
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from segue.protocols import Session
    from segue.spec.profile import Correlation
    from segue.spec.types import TableSchema


def profile_table(
    session: Session, table: str, schema: TableSchema, sensitive: Collection[str] = ()
) -> Profile:
    """Describe every column of a table.

    Args:
        session: The local engine, in which the table is bound to something that is read column
            by column: files of Parquet, or rows in memory.
        table: Name of the table.
        schema: Its columns.
        sensitive: Columns whose values are kept out.

    Returns:
        What is in it; which columns refer to other tables is left open.
    """
    began = perf_counter()
    rows: int = session.fetch(f"select count(*) from {quote_identifier(table)}")[0][0].as_py()
    columns: list[ColumnProfile] = []
    for name, part in hold_parts(session, table, schema, rows):
        facts = find_facts(session, name, part, sensitive)
        spread = find_spread(session, name, facts)
        values = find_values(session, name, facts)
        columns += [
            _describe(each, spread.get(each.column.name, Spread()), values[each.column.name])
            for each in facts
        ]
    correlations = find_correlations(session, table, columns)
    profile = Profile(
        table,
        rows,
        tuple(columns),
        keys=find_keys(session, table, columns),
        duplicates=count_duplicates(session, table, columns, rows),
        correlations=correlations or (),
    )
    notes = tuple(_note(profile, correlations))
    return replace(profile, notes=notes, seconds=perf_counter() - began)


def _describe(facts: Facts, spread: Spread, values: Values) -> ColumnProfile:
    column = facts.column
    texts = None
    if facts.lengths is not None:
        texts = read_texts(facts.lengths, values.texts, sampled=values.sampled)
    return ColumnProfile(
        name=column.name,
        type=column.type,
        rows=facts.rows,
        nulls=facts.rows - facts.values,
        distinct=values.distinct,
        exact=values.exact,
        unique=values.unique,
        low=read_value(facts.low, column.type),
        high=read_value(facts.high, column.type),
        mean=facts.mean,
        stddev=facts.stddev,
        zeros=facts.zeros,
        negatives=facts.negatives,
        nans=facts.nans,
        infinite=facts.infinite,
        quantiles=spread.quantiles,
        exact_quantiles=spread.exact,
        histogram=spread.histogram,
        frequent=values.frequent,
        text=texts,
        sensitive=facts.sensitive,
    )


def _note(profile: Profile, correlations: tuple[Correlation, ...] | None) -> Iterator[str]:
    """Go through what was not looked at, or not exactly."""
    if correlations is None:
        yield f"correlations are left out: the table has more than {MOST_COLUMNS} numbers"
    if profile.duplicates is None:
        yield f"repeated rows were not counted: there are {profile.rows:,} rows"
    about = sum(not column.exact for column in profile.columns)
    if about:
        yield (
            f"distinct values of {_count(about)} are estimates, from all rows of some of the values"
        )
    if any(not column.exact_quantiles for column in profile.columns):
        yield "quantiles are estimates"
    sampled = sum(column.text is not None and column.text.sampled for column in profile.columns)
    if sampled:
        yield f"patterns and formats of {_count(sampled)} are those of some of the values"
    masked = sum(column.sensitive for column in profile.columns)
    if masked:
        yield f"values of {_count(masked)} are kept out: sensitive, or made from what is"


def _count(columns: int) -> str:
    return f"{columns:,} column{'' if columns == 1 else 's'}"
