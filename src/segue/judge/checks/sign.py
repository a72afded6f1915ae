"""``sign: positive``, ``negative``, ``not negative`` or ``not positive``: on which side of zero.

Null passes; NaN has no sign and breaks each of them. Zero, also a negative one, is neither
positive nor negative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck, read_long
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType

_WRONG = {"positive": "<= 0", "negative": ">= 0", "not negative": "< 0", "not positive": "> 0"}
"""What is true of a number that has another sign."""


class SignCheck(RowCheck):
    """Rows whose number is on another side of zero break it."""

    name = "sign"
    convex = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read one of the words, or ``{sign: …}``."""
        sign = read_long(value, ("sign",), "sign").get("sign")
        if not isinstance(sign, str) or sign not in _WRONG:
            raise ValueError(f"expected one of {', '.join(_WRONG)}, found {sign!r}")
        return {"sign": sign}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del table
        name = check.columns[0]
        type_, column = types[name], quote_identifier(name)
        if not (type_.is_integer or type_.is_float or type_.kind == "decimal"):
            raise ValueError(f"column {name!r} is {type_}, not a number")
        wrong = f"{column} {_WRONG[check.arguments['sign']]}"
        wrong = f"(isnan({column}) or {wrong})" if type_.is_float else wrong
        return f"({column} is not null and {wrong})"

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        return f"{check.columns[0]} {check.arguments['sign']}"


CHECK = SignCheck()
