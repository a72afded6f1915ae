"""``references: stores.id``: values are found in a column of another table.

Null passes; how often the other table has the value does not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType

_PARTS = 2


class ReferencesCheck(RowCheck):
    """Rows whose value the other table does not have break it."""

    name = "references"

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``table.column``, ``{table: …, column: …}`` or ``{to: table.column}``."""
        if isinstance(value, dict) and set(value) == {"to"}:
            value = value["to"]
        if isinstance(value, str):
            parts = value.split(".")
            if len(parts) != _PARTS or not all(parts):
                raise ValueError(
                    f"expected table.column, found {value!r}; "
                    "write {table: …, column: …} if a name holds a dot"
                )
            return {"table": parts[0], "column": parts[1]}
        if not isinstance(value, dict) or set(value) != {"table", "column"}:
            raise ValueError(f"expected table.column, found {value!r}")
        if not all(isinstance(part, str) and part for part in value.values()):
            raise ValueError("expected the table and the column as texts")
        return {"table": value["table"], "column": value["column"]}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del types, table
        column = quote_identifier(check.columns[0])
        target = quote_identifier(check.arguments["column"])
        # `not in` hides rows where a null is about: none is, on either side
        known = (
            f"select parent_.{target} from {quote_identifier(check.arguments['table'])} as parent_ "
            f"where parent_.{target} is not null"
        )
        return f"({column} is not null and {column} not in ({known}))"

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return a query of its own: the other table's keys are held while it runs."""
        return (
            f"select count(*) from {quote_identifier(table)} "
            f"where {self.failing(check, types, table)}"
        )

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        return (
            f"{check.columns[0]} references {check.arguments['table']}.{check.arguments['column']}"
        )


CHECK = ReferencesCheck()
