"""``required: true``: no value is null (NaN is a value)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck, read_flag
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class RequiredCheck(RowCheck):
    """Rows whose value is null break it."""

    name = "required"

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``true``."""
        read_flag(value, self.name)
        return {}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del types, table
        return f"{quote_identifier(check.columns[0])} is null"

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        return f"{check.columns[0]} required"


CHECK = RequiredCheck()
