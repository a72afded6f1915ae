"""``{name: …, rule: paid_at is not null, where: "status = 'paid'"}``: SQL that is true of rows.

It speaks of the rows for which `where` is true. A rule that is null for a row passes, as
every check of a value does: add ``is not null`` where null is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlglot.expressions as exp

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class RuleCheck(RowCheck):
    """Rows for which the rule is false break it."""

    name = "rule"
    scope = "table"

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


def check_expression(text: str) -> None:
    """Accept one true-or-false SQL expression over the columns of one row.

    Raises:
        ValueError: It does not parse, is not true or false, or looks beyond its row.
    """
    import sqlglot.expressions as exp
    from sqlglot import errors, parse

    try:
        statements = parse(f"select 1 where (\n{text}\n)", read="duckdb")
    except errors.SqlglotError as error:
        raise ValueError(f"`{text}` can't be read as SQL: {_explain(error)}") from None
    select = statements[0]
    clauses = {key for key, part in select.args.items() if part} if select else set()
    # A text that closes the bracket by itself leaves more than the one clause, or no bracket.
    inside = select.args["where"].this if select and "where" in clauses else None
    single = len(statements) == 1 and clauses == {"expressions", "where"}
    if not single or not isinstance(inside, exp.Paren):
        raise ValueError(f"`{text}` is not one SQL expression")
    _refuse_beyond_row(inside.this, text)


def _refuse_beyond_row(expression: exp.Expr, text: str) -> None:
    import sqlglot.expressions as exp

    if expression.find(exp.Table):
        raise ValueError(f"`{text}` looks into a table; `references` is the check that does")
    if expression.find(exp.AggFunc, exp.Window):
        raise ValueError(f"`{text}` speaks of several rows, and a rule of each row by itself")
    arithmetic = isinstance(expression, exp.Binary) and not isinstance(
        expression, exp.Predicate | exp.Connector | exp.Dot
    )
    if arithmetic or isinstance(expression, exp.Literal):
        raise ValueError(f"`{text}` is neither true nor false")


def _explain(error: Exception) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return "a quote is not closed"
    near = details[0]["highlight"].strip()
    return f"something is wrong near {near!r}" if near not in ("", ")") else "it is not complete"


CHECK = RuleCheck()
