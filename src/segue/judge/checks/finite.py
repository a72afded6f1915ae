"""``finite: true``: no number is NaN or infinite.

Null passes. Integers and decimals are always finite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck, read_flag
from segue.judge.sql_text import write_literal
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class FiniteCheck(RowCheck):
    """Rows whose number is NaN or infinite break it."""

    name = "finite"
    convex = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``true``."""
        read_flag(value, self.name)
        return {}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del table
        name = check.columns[0]
        type_, column = types[name], quote_identifier(name)
        if type_.is_integer or type_.kind == "decimal":
            return "false"
        if not type_.is_float:
            raise ValueError(f"column {name!r} is {type_}, not a number")
        ends = [write_literal(float(text), type_) for text in ("inf", "-inf")]
        infinite = f"{column} in ({', '.join(map(str, ends))})"
        return f"({column} is not null and (isnan({column}) or {infinite}))"

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        return f"{check.columns[0]} finite"


CHECK = FiniteCheck()
