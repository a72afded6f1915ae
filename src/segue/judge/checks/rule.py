"""``{name: …, rule: paid_at is not null, where: "status = 'paid'"}``: SQL that is true of rows.

It speaks of the rows for which `where` is true. A rule that is null for a row passes, as
every check of a value does: add ``is not null`` where null is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck, read_text
from segue.spec.row_expression import check_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class RuleCheck(RowCheck):
    """Rows for which the rule is false break it."""

    name = "rule"
    scope = "table"
    own = frozenset({"where"})

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``{rule: …, where: …}``, or the rule as text."""
        if isinstance(value, str):
            value = {"rule": value}
        if not isinstance(value, dict) or "rule" not in value or set(value) - {"rule", "where"}:
            raise ValueError(f"expected {{rule: …, where: …}}, found {value!r}")
        arguments = {}
        for key in ("rule", "where"):
            text = value.get(key)
            if text is None and key == "where":
                continue
            arguments[key] = read_text(text, f"a SQL expression as `{key}`").strip()
            check_expression(arguments[key])
        return arguments

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del types, table
        # A line's end closes a comment that the user's text may end with.
        broken = f"not coalesce(({check.arguments['rule']}\n), true)"
        where = check.arguments.get("where")
        return f"(coalesce(({where}\n), false) and {broken})" if where else f"({broken})"

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        where = check.arguments.get("where")
        rule = " ".join(str(check.arguments["rule"]).split())
        return f"{rule} where {' '.join(str(where).split())}" if where else rule


CHECK = RuleCheck()
