"""``ordered: true``: the table's columns stand in the order in which the contract lists them.

Columns that the contract does not list may stand anywhere: `closed` refuses them. A column
that is missing has no place, so that nothing can be said of the order: an error.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from segue.judge.among import require_columns
from segue.judge.listed_check import ListedCheck
from segue.judge.verdict import judge_value
from segue.spec.sql import quote_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class OrderedCheck(ListedCheck):
    """A table whose columns stand in another order breaks it."""

    name = "ordered"

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the columns in the table's order as JSON; it costs no look at the rows."""
        del table
        listed = check.arguments["listed"]
        require_columns(listed, types)
        return quote_text(json.dumps([name for name in types if name in set(listed)]))

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Say which column is the first that stands elsewhere."""
        listed, found = check.arguments["listed"], json.loads(value)
        apart = [pair for pair in zip(found, listed, strict=True) if pair[0] != pair[1]]
        there, wanted = apart[0] if apart else ("", "")
        return judge_value(
            check,
            len(apart),
            rows,
            kept=not apart,
            found=f"column {there!r} stands where the contract has {wanted!r}"
            if apart
            else f"{len(listed)} columns stand in the contract's order",
            expected=", ".join(listed),
        )


CHECK = OrderedCheck()
