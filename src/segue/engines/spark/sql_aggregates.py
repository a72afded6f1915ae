"""Aggregates and window functions that mean on Spark what they mean in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import NESTED, NUMBERS, family, set_type, show
from segue.engines.dialects.kinds import ORDERED, PICKED, SHARES, SPREADS, TRUTHS, read_count
from segue.engines.spark.sql_dates import read_width
from segue.engines.spark.sql_lists import convert_collected, convert_end
from segue.engines.spark.sql_quantiles import convert_quantile
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import refuse

if TYPE_CHECKING:
    from segue.engines.dialects.carry import Wrap

_SAME = (exp.Min, exp.Max, exp.AnyValue, *PICKED)

_PAIRS = (exp.CovarPop, exp.CovarSamp)

AGGREGATES = (
    *ORDERED,
    *SHARES,
    *_SAME,
    *SPREADS,
    *TRUTHS,
    exp.Avg,
    exp.Count,
    exp.CountIf,
    exp.Sum,
    exp.ArrayAgg,
    exp.GroupConcat,
    exp.Median,
    exp.PercentileCont,
    exp.ArgMax,
    exp.ArgMin,
    exp.BitwiseAndAgg,
    exp.BitwiseOrAgg,
    exp.BitwiseXorAgg,
    exp.First,
    exp.Last,
    exp.NthValue,
    *_PAIRS,
)


def convert_aggregate(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return an aggregate or window function.

    Args:
        node: The function; what it is of has been converted.
        wrap: Puts FILTER and OVER around each aggregate that it becomes.

    Raises:
        UnsupportedError: Spark computes it otherwise.
    """
    special = {
        exp.ArrayAgg: convert_collected,
        exp.ArgMax: _convert_best,
        exp.ArgMin: _convert_best,
        exp.Avg: _convert_average,
        exp.BitwiseAndAgg: _convert_bits,
        exp.BitwiseOrAgg: _convert_bits,
        exp.BitwiseXorAgg: _convert_bits,
        exp.First: convert_end,
        exp.GroupConcat: convert_collected,
        exp.Last: convert_end,
        exp.Median: convert_quantile,
        exp.NthValue: _convert_nth,
        exp.PercentileCont: convert_quantile,
        exp.Sum: _convert_sum,
    }.get(type(node))  # type: ignore[arg-type]  # other nodes are not in it
    if special is not None:
        return special(node, wrap)
    if isinstance(node, (exp.Count, exp.CountIf)):
        return set_type(wrap(_plain_count(node)), "BIGINT")
    if isinstance(node, (*ORDERED, *SHARES)):
        name = "double" if isinstance(node, SHARES) else "bigint"
        return set_type(fill(f"cast(:x as {name})", x=wrap(node)), name)
    if isinstance(node, _PAIRS):
        return _convert_pair(node, wrap)
    if isinstance(node, (*TRUTHS, *SPREADS)):
        return _convert_plain(node, wrap)
    return _convert_same(node, wrap)


def _convert_plain(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return an aggregate that Spark has too, of truth values or of floats."""
    logical = isinstance(node, TRUTHS)
    if family(node.this) not in ({"bool"} if logical else NUMBERS - {"unsigned"}):
        raise refuse(f"{show(node)} of a {family(node.this)}")
    if logical:
        name = "bool_and" if isinstance(node, exp.LogicalAnd) else "bool_or"
        return set_type(wrap(fill(f"{name}(:x)", x=node.this)), "BOOLEAN")
    return set_type(wrap(type(node)(this=fill("cast(:x as double)", x=node.this))), "DOUBLE")


def _convert_pair(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return the covariance of two numbers."""
    sides = [node.this, node.expression]
    if not {family(side) for side in sides} <= NUMBERS - {"unsigned"}:
        raise refuse(f"{show(node)} of {' and '.join(map(family, sides))}")
    x, y = (fill("cast(:x as double)", x=side) for side in sides)
    return set_type(wrap(type(node)(this=x, expression=y)), "DOUBLE")


def _plain_count(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.CountIf):
        return exp.CountIf(this=node.this.copy())
    if node.this is None:
        return exp.Count(this=exp.Star())
    if isinstance(node.this, exp.Distinct) and len(node.this.expressions) != 1:
        raise refuse(show(node))
    return exp.Count(this=node.this.copy())


def _convert_same(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return a function whose result is one of the values."""
    value = node.this
    ordered = isinstance(node, (exp.Min, exp.Max))
    if family(value) == "unknown" or (ordered and family(value) in NESTED):
        raise refuse(f"{show(node)} of a {family(value)}")
    made = wrap(fill("any_value(:x, true)", x=value) if isinstance(node, exp.AnyValue) else node)
    made.type = value.type
    return made


def _convert_best(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return the value in the row where another one is largest or smallest; neither is null."""
    value, key = node.this, node.expression
    if isinstance(key, exp.Tuple) or node.args.get("count") or family(key) in ("unknown", *NESTED):
        raise refuse(show(node))
    name = "max_by" if isinstance(node, exp.ArgMax) else "min_by"
    made = wrap(fill(f"{name}(:x, if(:x is null, null, :k))", x=value, k=key))
    made.type = value.type
    return made


def _convert_bits(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    if family(node.this) != "integer":
        raise refuse(f"{show(node)} of a {family(node.this)}")
    name = "bit_and" if isinstance(node, exp.BitwiseAndAgg) else "bit_or"
    name = "bit_xor" if isinstance(node, exp.BitwiseXorAgg) else name
    made = wrap(fill(f"{name}(:x)", x=node.this))
    made.type = node.this.type
    return made


def _convert_nth(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    place = node.args.get("offset")
    if place is None or read_count(place, 1) is None or node.args.get("from_first") is False:
        raise refuse(show(node), "write out which row, counted from 1")
    made = wrap(fill("nth_value(:x, :n)", x=node.this, n=place))
    made.type = node.this.type
    return made


def _unwrap(node: exp.Expr) -> tuple[exp.Expr, bool]:
    if not isinstance(node.this, exp.Distinct):
        return node.this, False
    if len(node.this.expressions) != 1:
        raise refuse(show(node))
    return node.this.expressions[0], True


def _convert_sum(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return a sum: of integers an int64, however large sums on the way are."""
    value, distinct = _unwrap(node)
    found = family(value)
    if found not in NUMBERS | {"bool"}:
        raise refuse(f"{show(node)} of a {found}")
    if found == "bool":
        value = fill("cast(:x as int)", x=value)
    if distinct:
        name = "bigint" if found in ("integer", "unsigned", "bool") else None
        whole = fill("cast(:x as decimal(20, 0))", x=value) if name else value
        made = wrap(fill("sum(distinct :x)", x=whole))
        made = fill(f"cast(:x as {name})", x=made) if name else made
    elif _is_wide(value):
        made = fill("cast(:x as bigint)", x=_add_exactly(value, wrap))
    else:
        made = wrap(fill("sum(:x)", x=value))
        if found == "unsigned":
            made = fill("cast(:x as bigint)", x=made)
    names = {"decimal": "DECIMAL(38, {})", "float32": "DOUBLE", "float64": "DOUBLE"}
    sizes = value.type.expressions if found == "decimal" and value.type is not None else []
    scale = sizes[1].name if len(sizes) > 1 else "0"
    return set_type(made, names.get(found, "BIGINT").format(scale))


def _is_wide(value: exp.Expr) -> bool:
    """Return whether sums of integers may leave int64 on their way."""
    kind = "" if value.type is None else value.type.this.value.upper()
    return kind in ("BIGINT", "INT128")


def _add_exactly(value: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return an exact sum of int64: halves are summed apart, for none of them overflows."""
    high = wrap(fill("sum(shiftright(:x, 32))", x=value))
    low = wrap(fill("sum(:x & 4294967295L)", x=value))
    return fill(
        "cast(:h as decimal(38, 0)) * 4294967296BD + cast(:l as decimal(38, 0))", h=high, l=low
    )


def _convert_average(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return an average, of the exact sum where numbers are exact."""
    value, distinct = _unwrap(node)
    found = family(value)
    if found not in NUMBERS:
        raise refuse(f"{show(node)} of a {found}")
    if found in ("float32", "float64"):
        inner = "avg(distinct cast(:x as double))" if distinct else "avg(cast(:x as double))"
        return set_type(wrap(fill(inner, x=value)), "DOUBLE")
    if distinct:
        total = wrap(fill("sum(distinct cast(:x as decimal(38, 0)))", x=value))
        if found == "decimal":
            raise refuse(show(node))
        count = wrap(fill("count(distinct :x)", x=value))
    else:
        total = _add_exactly(value, wrap) if _is_wide(value) else wrap(fill("sum(:x)", x=value))
        count = wrap(fill("count(:x)", x=value))
    made = fill("if(:n = 0, null, cast(:s as double) / cast(:n as double))", s=total, n=count)
    return set_type(made, "DOUBLE")


def refuse_frame(spec: exp.Expr | None) -> None:
    """Refuse window frames that count otherwise on Spark."""
    if spec is None:
        return
    kind = (spec.args.get("kind") or "").upper()
    sides = [spec.args.get(side) for side in ("start", "end")]
    counted = [side for side in sides if isinstance(side, exp.Expr)]
    if spec.args.get("exclude") or kind not in ("ROWS", "RANGE"):
        raise refuse(f"the window frame {show(spec)}")
    if kind == "RANGE" and counted:
        _check_range(spec, counted)
    elif any(read_count(side, 0) is None for side in counted):
        raise refuse(f"the window frame {show(spec)}")


def _check_range(spec: exp.Expr, counted: list[exp.Expr]) -> None:
    """Refuse a range of values that is not a fixed span of time."""
    order = spec.parent.args.get("order") if spec.parent is not None else None
    keys = order.expressions if order is not None else []
    timed = len(keys) == 1 and family(keys[0].this) in ("timestamp", "zoned")
    if not timed or any(read_width(side) is None for side in counted):
        raise refuse(
            f"the window frame {show(spec)}", "count rows, or fixed spans of time by a timestamp"
        )
