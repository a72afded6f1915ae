"""Pieces of Spark's SQL with places for other expressions."""

from __future__ import annotations

from functools import cache

import sqlglot
from sqlglot import exp


@cache
def _parse(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="spark")


def fill(text: str, /, **parts: exp.Expr) -> exp.Expr:
    """Return an expression of Spark's SQL.

    Args:
        text: The expression, with ``:name`` for each part.
        parts: Expressions for the places; each is copied to every place.

    Example:
        >>> fill("if(:a > 0, :a, 0)", a=exp.column("x")).sql("spark")
        'IF(x > 0, x, 0)'
    """
    made = _parse(text).copy()
    for place in list(made.find_all(exp.Placeholder)):
        part = parts[place.name].copy()
        needs = isinstance(part, (exp.Binary, exp.Not, exp.Between, exp.In, exp.Is, exp.Unary))
        new = exp.Paren(this=part) if needs and isinstance(place.parent, exp.Expr) else part
        if place is made:
            return part
        place.replace(new)
    return made
