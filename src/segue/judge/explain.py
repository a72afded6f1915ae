"""What failing rows have in common: values that are far more frequent in them than in all rows.

Two steps for all checks together, and only if some failed. Candidates are the values that most of
some failing rows have, which were drawn from everywhere, or most of all failing rows where an
engine can't draw; one query then counts these few values. A value is told only if chance would
hardly bring it about, so that failures that are spread evenly are left without an explanation.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segue.judge.facets import read_key
from segue.judge.gather import REFUSALS
from segue.judge.slices import write_where
from segue.judge.verdict import write_share
from segue.spec.contract import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.judge.compile import CompiledCheck
    from segue.judge.facets import Facet
    from segue.protocols import Session
    from segue.spec.contract import Measurement

MOST = 3
"""Statements that are made of a check."""
_CHECKS = 20
_SHARE = 0.6
"""Share of the failing rows that must have a value in common."""
_DRAWN_SHARE = 0.35
"""The same of a few that were drawn: so low that chance misses none."""
_LIFT = 1.5
"""How many times the value must be as frequent in them as in all rows."""
_DOUBT = 1.2
"""The same as long as only some of the failing rows were looked at."""
_EVIDENCE = 14.0
"""How improbable chance must be, as a natural logarithm: one in a million."""
_SPREAD = 2 / 3
"""Share of failing rows above which nothing can stand out."""
_LENGTH = 60

Failed = tuple["CompiledCheck", "Measurement"]


@dataclass(frozen=True, slots=True)
class Common:
    """A value that most failing rows of a check have.

    Attributes:
        facet: Which property it is a value of.
        value: The value; None for none.
        share: Share of the failing rows that have it, as far as is known.
        among: Failing rows that have it; None while only some rows were looked at.
        whole: How many of all rows have it.
    """

    facet: Facet
    value: str | None
    share: float
    among: int | None = None
    whole: int = 0


def explain_failing(
    session: Session,
    source: str,
    failed: Sequence[Failed],
    facets: Sequence[Facet],
) -> dict[str, tuple[str, ...]]:
    """Return what the failing rows of each check have in common, in words, by the check's name.

    Args:
        session: Engine in which the table is bound.
        source: What stands behind FROM for the table's rows.
        failed: Checks that `choose_failed` has chosen.
        facets: Properties to look at.
    """
    for tried in (facets, [each for each in facets if not each.measure]):
        try:
            common = _find_common(session, source, failed, tried)
            return tell_common(session, source, failed, common, len(facets))
        except REFUSALS:  # a courtesy: what was counted stands
            continue
    return {}


def choose_failed(table: str, judged: Sequence[Failed]) -> list[Failed]:
    """Return the checks whose failing rows may have something in common that can be told."""
    of_table = [each for each in judged if each[0].source in ("", table)]
    return [each for each in of_table if _can_explain(*each)][:_CHECKS]


def tell_common(
    session: Session,
    source: str,
    failed: Sequence[Failed],
    common: Sequence[Sequence[Common]],
    looked_at: int,
) -> dict[str, tuple[str, ...]]:
    """Count values that failing rows may have in common, and tell those that stand out.

    Raises:
        SegueError: The engine refuses.
    """
    known = _count_whole(session, source, failed, common)
    known = [
        [each for each in some if each.share >= _DOUBT * each.whole / found.rows]
        for (_, found), some in zip(failed, known, strict=True)
    ]
    known = _count_among(session, source, failed, known)
    told = {
        one.check.name: tuple(_tell(found, each, looked_at))
        for (one, found), each in zip(failed, known, strict=True)
    }
    return {name: lines for name, lines in told.items() if lines}


def find_drawn(
    failed: Sequence[Failed],
    facets: Sequence[Facet],
    drawn: Sequence[Sequence[Sequence[str | None]]],
) -> list[list[Common]]:
    """Return for each check the values that many of its drawn rows have.

    Args:
        failed: The checks.
        facets: The properties.
        drawn: For each check its rows, each with the texts of the properties in their order.
    """
    return [
        [
            # if all of them were drawn, they need not be counted again
            Common(facet, value, count / len(rows), count if len(rows) == found.failing else None)
            for at, facet in enumerate(facets)
            for value, count in Counter(row[at] for row in rows).items()
            if count >= _DRAWN_SHARE * len(rows) and _is_told(one, facet, value)
        ]
        for (one, found), rows in zip(failed, drawn, strict=True)
    ]


def _is_told(one: CompiledCheck, facet: Facet, value: str | None) -> bool:
    if value is None:
        return facet.name not in one.check.columns  # what `required` says already
    return len(value) <= _LENGTH or value in facet.shown


def _can_explain(one: CompiledCheck, found: Measurement) -> bool:
    """Return whether failing rows can be told from the others, and may have something in common."""
    rows = one.check.slice
    whole = bool(one.failing) and rows.sample is None and not rows.new
    spoken = found.verdict not in (Verdict.PASS, Verdict.ERROR)
    return whole and spoken and 1 < (found.failing or 0) <= _SPREAD * found.rows


def _find_common(
    session: Session, source: str, failed: Sequence[Failed], facets: Sequence[Facet]
) -> list[list[Common]]:
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
        f"select {', '.join(outer)} from (select {', '.join(inner)} from {source})"
        f" where {' or '.join(flags)} group by grouping sets ({sets}) having {enough}"
    ).to_pylist()
    common: list[list[Common]] = [[] for _ in failed]
    for row in rows:
        facet, key = next((facets[at], row[f"k{at}"]) for at in keys if row[f"k{at}"] is not None)
        value = read_key(key)
        for at, (one, found) in enumerate(failed):
            if row[f"n{at}"] >= _least(found) and _is_told(one, facet, value):
                among = row[f"n{at}"]
                common[at].append(Common(facet, value, among / (found.failing or 1), among))
    return common


def _least(found: Measurement) -> int:
    return max(2, math.ceil(_SHARE * (found.failing or 0)))


def _count_whole(
    session: Session, source: str, failed: Sequence[Failed], common: Sequence[Sequence[Common]]
) -> list[list[Common]]:
    """Add how many of the rows that a check looks at have the values."""

    def has(one: CompiledCheck, each: Common) -> str:
        where = f"{write_where(one.check.slice)} and " if one.check.slice.where else ""
        return where + each.facet.has(each.value)

    wanted = [
        [has(one, each) for each in some] for (one, _), some in zip(failed, common, strict=True)
    ]
    totals = _count_rows(session, source, [text for some in wanted for text in some])
    return [
        [replace(each, whole=totals[text]) for each, text in zip(some, texts, strict=True)]
        for some, texts in zip(common, wanted, strict=True)
    ]


def _count_among(
    session: Session, source: str, failed: Sequence[Failed], common: Sequence[Sequence[Common]]
) -> list[list[Common]]:
    """Add how many of the failing rows have the values, where only some rows were looked at."""
    wanted = [
        [f"__segue_f{at} and {each.facet.has(each.value)}" for each in some if each.among is None]
        for at, some in enumerate(common)
    ]
    flags = ", ".join(
        f"{one.failing} as __segue_f{at}" for at, (one, _) in enumerate(failed) if wanted[at]
    )
    flagged = f"(select *, {flags} from {source})"
    totals = _count_rows(session, flagged, [text for some in wanted for text in some])
    counts = [iter([totals[text] for text in some]) for some in wanted]
    return [
        [replace(each, among=next(count)) if each.among is None else each for each in some]
        for some, count in zip(common, counts, strict=True)
    ]


def _count_rows(session: Session, source: str, predicates: Sequence[str]) -> dict[str, int]:
    """Return how many rows each predicate is true for; nothing is asked if there are none."""
    texts = list(dict.fromkeys(predicates))
    if not texts:
        return {}
    counts = (f"count(*) filter (where {text}) as m{at}" for at, text in enumerate(texts))
    row = session.fetch(f"select {', '.join(counts)} from {source}").to_pylist()[0]
    return {text: row[f"m{at}"] for at, text in enumerate(texts)}


def _tell(found: Measurement, common: Sequence[Common], looked_at: int) -> Iterator[str]:
    """Go through what stands out, what is least probable by chance first."""
    failing, rows = found.failing or 0, found.rows
    scored = []
    for each in common:
        among = each.among or 0
        share, usual = among / failing, each.whole / rows
        evidence = weigh_evidence(among, failing, usual)
        enough = share >= max(_SHARE, _LIFT * usual)
        if enough and evidence >= _EVIDENCE + math.log(looked_at):
            scored.append((-evidence, each.facet.name, each))
    for _, _, each in sorted(scored, key=lambda one: one[:2])[:MOST]:
        part = "all" if each.among == failing else write_share(each.among or 0, failing)
        usual_share = write_share(each.whole, rows)
        yield f"{part} of them {each.facet.say(each.value)} ({usual_share} of all rows)"


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
