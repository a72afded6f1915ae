"""Failing rows by their numbers: found by the columns that checks speak of, and read alone.

Where an engine knows the places of rows in files, this reads a few rows out of many millions at
a fraction of what a scan of all their columns costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.judge.gather import REFUSALS
from segue.spec.scan import Located
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.protocols import Session

DRAWN = 32
"""Failing rows of each check that are drawn to look for what they share."""
_PLACE = f"{Located.PART}::bigint * {1 << 40} + {Located.ROW}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Some failing rows of one check.

    Attributes:
        first: The first of them, in the order of the files.
        spread: Some from everywhere, always the same.
    """

    first: tuple[Mapping[str, Any], ...]
    spread: tuple[Mapping[str, Any], ...]


def find_located(session: Session, table: str) -> Located | None:
    """Return a table's rows with their places, where the engine knows them."""
    locate = getattr(session, "locate", None)
    found: Located | None = locate(table) if locate else None
    return found


def draw_failing(
    session: Session,
    table: str,
    located: Located,
    failing: Sequence[str],
    values: Mapping[str, str],
    first: int,
) -> list[Drawn] | None:
    """Return some failing rows of each check; None if the engine refuses.

    Args:
        session: Engine in which the rows are bound.
        table: Name of the table, by which predicates may call it.
        located: Its rows with their places.
        failing: Predicates of the checks.
        values: What to read of a row: SQL by name.
        first: How many of the first rows of each check.
    """
    try:
        places = _find_places(session, table, located, failing, first)
        wanted = {place for ahead, spread in places for place in (*ahead, *spread)}
        rows = _read_rows(session, table, located, wanted, values)
    except REFUSALS:
        return None
    return [
        Drawn(tuple(rows[p] for p in ahead), tuple(rows[p] for p in sorted(spread)))
        for ahead, spread in places
    ]


def _find_places(
    session: Session, table: str, located: Located, failing: Sequence[str], first: int
) -> list[tuple[list[int], list[int]]]:
    """Return the places of the first failing rows of each check, and of some from everywhere."""
    flags = ", ".join(f"{text} as __segue_{at}" for at, text in enumerate(failing))
    some = " or ".join(f"__segue_{at}" for at in range(len(failing)))
    kept = ", ".join(
        f"arg_min(p, p, {first}) filter (where __segue_{at}) as a{at}, "
        f"arg_min(p, hash(p), {DRAWN}) filter (where __segue_{at}) as b{at}"
        for at in range(len(failing))
    )
    source = f"{quote_identifier(located.name)} as {quote_identifier(table)}"
    found = session.fetch(
        f"select {kept} from (select {_PLACE} as p, {flags} from {source}) where {some}"
    ).to_pylist()[0]
    return [(found[f"a{at}"] or [], found[f"b{at}"] or []) for at in range(len(failing))]


def _read_rows(
    session: Session,
    table: str,
    located: Located,
    places: set[int],
    values: Mapping[str, str],
) -> dict[int, Mapping[str, Any]]:
    """Return rows by their places."""
    numbers = sorted({place & ((1 << 40) - 1) for place in places})
    parts = sorted({place >> 40 for place in places})
    listed = ", ".join(f"{text} as {quote_identifier(name)}" for name, text in values.items())
    source = f"{quote_identifier(located.name)} as {quote_identifier(table)}"
    found = session.fetch(
        f"select {_PLACE} as __segue_place, {listed} from {source}"
        f" where {Located.ROW} in ({', '.join(map(str, numbers))})"
        f" and {Located.PART} in ({', '.join(map(str, parts))})"
    ).to_pylist()
    return {row.pop("__segue_place"): row for row in found}
