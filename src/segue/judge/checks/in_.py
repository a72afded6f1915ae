"""``in: [new, paid]``: values are among those listed.

Null passes, whether or not it is listed. Texts are compared letter for letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck, read_long
from segue.judge.sql_text import plain_column, plain_type, read_scalar, write_literal
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType

_SHOWN = 6


class InCheck(RowCheck):
    """Rows whose value is not listed break it."""

    name = "in"
    pointwise = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read a list of scalars, or ``{values: […]}``."""
        values = read_long(value, ("values",), "values").get("values")
        if not isinstance(values, list | tuple) or not values:
            raise ValueError(f"expected a list of values, found {values!r}")
        return {"values": [read_scalar(item) for item in values if item is not None]}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del table
        name = check.columns[0]
        type_ = plain_type(types[name])
        literals = [write_literal(value, type_) for value in check.arguments["values"]]
        listed = ", ".join(literal for literal in literals if literal is not None)
        # no literal is null, so that `in` says true or false for each value
        apart = f" and {plain_column(name, types[name])} not in ({listed})" if listed else ""
        return f"({quote_identifier(name)} is not null{apart})"

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        values = check.arguments["values"]
        more = f", … ({len(values)} in all)" if len(values) > _SHOWN else ""
        return f"{check.columns[0]} in {', '.join(map(str, values[:_SHOWN]))}{more}"


CHECK = InCheck()
