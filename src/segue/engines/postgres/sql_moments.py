"""Functions of dates and timestamps that mean in PostgreSQL what they mean in DuckDB."""

from __future__ import annotations

import re

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, family, set_type, show
from segue.engines.postgres.sql_pieces import fill, need, refuse

_PARTS = {
    **{name: name for name in ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "QUARTER", "WEEK")},
    **{name: name for name in ("SECOND", "DOW", "ISODOW", "DOY")},
    "DAYOFWEEK": "DOW",
    "DAYOFWEEKISO": "ISODOW",
    "DAYOFYEAR": "DOY",
    "DAYOFMONTH": "DAY",
    "WEEKOFYEAR": "WEEK",
}
_TRUNCATED = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")
_APART = {
    "DAY": "cast(:b as date) - cast(:a as date)",
    "MONTH": "(extract(year from :b) - extract(year from :a)) * 12 "
    "+ extract(month from :b) - extract(month from :a)",
    "YEAR": "extract(year from :b) - extract(year from :a)",
}
_DIRECTIVES = {"Y": "YYYY", "m": "MM", "d": "DD", "H": "HH24", "M": "MI", "S": "SS"}
_BETWEEN = " -/:.,_"
"""Letters that stand for themselves in formats of both engines."""


def _need_moment(node: exp.Expr, *parts: exp.Expr) -> None:
    for part in parts:
        need(node, part, *MOMENTS, hint="cast it: x::timestamp")


def convert_date_part(node: exp.Expr) -> exp.Expr:
    """Return a part of a moment as a number."""
    if isinstance(node, exp.Extract):
        name, value = node.this.name.upper(), node.expression
    else:
        name, value = type(node).__name__.upper(), node.this
    _need_moment(node, value)
    if name == "EPOCH":
        made = fill("cast(extract(epoch from :x) as double precision)", x=value)
        return set_type(made, "DOUBLE")
    if name not in _PARTS:
        raise refuse(show(node))
    plain = "cast(:x as timestamp)"
    made = fill(f"cast(floor(extract({_PARTS[name]} from {plain})) as bigint)", x=value)
    return set_type(made, "BIGINT")


def convert_epoch(node: exp.Expr) -> exp.Expr:
    """Return the seconds since 1970, with fractions."""
    _need_moment(node, node.this)
    return set_type(fill("cast(extract(epoch from :x) as double precision)", x=node.this), "DOUBLE")


def convert_truncated(node: exp.Expr) -> exp.Expr:
    """Return the beginning of the year, month, ... of a moment."""
    _need_moment(node, node.this)
    unit = node.text("unit").upper()
    if unit not in _TRUNCATED:
        raise refuse(show(node))
    zoned = family(node.this) == "zoned"
    name = "timestamptz" if zoned else "timestamp"
    made = fill(f"date_trunc('{unit.lower()}', cast(:x as {name}))", x=node.this)
    return set_type(made, "TIMESTAMPTZ" if zoned else "TIMESTAMP")


def convert_apart(node: exp.Expr) -> exp.Expr:
    """Return how many days, months or years begin between two moments."""
    _need_moment(node, node.this, node.expression)
    unit = node.text("unit").upper()
    if unit not in _APART:
        raise refuse(show(node))
    made = fill(f"cast({_APART[unit]} as bigint)", a=node.expression, b=node.this)
    return set_type(made, "BIGINT")


def convert_format(node: exp.Expr) -> exp.Expr:
    """Return a moment as text, by a format of plain numbers."""
    _need_moment(node, node.this)
    format_ = node.args["format"]
    pieces = re.findall(r"%.|.", format_.name) if isinstance(format_, exp.Literal) else ["%?"]
    spelled = ""
    for piece in pieces:
        if piece[0] == "%" and piece[1:] in _DIRECTIVES:
            spelled += _DIRECTIVES[piece[1:]]
        elif piece in _BETWEEN:
            spelled += piece
        else:
            raise refuse(show(node), "a format can hold %Y %m %d %H %M %S")
    return set_type(fill(f"to_char(cast(:x as timestamp), '{spelled}')", x=node.this), "VARCHAR")


def convert_interval(node: exp.Expr) -> exp.Expr:
    """Return an interval beside a moment; alone it can't be carried over."""
    if not isinstance(node.parent, (exp.Add, exp.Sub)):
        raise refuse(show(node))
    return set_type(node, "INTERVAL")
