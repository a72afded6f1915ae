"""The first pass of a profile: cheap aggregates, many columns in one scan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.judge.profiling.kinds import Kind, kind_of, write_source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from segue.protocols import Session
    from segue.spec.types import Column


@dataclass(frozen=True, slots=True)
class Facts:
    """What the first pass tells of a column.

    Attributes:
        column: The column.
        kind: What it holds.
        rows: Rows of the table.
        values: How many are not null.
        about: How many different values there are, roughly.
        low: Smallest value as text; finite for floating-point numbers.
        high: Largest value as text.
        start: Smallest value as a number, seconds since 1970 for times.
        end: Largest value, likewise.
        mean: Mean of finite numbers.
        stddev: Standard deviation of the same.
        zeros: How many are zero.
        negatives: How many are below zero.
        nans: How many are NaN.
        infinite: How many are infinite.
        lengths: Of texts: shortest, longest, mean, and how many are empty.
        sensitive: Whether values are kept out.
    """

    column: Column
    kind: Kind
    rows: int
    values: int
    about: int
    low: str | None = None
    high: str | None = None
    start: float | None = None
    end: float | None = None
    mean: float | None = None
    stddev: float | None = None
    zeros: int | None = None
    negatives: int | None = None
    nans: int = 0
    infinite: int = 0
    lengths: tuple[int, int, float, int] | None = None
    sensitive: bool = False


def find_facts(
    session: Session, table: str, columns: Sequence[Column], sensitive: Collection[str]
) -> tuple[Facts, ...]:
    """Look at columns in one scan.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        columns: Its columns.
        sensitive: Names of those whose values are kept out.
    """
    return tuple(_find_all(session, table, columns, sensitive))


def _find_all(
    session: Session, table: str, columns: Sequence[Column], sensitive: Collection[str]
) -> Iterator[Facts]:
    named = {f"c{at}": column for at, column in enumerate(columns)}
    wanted = {
        f"f{at}_{word}": text
        for at, (name, column) in enumerate(named.items())
        for word, text in write_facts(name, column, hidden=column.name in sensitive).items()
    }
    listed = ", ".join(f"{text} as {name}" for name, text in wanted.items())
    row = session.fetch(f"select count(*) as n, {listed} from {write_source(table, named)}")
    (told,) = row.to_pylist()
    for at, column in enumerate(columns):
        start = f"f{at}_"
        own = {name.removeprefix(start): told[name] for name in told if name.startswith(start)}
        yield _read_facts(column, told["n"], own, sensitive=column.name in sensitive)


def write_facts(name: str, column: Column, *, hidden: bool) -> dict[str, str]:
    """Return aggregates of a column by what they tell.

    None has a filter: DuckDB would part all columns anew for each of them.
    """
    kind = kind_of(column.type)
    # values of any type have a hash, nested ones too, and so has null
    facts = {"values": f"count({name})", "about": f"approx_count_distinct(hash({name}))"}
    if kind is Kind.TEXT:
        facts |= {
            "shortest": f"min(length({name}))",
            "longest": f"max(length({name}))",
            "mean": f"avg(length({name}))",
            "empty": f"count_if({name} = '')",
        }
    if not (hidden or kind in (Kind.OTHER, Kind.TEXT)):
        facts |= _write_order(name, column, kind)
    return facts


def _write_order(name: str, column: Column, kind: Kind) -> dict[str, str]:
    floating = column.type.is_float
    whole = name
    if floating or column.type.kind in ("date", "timestamp"):
        whole = f"case when isfinite({name}) then {name} end"
    shown = whole if floating else name
    facts = {"low": f"min({shown})::varchar", "high": f"max({shown})::varchar"}
    if kind is Kind.TIME:
        facts["start"] = f"epoch(min({whole}))::double"
        facts["end"] = f"epoch(max({whole}))::double"
    if kind is Kind.NUMBER:
        facts["mean"] = f"avg(({whole})::double)"
        facts["stddev"] = f"stddev_samp(({whole})::double)"
        facts["zeros"] = f"count_if({name} = 0)"
        facts["negatives"] = f"count_if({name} < 0)"
    if floating:
        facts["nans"] = f"count_if(isnan({name}))"
        facts["infinite"] = f"count_if(isinf({name}))"
    return facts


def _read_facts(column: Column, rows: int, told: dict[str, Any], *, sensitive: bool) -> Facts:
    kind = kind_of(column.type)
    values = told["values"]
    lengths = None
    if kind is Kind.TEXT and values:
        lengths = told["shortest"], told["longest"], told.pop("mean"), told["empty"]
    start, end = told.get("start"), told.get("end")
    if kind is Kind.NUMBER and told.get("low") is not None:
        start, end = float(told["low"]), float(told["high"])
    return Facts(
        column,
        kind,
        rows,
        values,
        min(max(told["about"] - (values < rows), bool(values)), values),
        told.get("low"),
        told.get("high"),
        start,
        end,
        _finite(told.get("mean")),
        _finite(told.get("stddev")),
        told.get("zeros"),
        told.get("negatives"),
        told.get("nans") or 0,
        told.get("infinite") or 0,
        lengths,
        sensitive,
    )


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
