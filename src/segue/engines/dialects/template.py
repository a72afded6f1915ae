"""Pieces of SQL with places for other expressions."""

from __future__ import annotations

from functools import cache

import sqlglot
from sqlglot import exp


@cache
def _parse(text: str, dialect: str) -> exp.Expr:
    return sqlglot.parse_one(text, read=dialect)


def fill_in(dialect: str, text: str, /, **parts: exp.Expr) -> exp.Expr:
    """Return an expression.

    Args:
        dialect: In which the text is written.
        text: The expression, with ``:name`` for each part.
        parts: Expressions for the places; each is copied to every place.

    Example:
        >>> fill_in("spark", "if(:a > 0, :a, 0)", a=exp.column("x")).sql("spark")
        'IF(x > 0, x, 0)'
    """
    made = _parse(text, dialect).copy()
    for place in list(made.find_all(exp.Placeholder)):
        part = parts[place.name].copy()
        needs = isinstance(part, (exp.Binary, exp.Not, exp.Between, exp.In, exp.Is, exp.Unary))
        new = exp.Paren(this=part) if needs and isinstance(place.parent, exp.Expr) else part
        if place is made:
            return part
        place.replace(new)
    return made
