"""Quantiles: the value below which a share of the values lies, between two of them if need be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, family, set_type, show
from segue.engines.postgres.sql_pieces import FLOATS, WHOLE, fill, is_literal, refuse

if TYPE_CHECKING:
    from segue.engines.dialects.carry import Wrap

_DOUBLE_DIGITS = 15
"""Decimal digits that a double holds for certain."""


def convert_quantile(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return a quantile of numbers, dates or timestamps.

    Raises:
        UnsupportedError: The share is not written out, or PostgreSQL can't tell it so.
    """
    value, place = node.this, node.args.get("expression")
    if isinstance(node, exp.Median):
        place = exp.Literal.number("0.5")
    if place is None or not is_literal(place) or place.is_string:
        raise refuse(show(node), "write out the share: 0.95")
    found = family(value)
    if found in (*WHOLE, *FLOATS):
        return set_type(_write_double(value, place, wrap), "DOUBLE")
    if found in MOMENTS:
        micros = fill("extract(epoch from :x) * 1000000", x=value)
        name = "timestamptz" if found == "zoned" else "timestamp"
        made = fill(
            f"cast('1970-01-01 00:00:00+00' as {name}) + floor(:x) * interval '1 microsecond'",
            x=_write_double(micros, place, wrap),
        )
        return set_type(made, name.upper())
    if found == "decimal":
        return _convert_decimal(value, place, wrap)
    raise refuse(f"{show(node)} of a {found}")


def _write_double(value: exp.Expr, place: exp.Expr, wrap: Wrap) -> exp.Expr:
    text = "percentile_cont(:p) within group (order by cast(:x as double precision))"
    return wrap(fill(text, p=place, x=value))


def _convert_decimal(value: exp.Expr, place: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return a quantile of decimals: exact, for which the server holds all of the values."""
    sizes = [each.name for each in value.type.expressions] if value.type is not None else []
    digits = f"{sizes[0]}, {sizes[1] if len(sizes) > 1 else 0}" if sizes else "18, 3"
    inner = value.this if isinstance(value, exp.Cast) else value
    plain = inner.type.expressions if inner.type is not None else []
    if plain and int(plain[0].name) <= _DOUBLE_DIGITS:
        made = _write_double(value, place, wrap)
        return set_type(fill(f"cast(:x as numeric({digits}))", x=made), f"DECIMAL({digits})")
    rows = wrap(fill("array_agg(:x order by :x)", x=value))
    count = wrap(fill("count(:x)", x=value))
    at = fill("(cast(:n as numeric) - 1) * :p", n=count, p=place)
    low = fill("(:a)[cast(floor(:at) as integer) + 1]", a=rows, at=at)
    high = fill("(:a)[cast(ceil(:at) as integer) + 1]", a=rows, at=at)
    made = fill(
        f"cast(:l + (:h - :l) * (:at - floor(:at)) as numeric({digits}))", l=low, h=high, at=at
    )
    return set_type(made, f"DECIMAL({digits})")
