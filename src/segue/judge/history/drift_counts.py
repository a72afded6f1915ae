"""Two distributions as counts: bins of numbers, the most frequent texts, all numbers in order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from segue.judge.gather import REFUSALS
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from segue.protocols import Session
    from segue.spec.types import DataType

TEXTS = 50
"""Texts that have a bin each, the most frequent of the reference; all others share one."""
EXACT = 500_000
"""Rows of both tables together up to which all numbers are compared, not bins."""
FINE = 1024
"""Bins that stand for all numbers of larger tables: no share is off by more than 0.1 %."""
_EDGES = 128
"""Quantiles that engines without lists of them are asked for, at most."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two distributions.

    Attributes:
        table: Name of the table.
        column: SQL of the column, as numbers or texts.
        where: SQL predicate of the rows that count; empty for all.
    """

    table: str
    column: str
    where: str = ""

    def select(self, what: str) -> str:
        """Return a SELECT over the values, which are called ``v`` and not null."""
        also = f" where {self.where}" if self.where else ""
        values = f"select {self.column} as v from {quote_identifier(self.table)}{also}"
        return f"select {what} from ({values}) as one_ where v is not null"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many values of each side are in each bin; bins are in order.

    Attributes:
        labels: What each bin holds, in words.
        before: Values of the reference.
        now: Values of the table.
        sql: The query that counted.
    """

    labels: tuple[str, ...]
    before: tuple[int, ...]
    now: tuple[int, ...]
    sql: str


def number_column(name: str, type_: DataType) -> str | None:
    """Return a column as numbers, times as seconds; None for values that are names.

    Raises:
        ValueError: Its values are neither.
    """
    column = quote_identifier(name)
    if type_.is_integer or type_.is_float or type_.kind == "decimal":
        return f"{column}::double"
    if type_.kind in ("date", "timestamp"):
        return f"epoch({column})::double"
    if type_.kind in ("string", "bool", "categorical"):
        return None
    raise ValueError(f"column {name!r} is {type_}: drift is of numbers, dates, times and texts")


def text_column(name: str) -> str:
    """Return a column as texts."""
    return f"{quote_identifier(name)}::varchar"


def count_bins(session: Session, before: Side, now: Side, bins: int) -> Counts:
    """Count values in bins between the reference's quantiles, NaN in one of its own.

    Args:
        session: Engine in which both tables are bound.
        before: The reference.
        now: The table.
        bins: How many; fewer where quantiles are equal.
    """
    edges = _find_edges(session, before, bins)
    place = f"case when isnan(v) then {len(edges) + 1} else {_write_bin(edges)} end"
    query = _unite(before, now, f"{place} as bin, count(*) as n", "bin")
    found = _read_counts(session.fetch(query), range(len(edges) + 2))
    labels = [*_name_bins(edges), "NaN"]
    return _drop_empty(labels, *found, query)


def count_texts(session: Session, before: Side, now: Side) -> Counts:
    """Count the reference's most frequent texts, and all others together."""
    query = (
        f"with b as ({before.select('v, count(*) as n')} group by v), "
        f"a as ({now.select('v, count(*) as n')} group by v), "
        f"t as (select v, n from b order by n desc, v limit {TEXTS}) "
        "select t.v as v, t.n as before, coalesce(a.n, 0) as now "
        "from t left join a on t.v = a.v "
        "union all select null::varchar as v, (select sum(n)::bigint from b) as before, "
        "(select sum(n)::bigint from a) as now"
    )
    rows = session.fetch(query).to_pylist()
    whole = next(row for row in rows if row["v"] is None)
    named = sorted(
        (row for row in rows if row["v"] is not None), key=lambda row: (-row["before"], row["v"])
    )
    columns = [[int(row[side] or 0) for row in named] for side in ("before", "now")]
    others = [
        int(whole[side] or 0) - sum(counts)
        for side, counts in zip(("before", "now"), columns, strict=True)
    ]
    labels = [*(repr(row["v"]) for row in named), "other values"]
    return _drop_empty(labels, [*columns[0], others[0]], [*columns[1], others[1]], query)


def find_distance(session: Session, before: Side, now: Side) -> tuple[float, str]:
    """Return the largest difference of two distribution functions, and the query.

    Each number is a bin of its own: the database orders them.
    """
    up = "over (order by v rows between unbounded preceding and current row)"
    query = (
        "select max(abs(b / nb - a / na)) as distance from ("
        f"select sum(b) {up} as b, sum(a) {up} as a, "
        "sum(b) over () as nb, sum(a) over () as na from ("
        "select v, sum(b)::double as b, sum(a)::double as a from ("
        f"{before.select('v, 1 as b, 0 as a')} union all {now.select('v, 0 as b, 1 as a')}"
        ") as both_ group by v) as each_) as steps_"
    )
    return float(session.fetch(query).column(0)[0].as_py()), query


def count_values(session: Session, before: Side, now: Side) -> tuple[int, int]:
    """Return how many values each side has, without nulls."""
    query = f"{before.select('0 as side, count(*) as n')} union all {now.select('1, count(*)')}"
    found = {row["side"]: row["n"] for row in session.fetch(query).to_pylist()}
    return int(found[0]), int(found[1])


def _find_edges(session: Session, side: Side, bins: int) -> list[float]:
    """Return the quantiles that part the reference, each once."""
    places = [place / bins for place in range(1, bins)]
    plain = f"({side.select('v')} and not isnan(v)) as numbers_"
    try:
        query = f"select quantile_cont(v, [{', '.join(map(repr, places))}]) as q from {plain}"
        found = session.fetch(query).column(0)[0].as_py()
    except REFUSALS:  # not every engine has lists of quantiles
        places = places[:: math.ceil(len(places) / _EDGES)]
        wanted = (f"quantile_cont(v, {place!r}) as q{n}" for n, place in enumerate(places))
        table = session.fetch(f"select {', '.join(wanted)} from {plain}")
        found = [column[0].as_py() for column in table.columns]
    return sorted({float(edge) for edge in found or () if edge is not None and edge == edge})  # noqa: PLR0124 - NaN


def _write_bin(edges: Sequence[float], first: int = 0) -> str:
    """Return the number of a value's bin: a search by halves, however many edges there are."""
    if not edges:
        return str(first)
    middle = len(edges) // 2
    low, high = (
        _write_bin(edges[:middle], first),
        _write_bin(edges[middle + 1 :], first + middle + 1),
    )
    return f"case when v <= '{edges[middle]!r}'::double then {low} else {high} end"


def _name_bins(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["all numbers"]
    told = [f"{edge:,.6g}" for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(told)]
    return [f"up to {told[0]}", *between, f"over {told[-1]}"]


def _unite(before: Side, now: Side, what: str, group: str) -> str:
    return (
        f"{before.select(f'0 as side, {what}')} group by {group} "
        f"union all {now.select(f'1 as side, {what}')} group by {group}"
    )


def _read_counts(table: pa.Table, bins: range) -> tuple[list[int], list[int]]:
    counts: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for row in table.to_pylist():
        counts[row["side"]][row["bin"]] = int(row["n"])
    return [counts[0].get(n, 0) for n in bins], [counts[1].get(n, 0) for n in bins]


def _drop_empty(
    labels: Sequence[str], before: Sequence[int], now: Sequence[int], query: str
) -> Counts:
    kept = [bin_ for bin_ in zip(labels, before, now, strict=True) if bin_[1] or bin_[2]]
    names, first, second = zip(*kept, strict=True) if kept else ((), (), ())
    return Counts(names, first, second, query)
