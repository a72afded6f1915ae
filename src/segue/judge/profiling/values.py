"""The second pass of a profile: which values a column has, and how often.

Values of a column are grouped. Where there are too many, only those are whose hash falls into
one of many classes: each of them is counted exactly, so that their number times the number of
classes is a close estimate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.judge.profiling.kinds import Kind, write_column
from segue.judge.profiling.texts import write_formats, write_shape, write_short_shape
from segue.spec.profile import ValueCount
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from segue.judge.profiling.facts import Facts
    from segue.protocols import Session

FREQUENT = 20
"""Most frequent values that are told."""
KEY_NAME = re.compile(r"(?:^|_)(?:id|key|code|uuid|guid|sku|no|nr|number)$|[a-z](?:Id|ID|Key)$")
"""Names of columns that are likely to be keys."""
_CUT = 200
"""Characters of a value that are told."""
_MOST = 2_000_000
"""About how many values are grouped at most."""
_MOST_LOOSE = 100_000
"""The same, of floating-point numbers and nested values, which are hardly ever keys."""
_SAMPLED = 50_000
_LOOKED = 10_000
"""About how many texts are looked at closely."""
_HELD = 256 * 2**20
"""Bytes that the groups of one query may take, roughly."""
_GROUP = 64
"""Bytes of a group beside its text."""
_CHUNK = 8


@dataclass(frozen=True, slots=True)
class Values:
    """Which values a column has.

    Attributes:
        distinct: How many.
        exact: Whether all were grouped.
        unique: Whether none comes twice; None if that is not sure.
        frequent: Most frequent values with their rows.
        texts: What patterns and formats were found; None for other types.
        sampled: Whether those are of some of the values only.
    """

    distinct: int = 0
    exact: bool = True
    unique: bool | None = None
    frequent: tuple[ValueCount, ...] = ()
    texts: Mapping[str, Any] | None = field(default=None, hash=False)
    sampled: bool = False


def find_values(session: Session, table: str, facts: Sequence[Facts]) -> dict[str, Values]:
    """Return which values columns have, by name.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        facts: What the first pass found.
    """
    found: dict[str, Values] = {each.column.name: Values() for each in facts if not each.values}
    for some in _pack([each for each in facts if each.values]):
        query = " union all ".join(_write_values(table, at, one) for at, one in enumerate(some))
        for told in session.fetch(query).to_pylist():
            one = some[told["at"]]
            found[one.column.name] = _read_values(one, told)
    return found


def choose_classes(facts: Facts) -> int:
    """Return the number of classes of hashes of which one is looked at; 1 for all values."""
    loose = facts.column.type.is_float or facts.kind is Kind.OTHER
    if facts.about <= (_MOST_LOOSE if loose else _MOST):
        return 1
    return max(2, facts.about // _SAMPLED)


def _pack(facts: Sequence[Facts]) -> Iterator[list[Facts]]:
    """Put columns together whose groups fit into memory at once."""
    some: list[Facts] = []
    held = 0.0
    for one in facts:
        size = facts_size(one)
        if some and (held + size > _HELD or len(some) == _CHUNK):
            yield some
            some, held = [], 0.0
        some.append(one)
        held += size
    if some:
        yield some


def facts_size(facts: Facts) -> float:
    """Return roughly how many bytes the groups of a column take."""
    length = facts.lengths[2] if facts.lengths else 0
    return facts.about / choose_classes(facts) * (_GROUP + length)


def _write_values(table: str, at: int, facts: Facts) -> str:
    """Return a SELECT of one row about the values of a column."""
    name = quote_identifier(facts.column.name)
    value = write_column(facts.column)
    classes = choose_classes(facts)
    some = f" and hash({value}) % {classes} = 0" if classes > 1 else ""
    grouped = (
        f"g as materialized (select v, count(*) as n from (select {value} as v "
        f"from {quote_identifier(table)} where {name} is not null{some}) group by v)"
    )
    frequent = "null::struct(v varchar, n bigint)[]"
    if not (facts.sensitive or facts.kind is Kind.OTHER):
        first = f"select * from g order by n desc, v limit {FREQUENT}"
        frequent = (
            f"(select list({{'v': left(v::varchar, {_CUT}), 'n': n}} order by n desc, v) "
            f"from ({first}))"
        )
    ctes, texts = grouped, "null"
    if facts.kind is Kind.TEXT and not facts.sensitive:
        ctes, texts = f"{grouped}, {_write_shapes(facts, classes)}", _write_texts()
    return (
        f"select * from (with {ctes} select {at} as at, (select count(*) from g) as distinct_, "
        f"(select max(n) from g) as most, {frequent} as frequent, {texts} as texts)"
    )


def _close_classes(facts: Facts, classes: int) -> int:
    return max(1, facts.about // classes // _LOOKED)


def _write_shapes(facts: Facts, classes: int) -> str:
    close = _close_classes(facts, classes)
    # another hash than the one that chose the groups, or nothing would be left out
    some = f" where hash(v, 'close') % {close} = 0" if close > 1 else ""
    shape = write_shape("v")
    return (
        f"s as materialized (select v, n, {shape} as p from g{some}), "
        "p as materialized (select p, sum(n)::bigint as n from s group by p), "
        f"q as (select {write_short_shape('p')} as p, sum(n)::bigint as n from p group by 1)"
    )


def _write_texts() -> str:
    def write_list(source: str) -> str:
        first = f"select p, n from {source} order by n desc, p limit 10"
        return f"(select list({{'v': p, 'n': n}} order by n desc, p) from ({first}))"

    return (
        f"{{'shapes': {write_list('p')}, 'short': {write_list('q')}, "
        f"'formats': (select {write_formats('v', 'n')} from s), "
        "'looked': (select coalesce(sum(n), 0)::bigint from s), "
        "'blank': (select coalesce(sum(n), 0)::bigint from s where v = '')}"
    )


def _read_values(facts: Facts, told: Mapping[str, Any]) -> Values:
    classes = choose_classes(facts)
    distinct = told["distinct_"] * classes
    unique: bool | None = told["most"] == 1
    if classes > 1:
        distinct = min(distinct, facts.values)
        # of some values alone nobody can tell that all are different
        unique = None if unique else False
    often = (each for each in told["frequent"] or () if each["n"] > 1)
    frequent = tuple(ValueCount(each["v"], each["n"]) for each in often)
    return Values(
        distinct,
        classes == 1,
        unique,
        frequent if classes == 1 else (),
        told["texts"],
        classes > 1 or _close_classes(facts, classes) > 1,
    )
