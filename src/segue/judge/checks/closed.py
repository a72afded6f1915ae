"""``closed: true``: the table has no columns but those that the contract lists.

It says nothing of columns that are missing: `present`, `type` and `required` do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from segue.judge.listed_check import ListedCheck
from segue.judge.verdict import judge_value
from segue.spec.sql import quote_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class ClosedCheck(ListedCheck):
    """A table with a column that its contract does not list breaks it."""

    name = "closed"

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the names of the other columns as JSON; it costs no look at the rows."""
        del table
        listed = set(check.arguments["listed"])
        return quote_text(json.dumps([name for name in types if name not in listed]))

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Say which columns are too many."""
        others = json.loads(value)
        listed = ", ".join(map(repr, others))
        many = f"{len(others)} columns" if len(others) > 1 else "a column"
        found = f"the table has {many} that the contract does not list: {listed}"
        return judge_value(
            check,
            len(others),
            rows,
            kept=not others,
            found=found if others else "the table has no columns but those of the contract",
            expected="none",
            advice="; list them, or leave them out of the table",
        )


CHECK = ClosedCheck()
