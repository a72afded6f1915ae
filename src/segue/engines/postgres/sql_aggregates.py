"""Aggregates and window functions that mean in PostgreSQL what they mean in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import NESTED, NUMBERS, family, set_type, show
from segue.engines.dialects.kinds import ORDERED, PICKED, SHARES, SPREADS, TRUTHS
from segue.engines.postgres.sql_pieces import FLOATS, fill, is_literal, need, refuse
from segue.engines.postgres.sql_quantiles import convert_quantile

if TYPE_CHECKING:
    from segue.engines.dialects.carry import Wrap

AGGREGATES = (
    *ORDERED,
    *SHARES,
    *PICKED,
    *SPREADS,
    *TRUTHS,
    exp.PercentileCont,
    exp.Median,
    exp.AnyValue,
    exp.Avg,
    exp.Count,
    exp.CountIf,
    exp.Max,
    exp.Min,
    exp.Sum,
)


def convert_aggregate(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return an aggregate or window function.

    Args:
        node: The function; what it is of has been converted.
        wrap: Puts FILTER and OVER around each aggregate that it becomes.

    Raises:
        UnsupportedError: PostgreSQL computes it otherwise.
    """
    special = {
        exp.Avg: _convert_average,
        exp.Median: convert_quantile,
        exp.PercentileCont: convert_quantile,
        exp.Sum: _convert_sum,
    }.get(type(node))  # type: ignore[arg-type]  # other nodes are not in it
    if special is not None:
        return special(node, wrap)
    if isinstance(node, (exp.Count, exp.CountIf)):
        return set_type(wrap(_plain_count(node)), "BIGINT")
    if isinstance(node, (*ORDERED, *SHARES)):
        name = "DOUBLE" if isinstance(node, SHARES) else "BIGINT"
        return set_type(wrap(node.copy()), name)
    if isinstance(node, (*TRUTHS, *SPREADS)):
        return _convert_plain(node, wrap)
    return _convert_same(node, wrap)


def _convert_plain(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return an aggregate that PostgreSQL has too, of truth values or of floats."""
    if isinstance(node, TRUTHS):
        need(node, node.this, "bool")
        name = "bool_and" if isinstance(node, exp.LogicalAnd) else "bool_or"
        return set_type(wrap(fill(f"{name}(:x)", x=node.this)), "BOOLEAN")
    need(node, node.this, *NUMBERS)
    value = fill("cast(:x as double precision)", x=node.this)
    return set_type(wrap(type(node)(this=value)), "DOUBLE")


def _plain_count(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.CountIf):
        return fill("count(case when :x then 1 end)", x=node.this)
    if node.this is None:
        return exp.Count(this=exp.Star())
    if isinstance(node.this, exp.Distinct):
        if len(node.this.expressions) != 1 or isinstance(node.this.expressions[0], exp.Tuple):
            raise refuse(show(node))
    elif isinstance(node.this, exp.Tuple):
        raise refuse(show(node))
    return exp.Count(this=node.this.copy())


def _convert_same(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return a function whose result is one of the values."""
    value = node.this
    found = family(value)
    if found == "unknown" or found in NESTED:
        raise refuse(f"{show(node)} of a {found}")
    if isinstance(node, PICKED):
        made = wrap(node.copy())
    elif found == "bool":
        name = "bool_or" if isinstance(node, exp.Max) else "bool_and"
        made = wrap(fill(f"{name}(:x)", x=value))
    elif found == "binary":
        raise refuse(f"{show(node)} of a {found}")
    else:  # any value is as good as the smallest one
        name = "max" if isinstance(node, exp.Max) else "min"
        made = wrap(fill(f"{name}(:x)", x=value))
    made.type = value.type
    return made


def _unwrap(node: exp.Expr) -> tuple[exp.Expr, str]:
    if not isinstance(node.this, exp.Distinct):
        return node.this, ""
    if len(node.this.expressions) != 1:
        raise refuse(show(node))
    return node.this.expressions[0], "distinct "


def _convert_sum(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return a sum: exact of integers, however large; a double of floats."""
    value, distinct = _unwrap(node)
    found = family(value)
    need(node, value, *NUMBERS, "bool")
    if found in FLOATS:
        value = fill("cast(:x as double precision)", x=value)
        return set_type(wrap(fill(f"sum({distinct}:x)", x=value)), "DOUBLE")
    if found == "bool":
        value = fill("cast(:x as integer)", x=value)
    made = wrap(fill(f"sum({distinct}:x)", x=value))
    if found == "decimal":
        sizes = value.type.expressions if value.type is not None else []
        scale = sizes[1].name if len(sizes) > 1 else "0"
        return set_type(made, f"DECIMAL(38, {scale})")
    return set_type(fill("cast(:x as numeric)", x=made), "HUGEINT")


def _convert_average(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return an average, of the exact sum where numbers are exact."""
    value, distinct = _unwrap(node)
    need(node, value, *NUMBERS)
    if family(value) in FLOATS:
        value = fill("cast(:x as double precision)", x=value)
        return set_type(wrap(fill(f"avg({distinct}:x)", x=value)), "DOUBLE")
    total = wrap(fill(f"sum({distinct}:x)", x=value))
    count = wrap(fill(f"count({distinct}:x)", x=value))
    return set_type(
        fill("cast(:s as double precision) / nullif(:n, 0)", s=total, n=count), "DOUBLE"
    )


def refuse_frame(spec: exp.Expr | None) -> None:
    """Refuse window frames that count otherwise.

    Raises:
        UnsupportedError: One does.
    """
    if spec is None:
        return
    kind = (spec.args.get("kind") or "").upper()
    sides = [spec.args.get(side) for side in ("start", "end")]
    counted = [side for side in sides if isinstance(side, exp.Expr)]
    plain = all(is_literal(side) and side.name.isdigit() for side in counted)
    if spec.args.get("exclude") or kind not in ("ROWS", "RANGE") or not plain:
        raise refuse(f"the window frame {show(spec)}")
    if kind == "RANGE" and counted:
        raise refuse(f"the window frame {show(spec)}", "count rows: rows between …")
