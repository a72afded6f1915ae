"""SQL expressions over the columns of one row, as contracts hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlglot.expressions as exp


def check_expression(text: str) -> None:
    """Accept one true-or-false SQL expression over the columns of one row.

    Raises:
        ValueError: It does not parse, is not true or false, or looks beyond its row.
    """
    _refuse_beyond_row(parse_expression(text), text)


def parse_expression(text: str) -> exp.Expr:
    """Return the syntax tree of one SQL expression.

    Raises:
        ValueError: It does not parse, or is something else.
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
    return inside.this  # type: ignore[no-any-return]


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
