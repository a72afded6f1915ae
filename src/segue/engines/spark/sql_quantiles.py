"""Quantiles: the value below which a share of the values lies, between two of them if need be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, family, set_type, show
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import refuse

if TYPE_CHECKING:
    from segue.engines.dialects.carry import Wrap

_DOUBLE_DIGITS = 15
"""Decimal digits that a double holds for certain."""

_EXACT = """
transform(array(array_sort(:c)), c -> transform(array((size(c) - 1) * cast(:p as decimal(38, 18))),
  at -> cast(c[int(floor(at))] + (c[int(ceil(at))] - c[int(floor(at))]) * (at - floor(at))
  as decimal({sizes})))[0])[0]
"""


def convert_quantile(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return a quantile of numbers, dates or timestamps.

    Raises:
        UnsupportedError: The share is not written out, or Spark can't tell it so.
    """
    value, place = node.this, node.args.get("expression")
    if isinstance(node, exp.Median):
        place = exp.Literal.number("0.5")
    if isinstance(place, exp.Cast):  # what becomes of a number with a point
        place = place.this
    if not isinstance(place, exp.Literal):
        raise refuse(show(node), "write out the share: 0.95")
    found = family(value)
    share = fill(f"cast('{place.name}' as double)")
    if found in ("integer", "float32", "float64"):
        inner = fill("percentile(cast(:x as double), :p)", x=value, p=share)
        return set_type(wrap(inner), "DOUBLE")
    if found in MOMENTS:
        inner = fill("percentile(unix_micros(cast(:x as timestamp)), :p)", x=value, p=share)
        zoned = found == "zoned"
        name = "timestamp" if zoned else "timestamp_ntz"
        made = fill(f"cast(timestamp_micros(cast(floor(:x) as bigint)) as {name})", x=wrap(inner))
        return set_type(made, "TIMESTAMPTZ" if zoned else "TIMESTAMP")
    if found == "decimal":
        return _convert_decimal(value, exp.Literal.string(place.name), wrap)
    raise refuse(f"{show(node)} of a {found}")


def _convert_decimal(value: exp.Expr, place: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return a quantile of decimals: exact, for which an executor holds all of the values."""
    sizes = [each.name for each in value.type.expressions] if value.type is not None else []
    digits = f"{sizes[0]}, {sizes[1] if len(sizes) > 1 else 0}" if sizes else "18, 3"
    inner = value.this if isinstance(value, exp.Cast) else value
    plain = inner.type.expressions if inner.type is not None else []
    if plain and int(plain[0].name) <= _DOUBLE_DIGITS:
        share = fill("cast(:p as double)", p=place)
        made = wrap(fill("percentile(cast(:x as double), :p)", x=value, p=share))
        return set_type(fill(f"cast(:x as decimal({digits}))", x=made), f"DECIMAL({digits})")
    rows = wrap(fill("collect_list(:x)", x=value))
    text = _EXACT.format(sizes=digits)
    made = fill(f"if(size(:c) = 0, null, {text})", c=rows, p=place)
    return set_type(made, f"DECIMAL({digits})")
