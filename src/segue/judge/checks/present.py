"""``present: true``: the table has the column, whatever its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import read_flag
from segue.judge.verdict import judge_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class PresentCheck:
    """A table without the column breaks it."""

    name = "present"
    scope = "column"
    row_level = False
    rowless = True
    finds_columns = True
    refused = frozenset({"where", "by", "sample", "new", "anomaly"})

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``true``."""
        read_flag(value, self.name)
        return {}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: no single row breaks it."""
        del check, types, table
        return ""

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return whether the column is there; it costs no look at the rows."""
        del table
        return "true" if check.columns[0] in types else "false"

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Say whether the column is there."""
        found = f"there is {'a' if value else 'no'} column {check.columns[0]}"
        return judge_value(check, value, rows, kept=bool(value), found=found, expected="it")


CHECK = PresentCheck()
