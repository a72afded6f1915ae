"""Which parts of a query are carried over to PostgreSQL, and how: what is not listed is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from segue.engines.dialects.carry import Carrier
from segue.engines.dialects.families import NUMBERS, family, set_type, show
from segue.engines.postgres import (
    sql_aggregates,
    sql_casts,
    sql_moments,
    sql_numbers,
    sql_texts,
)
from segue.engines.postgres.sql_pieces import need, refuse, refuse_nested

if TYPE_CHECKING:
    from segue.engines.dialects.carry import Rule


def _keep(node: exp.Expr) -> exp.Expr:
    return node


def _keep_join(node: exp.Expr) -> exp.Expr:
    words = {node.text("kind").upper(), node.text("side").upper()}
    if node.args.get("method") or node.args.get("using") or words & {"SEMI", "ANTI"}:
        raise refuse(f"the join {show(node)}")
    return node


def _keep_logical(node: exp.Expr) -> exp.Expr:
    for part in (node.this, node.args.get("expression")):
        need(node, part, "bool", hint="compare it: x <> 0")
    return set_type(node, "BOOLEAN")


def _keep_ordered(node: exp.Expr) -> exp.Expr:
    refuse_nested(node, [node.this])
    return node


def _keep_negation(node: exp.Expr) -> exp.Expr:
    need(node, node.this, "integer", "decimal", "float32", "float64")
    return node


def _keep_distinct(node: exp.Expr) -> exp.Expr:
    if node.args.get("on") is not None:
        raise refuse("DISTINCT ON")
    return node


def _keep_union(node: exp.Expr) -> exp.Expr:
    sides: list[Any] = [
        side.unnest() if isinstance(side, exp.Subquery) else side
        for side in (node.this, node.expression)
    ]
    left, right = ([family(each) for each in side.selects] for side in sides)
    for one, other in zip(left, right, strict=False):
        numbers = {one, other} <= NUMBERS
        if one != other and not numbers and "null" not in (one, other):
            raise refuse(f"a union of {one} and {other}", "cast the columns to one type")
    return node


def _keep_inner(node: exp.Expr) -> exp.Expr:
    node.type = node.this.type
    return node


def _convert_function(node: exp.Expr) -> exp.Expr:
    """Return a function that sqlglot has no word for."""
    rule = _FUNCTIONS.get(node.name.lower())
    if rule is None:
        raise refuse(show(node))
    return rule(node)


_FUNCTIONS: dict[str, Rule] = {
    "isfinite": sql_numbers.convert_finite,
    "octet_length": sql_texts.convert_bytes,
}


def _rules(rule: Rule, *kinds: type[exp.Expr]) -> dict[type[exp.Expr], Rule]:
    return dict.fromkeys(kinds, rule)


RULES: dict[type[exp.Expr], Rule] = (
    _rules(
        _keep,
        exp.Boolean,
        exp.CTE,
        exp.Column,
        exp.Exists,
        exp.From,
        exp.Group,
        exp.Having,
        exp.Identifier,
        exp.Is,
        exp.Limit,
        exp.Null,
        exp.Offset,
        exp.Order,
        exp.PropertyEQ,
        exp.Select,
        exp.Star,
        exp.Subquery,
        exp.Table,
        exp.TableAlias,
        exp.Tuple,
        exp.Values,
        exp.Var,
        exp.Where,
        exp.With,
        exp.Rollup,
        exp.Cube,
        exp.GroupingSets,
        exp.WindowSpec,
        exp.DataType,
        exp.DataTypeParam,
    )
    | _rules(_convert_function, exp.Anonymous)
    | _rules(_keep_distinct, exp.Distinct)
    | _rules(_keep_inner, exp.Alias, exp.Paren)
    | _rules(_keep_join, exp.Join)
    | _rules(_keep_logical, exp.And, exp.Or, exp.Not)
    | _rules(_keep_negation, exp.Neg)
    | _rules(_keep_ordered, exp.Ordered)
    | _rules(_keep_union, exp.Union, exp.Except, exp.Intersect)
    | _rules(sql_casts.convert_cast, exp.Cast)
    | _rules(sql_numbers.convert_between, exp.Between)
    | _rules(
        sql_numbers.convert_choice,
        exp.Case,
        exp.Coalesce,
        exp.If,
        exp.Nullif,
        exp.Greatest,
        exp.Least,
    )
    | _rules(
        sql_numbers.convert_comparison,
        exp.EQ,
        exp.NEQ,
        exp.LT,
        exp.LTE,
        exp.GT,
        exp.GTE,
        exp.NullSafeEQ,
        exp.NullSafeNEQ,
    )
    | _rules(sql_numbers.convert_division, exp.Div)
    | _rules(sql_numbers.convert_floor, exp.Floor, exp.Ceil)
    | _rules(sql_numbers.convert_function, exp.Abs, exp.IsInf, exp.IsNan, exp.Sign, exp.Sqrt)
    | _rules(sql_numbers.convert_in, exp.In)
    | _rules(sql_numbers.convert_literal, exp.Literal)
    | _rules(sql_numbers.convert_rounding, exp.Round)
    | _rules(sql_numbers.convert_struct, exp.Struct)
    | _rules(sql_numbers.convert_sum, exp.Add, exp.Sub, exp.Mul)
    | _rules(sql_numbers.convert_whole_division, exp.IntDiv, exp.Mod)
    | _rules(sql_texts.convert_bytes, exp.ByteLength)
    | _rules(sql_texts.convert_case, exp.Upper, exp.Lower)
    | _rules(sql_texts.convert_join, exp.Concat, exp.DPipe)
    | _rules(sql_texts.convert_length, exp.Length, exp.ArraySize)
    | _rules(sql_texts.convert_like, exp.Like)
    | _rules(sql_texts.convert_match, exp.RegexpFullMatch, exp.RegexpLike)
    | _rules(sql_texts.convert_part, exp.Substring, exp.Left, exp.Right)
    | _rules(sql_texts.convert_replace, exp.Replace)
    | _rules(sql_texts.convert_search, exp.StrPosition, exp.StartsWith, exp.EndsWith, exp.Contains)
    | _rules(sql_texts.convert_trim, exp.Trim)
    | _rules(sql_moments.convert_apart, exp.DateDiff)
    | _rules(
        sql_moments.convert_date_part,
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
    | _rules(sql_moments.convert_epoch, exp.TimeToUnix)
    | _rules(sql_moments.convert_format, exp.TimeToStr)
    | _rules(sql_moments.convert_interval, exp.Interval)
    | _rules(sql_moments.convert_truncated, exp.TimestampTrunc)
)
"""What becomes of each kind of node whose parts have been converted."""

_CARRIER = Carrier(
    RULES,
    sql_aggregates.AGGREGATES,
    sql_aggregates.convert_aggregate,
    sql_aggregates.refuse_frame,
    refuse,
    sql_aggregates.PLACED,
)


def convert(node: exp.Expr) -> exp.Expr:
    """Return a node with all its parts as PostgreSQL's SQL.

    Raises:
        UnsupportedError: A part of it can't be carried over; the message shows it.
    """
    return _CARRIER.convert(node)
