"""Kinds of nodes that every engine's rules speak of together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from segue.engines.dialects.families import NUMBERS, family, set_type, show

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.engines.dialects.carry import Rule
    from segue.errors import UnsupportedError

PLAIN: tuple[type[exp.Expr], ...] = (
    exp.Boolean,
    exp.CTE,
    exp.Column,
    exp.Cube,
    exp.DataType,
    exp.DataTypeParam,
    exp.Exists,
    exp.From,
    exp.Group,
    exp.GroupingSets,
    exp.Having,
    exp.Identifier,
    exp.Is,
    exp.Limit,
    exp.Null,
    exp.Offset,
    exp.Order,
    exp.PropertyEQ,
    exp.Rollup,
    exp.Select,
    exp.Star,
    exp.Subquery,
    exp.Table,
    exp.TableAlias,
    exp.Tuple,
    exp.Values,
    exp.Var,
    exp.Where,
    exp.WindowSpec,
    exp.With,
)
"""What means the same as it stands, once its parts do."""

SETS = (exp.Union, exp.Except, exp.Intersect)
LOGICAL = (exp.And, exp.Or, exp.Not)
CHOICES = (exp.Case, exp.Coalesce, exp.If, exp.Nullif, exp.Greatest, exp.Least)
COMPARISONS = (
    exp.EQ,
    exp.NEQ,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
)
DATE_PARTS = (
    exp.Extract,
    exp.Year,
    exp.Month,
    exp.Day,
    exp.Hour,
    exp.Minute,
    exp.Second,
    exp.Quarter,
    exp.Week,
    exp.WeekOfYear,
    exp.DayOfWeek,
    exp.DayOfWeekIso,
    exp.DayOfYear,
    exp.DayOfMonth,
)

ORDERED = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile)
SHARES = (exp.PercentRank, exp.CumeDist)
PICKED = (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue)
SPREADS = (exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop)
TRUTHS = (exp.LogicalAnd, exp.LogicalOr)
PLACED = (exp.RowNumber, exp.Ntile, *PICKED)
"""What depends on the place of a row among others."""


def rules(rule: Rule, *kinds: type[exp.Expr]) -> dict[type[exp.Expr], Rule]:
    """Return one rule for several kinds."""
    return dict.fromkeys(kinds, rule)


def keep(node: exp.Expr) -> exp.Expr:
    """Return a node as it is."""
    return node


def keep_inner(node: exp.Expr) -> exp.Expr:
    """Return a node that has the type of what is in it."""
    node.type = node.this.type
    return node


def check_union(node: exp.Expr, refuse: Callable[..., UnsupportedError]) -> exp.Expr:
    """Return a union and the like, whose columns are of the same kinds on both sides.

    Raises:
        UnsupportedError: They are not.
    """
    # without the brackets around the sides
    sides: list[Any] = [
        side.unnest() if isinstance(side, exp.Subquery) else side
        for side in (node.this, node.expression)
    ]
    left, right = ([family(each.unalias()) for each in side.selects] for side in sides)
    for one, other in zip(left, right, strict=False):
        numbers = {one, other} <= NUMBERS
        if one != other and not numbers and "null" not in (one, other):
            raise refuse(f"a union of {one} and {other}", "cast the columns to one type")
    return node


def split_between(node: exp.Expr, compare: Rule) -> exp.Expr:
    """Return a value between two as two comparisons, each converted by `compare`."""
    low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
    high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
    for side, end in ((low, node.args["low"]), (high, node.args["high"])):
        side.this.type, side.expression.type = node.this.type, end.type
    parts = [compare(side) for side in (low, high)]
    return set_type(exp.Paren(this=exp.And(this=parts[0], expression=parts[1])), "BOOLEAN")


def list_choices(node: exp.Expr) -> list[exp.Expr]:
    """Return the values of which a CASE, COALESCE and the like gives one."""
    if isinstance(node, exp.Case):
        default = [node.args["default"]] if node.args.get("default") else []
        return [each.args["true"] for each in node.args["ifs"]] + default
    if isinstance(node, exp.If):
        return [each for each in (node.args["true"], node.args.get("false")) if each is not None]
    if isinstance(node, exp.Nullif):
        return [node.this, node.expression]
    return [node.this, *node.expressions]


def read_count(node: exp.Expr | None, least: int) -> int | None:
    """Return a number that is written out, None if it is none or too small."""
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        return int(node.name) if int(node.name) >= least else None
    return None


def check_part(node: exp.Expr, refuse: Callable[..., UnsupportedError]) -> exp.Expr:
    """Return a part of a text, from a place and of a length that are written out.

    Raises:
        UnsupportedError: They are not.
    """
    if isinstance(node, exp.Substring):
        start, length = read_count(node.args.get("start"), 1), node.args.get("length")
        known = start is not None and (length is None or read_count(length, 0) is not None)
    else:
        known = read_count(node.expression, 0) is not None
    if not known:
        raise refuse(show(node), "write out from where, counted from 1, and how many")
    return set_type(node, "VARCHAR")
