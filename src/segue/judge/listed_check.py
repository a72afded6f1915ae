"""What the kinds have in common that compare a table's columns with those of its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import read_flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class ListedCheck:
    """A kind that looks at names of columns only, and not at rows.

    Attributes:
        name: The word in contracts.
    """

    name: str
    scope = "table"
    row_level = False
    rowless = True
    refused = frozenset({"where", "by", "sample", "new", "anomaly"})

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``true``."""
        read_flag(value, self.name)
        return {}

    def settle(self, check: Check, columns: Sequence[str]) -> Mapping[str, Any]:
        """Take the columns that the contract lists, in their order."""
        if not columns:
            raise ValueError("the contract lists no columns: write them below `columns`")
        return {**check.arguments, "listed": list(columns)}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: no single row breaks it."""
        del check, types, table
        return ""
