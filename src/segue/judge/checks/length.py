"""``length: [1, 20]``: how many characters a text has, bytes a binary value, elements a list.

``length: {min: 1}`` and ``length: {max: 20}`` leave one end open, as ``~`` does in a list, and
``length: 5`` says exactly how long. Null passes. Characters are Unicode's code points, as they
stand: an accent that is written as a character of its own counts. A list's nulls count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck, read_long
from segue.judge.sql_text import text_column
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType

_PAIR = 2


class LengthCheck(RowCheck):
    """Rows whose value is too short or too long break it."""

    name = "length"
    pointwise = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``[min, max]``, ``{min: …, max: …}``, or one number for exactly so long."""
        if isinstance(value, int):
            value = {"min": value, "max": value}
        elif isinstance(value, list | tuple) and len(value) == _PAIR:
            value = dict(zip(("min", "max"), value, strict=True))
        if not isinstance(value, dict):
            raise ValueError(f"expected [min, max] or a number, found {value!r}")  # noqa: TRY004
        value = read_long(value, ("min", "max"), "min")
        low, high = (_read_end(value.get(end)) for end in ("min", "max"))
        if low is None and high is None:
            raise ValueError("expected at least one bound")
        if low is not None and high is not None and high < low:
            raise ValueError(f"nothing is at least {low} and at most {high} long")
        return {"min": low, "max": high}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del table
        name = check.columns[0]
        length = _write_length(name, types[name])
        low, high = check.arguments["min"], check.arguments["max"]
        if low == high:
            wrong = [f"{length} <> {low}"]
        else:
            ends = ((low, "<"), (high, ">"))
            wrong = [f"{length} {sign} {end}" for end, sign in ends if end is not None]
        return f"({quote_identifier(name)} is not null and ({' or '.join(wrong)}))"

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        name, low, high = check.columns[0], check.arguments["min"], check.arguments["max"]
        if low == high:
            return f"{name} exactly {low} long"
        if low is None:
            return f"{name} at most {high} long"
        return f"{name} at least {low} long" if high is None else f"{name} {low} to {high} long"


def _read_end(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"a length is a whole number from 0 on, not {value!r}")
    return value


def _write_length(name: str, type_: DataType) -> str:
    if type_.kind == "binary":
        return f"octet_length({quote_identifier(name)})"
    if type_.kind == "list":
        return f"len({quote_identifier(name)})"
    if type_.kind in ("string", "categorical"):
        return f"length({text_column(name, type_)})"
    raise ValueError(f"column {name!r} is {type_}, which has no length")


CHECK = LengthCheck()
