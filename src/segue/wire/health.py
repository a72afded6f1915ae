"""What must be true of nodes that run a new deployment: ``errors < 1% and rejects < 5%``.

Both a node and the hub judge by it: a node itself, the hub all nodes of a canary together.
"""

from __future__ import annotations

import difflib
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from segue.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from segue.wire.messages import Status

DEFAULT_HEALTH = "errors < 20% and rejects < 20% and restarts < 3"

MEASURES = {
    "errors": "share of batches in which a step failed",
    "rejects": "share of rows that became rejects, of the worst table",
    "restarts": "restarts of the worker, of the worst node",
    "lag": "seconds since the oldest unsent batch was made, of the worst node",
    "memory": "bytes of all processes, of the worst node",
}
"""What can be asked for, and what it is."""

LEAST_ROWS = 20
LEAST_BATCHES = 10
"""Rows of a table, and batches, below which a share is none yet: two late rows of three."""

_SHARES = ("errors", "rejects")
_COMPARE: Final = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TERM = re.compile(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\d{1,15}(?:\.\d{1,9})?)\s*(%?)\s*", re.ASCII)
_LONGEST = 1000
_HINT = "write it as 'errors < 1% and rejects < 5% and restarts < 3'"
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Bound:
    """One comparison.

    Attributes:
        measure: One of `MEASURES`.
        sign: How it is compared.
        limit: With what; shares are from 0 to 1.
    """

    measure: str
    sign: str
    limit: float

    def __str__(self) -> str:
        """Return the bound as it is written."""
        if self.measure in _SHARES:
            return f"{self.measure} {self.sign} {self.limit * _WHOLE:g}%"
        return f"{self.measure} {self.sign} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Health:
    """Comparisons that must all be true.

    Attributes:
        bounds: The comparisons.
    """

    bounds: tuple[Bound, ...]

    def find_broken(self, measured: dict[str, float]) -> str:
        """Return the bounds that do not hold, with what was measured; empty if all hold.

        Example:
            >>> parse_health("errors < 1%").find_broken({"errors": 0.5})
            'errors < 1% does not hold: 50%'
        """
        broken = []
        for bound in self.bounds:
            value = measured.get(bound.measure, 0.0)
            if not _COMPARE[bound.sign](value, bound.limit):
                shown = f"{value * _WHOLE:g}%" if bound.measure in _SHARES else f"{value:g}"
                broken.append(f"{bound} does not hold: {shown}")
        return "; ".join(broken)

    def __str__(self) -> str:
        """Return the expression."""
        return " and ".join(map(str, self.bounds))


def parse_health(text: str) -> Health:
    """Return what a text asks for.

    Raises:
        SelectionError: It can't be read; the hint is the form.

    Example:
        >>> str(parse_health("errors<1% and restarts < 3"))
        'errors < 1% and restarts < 3'
    """
    if len(text) > _LONGEST:
        raise SelectionError("the health expression is too long", hint=_HINT)
    return Health(tuple(_parse_bound(part) for part in re.split(r"\band\b|,", text)))


def _parse_bound(text: str) -> Bound:
    match = _TERM.fullmatch(text)
    if match is None:
        raise SelectionError(f"{text.strip()!r} is no comparison of health", hint=_HINT)
    measure, sign, number, percent = match.groups()
    if measure not in MEASURES:
        near = difflib.get_close_matches(measure, list(MEASURES), n=1)
        listed = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(MEASURES)}"
        raise SelectionError(f"health knows no {measure!r}", hint=listed)
    if bool(percent) != (measure in _SHARES):
        form = f"{measure} {sign} {number}{'' if percent else '%'}"
        what = "a share, in percent" if measure in _SHARES else "a number, no share"
        raise SelectionError(f"{measure!r} is {what}", hint=f"write {form!r}")
    return Bound(measure, sign, float(number) / _WHOLE if percent else float(number))


def measure_health(statuses: Iterable[Status], *, few: bool = False) -> dict[str, float]:
    """Return the `MEASURES` of nodes together.

    Args:
        statuses: What the nodes said.
        few: Whether shares of less than `LEAST_ROWS` and `LEAST_BATCHES` count, too.

    Example:
        >>> from segue.wire.messages import Status
        >>> measure_health([Status(rows={"a": 50}, rejects={"a": 50})])["rejects"]
        0.5
        >>> measure_health([Status(rows={"a": 1}, rejects={"a": 2})])["rejects"]
        0.0
    """
    least_rows, least_batches = (1, 1) if few else (LEAST_ROWS, LEAST_BATCHES)
    rows: dict[str, int] = {}
    rejects: dict[str, int] = {}
    errors = batches = restarts = memory = 0
    lag = 0.0
    for status in statuses:
        for table, number in status.rows.items():
            rows[table] = rows.get(table, 0) + number
        for table, number in status.rejects.items():
            name = table.removesuffix("__rejects")
            rejects[name] = rejects.get(name, 0) + number
        errors += status.errors
        batches += max(status.batches, status.errors)
        restarts = max(restarts, status.restarts)
        memory = max(memory, status.memory)
        lag = max(lag, status.lag)
    shares = [
        _share(number, number + rows.get(table, 0), least_rows) for table, number in rejects.items()
    ]
    return {
        "errors": _share(errors, batches, least_batches),
        "rejects": max(shares, default=0.0),
        "restarts": float(restarts),
        "lag": lag,
        "memory": float(memory),
    }


def _share(part: int, whole: int, least: int) -> float:
    return part / whole if whole >= least else 0.0
