"""A look at failing rows: a sample of them, and what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from segue.judge.drawn import draw_failing, find_located
from segue.judge.explain import (
    choose_failed,
    explain_failing,
    find_drawn,
    tell_common,
)
from segue.judge.facets import find_facets, read_key
from segue.judge.gather import REFUSALS
from segue.judge.sample import ROWS, SampleColumns, sample_failing
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from segue.judge.drawn import Drawn
    from segue.judge.explain import Failed
    from segue.judge.facets import Facet
    from segue.protocols import Session
    from segue.spec.scan import Located
    from segue.spec.types import TableSchema


class Failures(NamedTuple):
    """What is known of failing rows, by the name of the check.

    Attributes:
        samples: Some of them.
        shared: What they have in common, in words.
    """

    samples: Mapping[str, tuple[Mapping[str, Any], ...]]
    shared: Mapping[str, tuple[str, ...]]


def look_into_failing(
    session: Session,
    table: str,
    judged: Sequence[Failed],
    schema: TableSchema,
    sensitive: Collection[str],
) -> Failures:
    """Return a sample of the failing rows of each check, and what they have in common.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        judged: Checks, each with what it came to.
        schema: Columns of the table.
        sensitive: Columns whose values are masked, and stay untold.
    """
    broken = [(one, found) for one, found in judged if found.failing and one.failing]
    if not broken:
        return Failures({}, {})
    located = find_located(session, table)
    try:
        return _look(session, table, broken, located, schema, sensitive)
    finally:
        if located:
            session.unbind(located.name)


def _look(
    session: Session,
    table: str,
    broken: Sequence[Failed],
    located: Located | None,
    schema: TableSchema,
    sensitive: Collection[str],
) -> Failures:
    failed = choose_failed(table, broken)
    files = located.files if located else {}
    facets = find_facets([one.check for one, _ in failed], schema, sensitive, files)
    source = _write_source(table, located)
    compiled = [one for one, _ in broken]
    whole = [one for one in compiled if one.source in ("", table)]
    if whole and located and located.numbered:
        columns = SampleColumns.choose(whole, schema, sensitive)
        values = {**columns.values, **{f"k{at}": facet.key for at, facet in enumerate(facets)}}
        drawn = draw_failing(session, table, located, [o.failing for o in whole], values, ROWS)
        if drawn is not None:
            named = {one.check.name: each for one, each in zip(whole, drawn, strict=True)}
            samples = {
                one.check.name: tuple(columns.name(row, one.check.columns) for row in each.first)
                for one, each in zip(whole, drawn, strict=True)
            }
            others = [one for one in compiled if one.check.name not in named]
            samples |= sample_failing(session, table, others, schema, sensitive)
            return Failures(samples, _explain_drawn(session, source, failed, facets, named))
    samples = sample_failing(session, table, compiled, schema, sensitive)
    shared = explain_failing(session, source, failed, facets) if failed else {}
    return Failures(samples, shared)


def _write_source(table: str, located: Located | None) -> str:
    name = quote_identifier(table)
    return f"{quote_identifier(located.name)} as {name}" if located else name


def _explain_drawn(
    session: Session,
    source: str,
    failed: Sequence[Failed],
    facets: Sequence[Facet],
    drawn: Mapping[str, Drawn],
) -> dict[str, tuple[str, ...]]:
    keys = range(len(facets))
    rows = [
        [[read_key(row[f"k{at}"]) for at in keys] for row in drawn[one.check.name].spread]
        for one, _ in failed
    ]
    try:
        return tell_common(session, source, failed, find_drawn(failed, facets, rows), len(facets))
    except REFUSALS:  # a courtesy: what was counted stands
        return {}
