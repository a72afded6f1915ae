"""What failing rows have in common: values that are far more frequent in them than in all rows.

Two queries for all checks together, and only if some failed: one groups the failing rows by each
candidate column and returns the values that most of them have; the other counts those few values
in all rows. A value is told only if chance would hardly bring it about, so that failures that
are spread evenly are left without an explanation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.judge.gather import REFUSALS
from segue.judge.slices import write_where
from segue.judge.verdict import write_share
from segue.spec.contract import Verdict
from segue.spec.printable import printable
from segue.spec.sql import quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from segue.judge.compile import CompiledCheck
    from segue.protocols import Session
    from segue.spec.contract import Measurement
    from segue.spec.types import Column, TableSchema

MOST = 3
"""Statements that are made of a check."""
COLUMNS = 16
"""Columns that are looked at, besides those that checks speak of."""
_CHECKS = 20
_SHARE = 0.6
"""Share of the failing rows that must have a value in common."""
_LIFT = 1.5
"""How many times the value must be as frequent in them as in all rows."""
_EVIDENCE = 14.0
"""How improbable chance must be, as a natural logarithm: one in a million."""
_SPREAD = 2 / 3
"""Share of failing rows above which nothing can stand out."""
_LENGTH = 60
_RANKS = {"bool": 0, "categorical": 0, "string": 1, "date": 2, "timestamp": 2}
_INTEGERS = 3
_OWN = ("float32", "float64", "decimal", "time")
"""Kinds of columns that hold measures: they are looked at only where a check speaks of them."""

Failed = tuple["CompiledCheck", "Measurement"]


@dataclass(frozen=True, slots=True)
class Facet:
    """A property that rows can share.

    Attributes:
        name: What it is called: the column's name.
        text: SQL of its value as text; null where the row has none.
        quoted: Whether a value is shown in quotes.
        measure: Whether it is a number with decimals or a time, whose text not every engine
            writes in the same way.
    """

    name: str
    text: str
    quoted: bool = False
    measure: bool = False

    @property
    def key(self) -> str:
        """SQL of a text that is never null, not even where the row has no value."""
        return f"case when {self.text} is null then '-' else '+' || {self.text} end"

    def has(self, value: str | None) -> str:
        """Return the predicate of the rows that have a value."""
        return f"{self.text} is null" if value is None else f"{self.text} = {quote_text(value)}"

    def say(self, value: str | None) -> str:
        """Return the statement that a row has a value."""
        if value is None:
            return f"{self.name} = null"
        shown = f"'{printable(value)}'" if self.quoted else value
        return f"{self.name} = {shown}"


@dataclass(frozen=True, slots=True)
class _Common:
    """A value that most failing rows of a check have: how many, and how many of all rows."""

    facet: Facet
    value: str | None
    among: int
    whole: int = 0


def explain_failing(
    session: Session,
    table: str,
    judged: Sequence[Failed],
    schema: TableSchema,
    sensitive: Collection[str],
) -> dict[str, tuple[str, ...]]:
    """Return what the failing rows of each check have in common, in words, by the check's name.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        judged: Checks, each with what it came to.
        schema: Columns of the table.
        sensitive: Columns whose values stay untold.
    """
    failed = [each for each in judged if _can_explain(*each)][:_CHECKS]
    if not failed:
        return {}
    hidden = set(sensitive)
    hidden.update(name for one, _ in failed if one.check.sensitive for name in one.check.columns)
    facets = find_facets(failed, schema, hidden)
    for tried in (facets, [each for each in facets if not each.measure]):
        try:
            common = _find_common(session, table, failed, tried)
            counted = _count_whole(session, table, failed, common) if any(common) else common
        except REFUSALS:  # a courtesy: what was counted stands
            continue
        told = {
            one.check.name: tuple(_tell(found, each, len(facets)))
            for (one, found), each in zip(failed, counted, strict=True)
        }
        return {name: lines for name, lines in told.items() if lines}
    return {}


def _can_explain(one: CompiledCheck, found: Measurement) -> bool:
    """Return whether failing rows can be told from the others, and may have something in common."""
    rows = one.check.slice
    whole = bool(one.failing) and rows.sample is None and not rows.new
    spoken = found.verdict not in (Verdict.PASS, Verdict.ERROR)
    return whole and spoken and 1 < (found.failing or 0) <= _SPREAD * found.rows


def find_facets(
    failed: Sequence[Failed], schema: TableSchema, hidden: Collection[str]
) -> list[Facet]:
    """Return the properties to look at: columns of the checks, then those that part rows well."""
    spoken = {name for one, _ in failed for name in one.check.columns}
    open_to = [column for column in schema if column.name not in hidden]
    own = [column for column in open_to if column.name in spoken and _rank(column, own=True)]
    others = [column for column in open_to if column.name not in spoken and _rank(column)]
    others.sort(key=_rank)
    return [_make_facet(column) for column in (*own, *others[:COLUMNS])]


def _rank(column: Column, *, own: bool = False) -> int:
    """Return how late a column is looked at, from 1; 0 for never."""
    kind = column.type.kind
    if column.type.is_integer or (own and kind in _OWN):
        return _INTEGERS + 1
    return _RANKS.get(kind, -1) + 1


def _make_facet(column: Column) -> Facet:
    kind, name = column.type.kind, quote_identifier(column.name)
    if kind == "string":
        return Facet(column.name, name, quoted=True)
    if kind == "timestamp":
        return Facet(f"day of {column.name}", f"{name}::date::varchar")
    return Facet(column.name, f"{name}::varchar", kind == "categorical", kind in _OWN)


def _find_common(
    session: Session, table: str, failed: Sequence[Failed], facets: Sequence[Facet]
) -> list[list[_Common]]:
    """Return for each check the values that most of its failing rows have."""
    if not facets:
        return [[] for _ in failed]
    keys = range(len(facets))
    flags = [f"__segue_f{place}" for place in range(len(failed))]
    inner = [f"{facet.key} as __segue_k{place}" for place, facet in enumerate(facets)]
    inner += [f"{one.failing} as {flag}" for (one, _), flag in zip(failed, flags, strict=True)]
    counts = [f"count(*) filter (where {flag})" for flag in flags]
    enough = " or ".join(
        f"{count} >= {_least(found)}" for count, (_, found) in zip(counts, failed, strict=True)
    )
    outer = [f"__segue_k{place} as k{place}" for place in keys]
    outer += [f"{count} as n{place}" for place, count in enumerate(counts)]
    sets = ", ".join(f"(__segue_k{place})" for place in keys)
    rows = session.fetch(
        f"select {', '.join(outer)} from (select {', '.join(inner)} from {quote_identifier(table)})"
        f" where {' or '.join(flags)} group by grouping sets ({sets}) having {enough}"
    ).to_pylist()
    common: list[list[_Common]] = [[] for _ in failed]
    for row in rows:
        facet, key = next((facets[at], row[f"k{at}"]) for at in keys if row[f"k{at}"] is not None)
        value = key[1:] if key.startswith("+") else None
        for at, (one, found) in enumerate(failed):
            own = facet.name in one.check.columns
            plain = own and value is None  # what `required` says already
            short = value is None or len(value) <= _LENGTH
            if row[f"n{at}"] >= _least(found) and short and not plain:
                common[at].append(_Common(facet, value, row[f"n{at}"]))
    return common


def _least(found: Measurement) -> int:
    return max(2, math.ceil(_SHARE * (found.failing or 0)))


def _count_whole(
    session: Session, table: str, failed: Sequence[Failed], common: Sequence[Sequence[_Common]]
) -> list[list[_Common]]:
    """Add how many of all rows, or of those that the check looks at, have the values."""

    def count(one: CompiledCheck, each: _Common) -> str:
        where = f"{write_where(one.check.slice)} and " if one.check.slice.where else ""
        return f"count(*) filter (where {where}{each.facet.has(each.value)})"

    wanted = [
        [count(one, each) for each in found] for (one, _), found in zip(failed, common, strict=True)
    ]
    listed = list(dict.fromkeys(text for texts in wanted for text in texts))
    selected = ", ".join(f"{text} as m{place}" for place, text in enumerate(listed))
    row: dict[str, Any] = session.fetch(
        f"select {selected} from {quote_identifier(table)}"
    ).to_pylist()[0]
    totals = {text: row[f"m{place}"] for place, text in enumerate(listed)}
    return [
        [
            _Common(each.facet, each.value, each.among, totals[text])
            for each, text in zip(found, texts, strict=True)
        ]
        for found, texts in zip(common, wanted, strict=True)
    ]


def _tell(found: Measurement, common: Sequence[_Common], looked_at: int) -> Iterator[str]:
    """Go through what stands out, what is least probable by chance first."""
    failing, rows = found.failing or 0, found.rows
    scored = []
    for each in common:
        share, usual = each.among / failing, each.whole / rows
        evidence = weigh_evidence(each.among, failing, usual)
        if share >= _LIFT * usual and evidence >= _EVIDENCE + math.log(looked_at):
            scored.append((-evidence, each.facet.name, each))
    for _, _, each in sorted(scored, key=lambda one: one[:2])[:MOST]:
        part = "all" if each.among == failing else write_share(each.among, failing)
        usual_share = write_share(each.whole, rows)
        yield f"{part} of them have {each.facet.say(each.value)} ({usual_share} of all rows)"


def weigh_evidence(among: int, failing: int, usual: float) -> float:
    """Return how improbable it is that chance alone gives so many rows a value.

    Chernoff's bound on the binomial tail, as a natural logarithm with its sign turned.

    Args:
        among: Failing rows that have the value.
        failing: All failing rows.
        usual: Share of all rows that have it.

    Example:
        >>> weigh_evidence(50, 100, 0.5), round(weigh_evidence(90, 100, 0.1), 1)
        (0.0, 175.8)
    """
    share = among / failing
    if share <= usual or usual <= 0:
        return 0.0
    inside = share * math.log(share / usual)
    outside = (1 - share) * math.log((1 - share) / (1 - usual)) if share < 1 else 0.0
    return failing * (inside + outside)
