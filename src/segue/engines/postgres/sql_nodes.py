"""Which parts of a query are carried over to PostgreSQL, and how: what is not listed is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.carry import Carrier
from segue.engines.dialects.families import set_type, show
from segue.engines.dialects.kinds import (
    CHOICES,
    COMPARISONS,
    DATE_PARTS,
    LOGICAL,
    PLACED,
    PLAIN,
    SETS,
    check_union,
    keep,
    keep_inner,
    rules,
)
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
    return check_union(node, refuse)


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


RULES: dict[type[exp.Expr], Rule] = (
    rules(keep, *PLAIN)
    | rules(_convert_function, exp.Anonymous)
    | rules(_keep_distinct, exp.Distinct)
    | rules(keep_inner, exp.Alias, exp.Paren)
    | rules(_keep_join, exp.Join)
    | rules(_keep_logical, *LOGICAL)
    | rules(_keep_negation, exp.Neg)
    | rules(_keep_ordered, exp.Ordered)
    | rules(_keep_union, *SETS)
    | rules(sql_casts.convert_cast, exp.Cast)
    | rules(sql_numbers.convert_between, exp.Between)
    | rules(sql_numbers.convert_choice, *CHOICES)
    | rules(sql_numbers.convert_comparison, *COMPARISONS)
    | rules(sql_numbers.convert_division, exp.Div)
    | rules(sql_numbers.convert_floor, exp.Floor, exp.Ceil)
    | rules(sql_numbers.convert_function, exp.Abs, exp.IsInf, exp.IsNan, exp.Sign, exp.Sqrt)
    | rules(sql_numbers.convert_in, exp.In)
    | rules(sql_numbers.convert_literal, exp.Literal)
    | rules(sql_numbers.convert_rounding, exp.Round)
    | rules(sql_numbers.convert_struct, exp.Struct)
    | rules(sql_numbers.convert_sum, exp.Add, exp.Sub, exp.Mul)
    | rules(sql_numbers.convert_whole_division, exp.IntDiv, exp.Mod)
    | rules(sql_texts.convert_bytes, exp.ByteLength)
    | rules(sql_texts.convert_case, exp.Upper, exp.Lower)
    | rules(sql_texts.convert_join, exp.Concat, exp.DPipe)
    | rules(sql_texts.convert_length, exp.Length, exp.ArraySize)
    | rules(sql_texts.convert_like, exp.Like)
    | rules(sql_texts.convert_match, exp.RegexpFullMatch, exp.RegexpLike)
    | rules(sql_texts.convert_part, exp.Substring, exp.Left, exp.Right)
    | rules(sql_texts.convert_replace, exp.Replace)
    | rules(sql_texts.convert_search, exp.StrPosition, exp.StartsWith, exp.EndsWith, exp.Contains)
    | rules(sql_texts.convert_trim, exp.Trim)
    | rules(sql_moments.convert_apart, exp.DateDiff)
    | rules(sql_moments.convert_date_part, *DATE_PARTS)
    | rules(sql_moments.convert_epoch, exp.TimeToUnix)
    | rules(sql_moments.convert_format, exp.TimeToStr)
    | rules(sql_moments.convert_interval, exp.Interval)
    | rules(sql_moments.convert_truncated, exp.TimestampTrunc)
)
"""What becomes of each kind of node whose parts have been converted."""

_CARRIER = Carrier(
    RULES,
    sql_aggregates.AGGREGATES,
    sql_aggregates.convert_aggregate,
    sql_aggregates.refuse_frame,
    refuse,
    PLACED,
)


def convert(node: exp.Expr) -> exp.Expr:
    """Return a node with all its parts as PostgreSQL's SQL.

    Raises:
        UnsupportedError: A part of it can't be carried over; the message shows it.
    """
    return _CARRIER.convert(node)
