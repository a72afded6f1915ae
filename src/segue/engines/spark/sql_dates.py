"""Functions of dates and timestamps that mean on Spark what they mean in DuckDB."""

from __future__ import annotations

import re

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, family, set_type, show
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import refuse

_PARTS = {
    "YEAR": "year(:x)",
    "MONTH": "month(:x)",
    "DAY": "day(:x)",
    "HOUR": "hour(:x)",
    "MINUTE": "minute(:x)",
    "SECOND": "second(:x)",
    "QUARTER": "quarter(:x)",
    "WEEK": "weekofyear(:x)",
    "DOW": "dayofweek(:x) - 1",
    "DAYOFWEEK": "dayofweek(:x) - 1",
    "ISODOW": "weekday(:x) + 1",
    "DAYOFWEEKISO": "weekday(:x) + 1",
    "DOY": "dayofyear(:x)",
    "DAYOFYEAR": "dayofyear(:x)",
    "DAYOFMONTH": "day(:x)",
    "WEEKOFYEAR": "weekofyear(:x)",
}

_TRUNCATED = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")

_APART = {
    "DAY": "datediff(cast(:b as date), cast(:a as date))",
    "MONTH": "(year(:b) - year(:a)) * 12 + month(:b) - month(:a)",
    "YEAR": "year(:b) - year(:a)",
}

_DIRECTIVES = {"Y": "yyyy", "m": "MM", "d": "dd", "H": "HH", "M": "mm", "S": "ss"}
_BETWEEN = " -/:._,"
"""Letters that stand for themselves in formats of both engines."""


def _need_moment(node: exp.Expr, *parts: exp.Expr) -> None:
    for part in parts:
        if family(part) not in MOMENTS:
            raise refuse(f"{show(node)} of a {family(part)}", "cast it: x::timestamp")


def convert_date_part(node: exp.Expr) -> exp.Expr:
    """Return a part of a moment as a number."""
    if isinstance(node, exp.Extract):
        name, value = node.this.name.upper(), node.expression
    else:
        name, value = type(node).__name__.upper(), node.this
    _need_moment(node, value)
    if name not in _PARTS:
        raise refuse(show(node))
    return set_type(fill(f"cast({_PARTS[name]} as bigint)", x=value), "BIGINT")


def convert_epoch(node: exp.Expr) -> exp.Expr:
    """Return the seconds since 1970, with fractions."""
    _need_moment(node, node.this)
    micros = "cast(unix_micros(cast(:x as timestamp)) as double) / 1000000"
    return set_type(fill(micros, x=node.this), "DOUBLE")


def convert_truncated(node: exp.Expr) -> exp.Expr:
    """Return the beginning of the year, month, ... of a moment."""
    _need_moment(node, node.this)
    unit = node.text("unit").upper()
    if unit not in _TRUNCATED:
        raise refuse(show(node))
    zoned = family(node.this) == "zoned"
    name = "timestamp" if zoned else "timestamp_ntz"
    made = fill(f"cast(date_trunc('{unit}', :x) as {name})", x=node.this)
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
    return set_type(fill(f"date_format(:x, '{spelled}')", x=node.this), "VARCHAR")


def convert_made_date(node: exp.Expr) -> exp.Expr:
    """Return the date of a year, month and day."""
    parts = [node.args[name] for name in ("year", "month", "day")]
    if any(family(part) != "integer" for part in parts):
        raise refuse(show(node))
    year, month, day = parts
    ints = "cast(:y as int), cast(:m as int), cast(:d as int)"
    return set_type(fill(f"make_date({ints})", y=year, m=month, d=day), "DATE")


def convert_interval(node: exp.Expr) -> exp.Expr:
    """Return an interval beside a moment; alone it can't be carried over."""
    if not isinstance(node.parent, (exp.Add, exp.Sub)):
        raise refuse(show(node))
    return set_type(node, "INTERVAL")
