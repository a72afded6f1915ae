"""The second pass of a profile: quantiles and histograms of numbers and times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.judge.profiling.bins import Bars, name_bars, place_bars, write_bar
from segue.judge.profiling.kinds import Kind, read_value, write_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.judge.profiling.facts import Facts
    from segue.protocols import Session
    from segue.spec.profile import Bin, Plain
    from segue.spec.types import DataType

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_HELD = 32_000_000
"""Values that are held at once for exact quantiles: 256 MB of numbers."""
_MOST = 5_000_000
"""Rows up to which quantiles are exact."""
_CHUNK = 16


@dataclass(frozen=True, slots=True)
class Spread:
    """How the values of a column spread.

    Attributes:
        quantiles: Shares and the values below which they lie.
        exact: Whether quantiles are exact.
        histogram: Bars of the same width.
    """

    quantiles: tuple[tuple[float, Plain], ...] = ()
    exact: bool = True
    histogram: tuple[Bin, ...] = ()


def find_spread(session: Session, table: str, facts: Sequence[Facts]) -> dict[str, Spread]:
    """Return how the values of columns spread, by name; others are left out.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        facts: What the first pass found.
    """
    spread = [
        each
        for each in facts
        if each.kind in (Kind.NUMBER, Kind.TIME) and each.start is not None and not each.sensitive
    ]
    found: dict[str, Spread] = {}
    rows = max((each.rows for each in spread), default=0)
    size = max(1, min(_CHUNK, _HELD // max(rows, 1))) if rows <= _MOST else _CHUNK
    for first in range(0, len(spread), size):
        found |= _find_some(session, table, spread[first : first + size], exact=rows <= _MOST)
    return found


def _find_some(
    session: Session, table: str, facts: Sequence[Facts], *, exact: bool
) -> Iterator[tuple[str, Spread]]:
    named = {f"c{at}": each.column for at, each in enumerate(facts)}
    bars = [_place(each) for each in facts]
    wanted = []
    for (name, column), own in zip(named.items(), bars, strict=True):
        value = _write_finite(name, column.type)
        wanted.append(f"{_write_quantiles(value, column.type, exact=exact)} as q_{name}")
        if own is not None:
            number = _write_number(value, column.type)
            # `least` and `greatest` pass over null, which stands in no bar
            bar = f"case when {value} is not null then {write_bar(number, own)} end"
            wanted.append(f"histogram({bar}) as h_{name}")
    row = session.fetch(f"select {', '.join(wanted)} from {write_source(table, named)}")
    (told,) = row.to_pylist()
    for (name, column), own in zip(named.items(), bars, strict=True):
        counts = dict(told.get(f"h_{name}") or ())
        yield (
            column.name,
            Spread(
                _read_quantiles(told[f"q_{name}"], column.type),
                exact,
                name_bars(own, counts, column.type) if own is not None else (),
            ),
        )


def _place(facts: Facts) -> Bars | None:
    if facts.start is None or facts.end is None:
        return None
    return place_bars(facts.start, facts.end, facts.column.type)


def _write_finite(name: str, type_: DataType) -> str:
    whole = type_.is_float or type_.kind in ("date", "timestamp")
    return f"case when isfinite({name}) then {name} end" if whole else name


def _write_number(value: str, type_: DataType) -> str:
    timed = type_.kind in ("date", "time", "timestamp")
    return f"epoch({value})::double" if timed else f"({value})::double"


def _write_quantiles(value: str, type_: DataType, *, exact: bool) -> str:
    if exact:
        return f"quantile_disc({value}, {list(SHARES)})::varchar[]"
    if type_.kind == "decimal":
        value = f"({value})::double"
    return f"approx_quantile({value}, {list(SHARES)})::varchar[]"


def _read_quantiles(told: list[Any] | None, type_: DataType) -> tuple[tuple[float, Plain], ...]:
    read = (read_value(text, type_) for text in told or ())
    pairs = zip(SHARES, read, strict=False)
    return tuple((share, value) for share, value in pairs if value is not None)
