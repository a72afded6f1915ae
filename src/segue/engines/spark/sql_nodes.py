"""Which parts of a query are carried over to Spark, and how: what is not listed is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from segue.engines.dialects.carry import Carrier
from segue.engines.dialects.families import NESTED, family, set_type, show
from segue.engines.dialects.kinds import (
    CHOICES,
    COMPARISONS,
    DATE_PARTS,
    LOGICAL,
    PICKED,
    PLACED,
    PLAIN,
    SETS,
    check_union,
    keep,
    keep_inner,
    rules,
    split_between,
)
from segue.engines.spark import (
    sql_aggregates,
    sql_casts,
    sql_dates,
    sql_formats,
    sql_lists,
    sql_numbers,
    sql_patterns,
    sql_texts,
    sql_try,
)
from segue.engines.spark.delegated import delegate
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import refuse

if TYPE_CHECKING:
    from segue.engines.dialects.carry import Rule
    from segue.engines.dialects.delegate import Delegation


def _keep_join(node: exp.Expr) -> exp.Expr:
    if isinstance(node.this, exp.Unnest) and (node.args.get("side") or node.args.get("on")):
        raise refuse(f"the join {show(node)}", "write it as: from t, unnest(t.x) as u(item)")
    if node.args.get("method") or node.args.get("using"):
        raise refuse(f"the join {show(node)}")
    return node


def _keep_logical(node: exp.Expr) -> exp.Expr:
    for part in (node.this, node.args.get("expression")):
        if part is not None and family(part) not in ("bool", "null"):
            raise refuse(f"{show(node)} of a {family(part)}", "compare it: x <> 0")
    return set_type(node, "BOOLEAN")


def _keep_dot(node: exp.Expr) -> exp.Expr:
    if node.this.type is not None and node.this.type.is_type(exp.DType.JSON):
        raise refuse(show(node), "write it as: j ->> 'name'")
    return node


def _keep_ordered(node: exp.Expr) -> exp.Expr:
    sql_numbers.refuse_nested(node, [node.this])
    if node.this.type is not None and node.this.type.is_type(*_OWN_ORDER):
        raise refuse(f"{show(node)} of a {node.this.type.sql('duckdb')}", "cast it: x::varchar")
    return node


def _convert_in(node: exp.Expr) -> exp.Expr:
    query = node.args.get("query")
    if query is None:
        sql_numbers.refuse_mixed(node, [node.this, *node.expressions])
        wanted = family(node.this)
        kinds = {wanted, *map(family, node.expressions)} - {"null"}
        if "float32" in kinds and len(kinds) > 1:
            raise refuse(f"{show(node)} of a float32", "cast it: x::double")
        for text in [e for e in node.expressions if e.is_string and wanted != "string"]:
            text.replace(sql_numbers.read_text(text, wanted))
    elif not _is_filter(node):
        # Spark makes false of what is null
        raise refuse(f"{show(node)} as a value", "filter by it, or join with what it looks in")
    elif isinstance(node.this, (exp.Struct, exp.Tuple)):
        return _convert_row_in(node, query)
    else:
        selects = getattr(query.this if isinstance(query, exp.Subquery) else query, "selects", [])
        inner = [each.unalias() for each in selects]
        for value in inner:
            if family(value) != family(node.this):
                sql_numbers.refuse_mixed(node, [node.this, value])
    return set_type(node, "BOOLEAN")


def _is_filter(node: exp.Expr) -> bool:
    """Return whether a condition only decides which rows stay, so that null is as good as false."""
    around = node.parent
    while isinstance(around, exp.Paren):
        around = around.parent
    if isinstance(around, exp.Not):
        around = around.parent
    while isinstance(around, (exp.And, exp.Or, exp.Paren)):
        around = around.parent
    return isinstance(around, (exp.Where, exp.Having, exp.Qualify, exp.Join))


def _convert_row_in(node: exp.Expr, query: exp.Expr) -> exp.Expr:
    """Return whether several values are among others: of a struct, nulls are equal."""
    inner: Any = query.this if isinstance(query, exp.Subquery) else query
    others = [each.unalias() for each in inner.selects]
    if isinstance(node.this, exp.Struct):
        mine, theirs = list_values(node.this), list_values(others[0]) if others else []
    else:
        mine, theirs = node.this.expressions, others
    for one, other in zip(mine, theirs, strict=False):
        if family(one) != family(other) or family(one) in ("unknown", *NESTED):
            raise refuse(f"{show(one)} beside {show(other)}")
    if len(mine) != len(theirs):
        raise refuse(show(node))
    if isinstance(node.this, exp.Struct):
        # else Spark takes a struct apart that is written out, and its nulls equal nothing
        node.set("this", fill("coalesce(:x)", x=node.this))
    return set_type(node, "BOOLEAN")


def list_values(node: exp.Expr) -> list[exp.Expr]:
    """Return the values of a struct that is written out; none of anything else."""
    if not isinstance(node, exp.Struct):
        return []
    return [each.expression for each in node.expressions if isinstance(each, exp.PropertyEQ)]


def _keep_struct(node: exp.Expr) -> exp.Expr:
    """Return a struct that is looked for among others; elsewhere it may mean something else."""
    around = node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent
    if not isinstance(around, (exp.In, exp.Select)):
        raise refuse(show(node))
    return node


def _convert_function(node: exp.Expr) -> exp.Expr:
    """Return a function that sqlglot has no word for."""
    rule = _FUNCTIONS.get(node.name.lower())
    if rule is None:
        raise refuse(show(node))
    return rule(node)


_FUNCTIONS: dict[str, Rule] = {
    "date_part": sql_dates.convert_named_part,
    "datepart": sql_dates.convert_named_part,
    "epoch_us": sql_dates.convert_micros,
    "isfinite": sql_numbers.convert_finite,
    "isoyear": sql_dates.convert_named_part,
    "list_reverse": sql_lists.convert_turned,
    "microsecond": sql_dates.convert_named_part,
    "millisecond": sql_dates.convert_named_part,
    "octet_length": sql_texts.convert_bytes,
    "try_strptime": sql_formats.convert_read,
}


def _convert_between(node: exp.Expr) -> exp.Expr:
    return split_between(node, sql_numbers.convert_comparison)


def _keep_negation(node: exp.Expr) -> exp.Expr:
    if family(node.this) not in ("integer", "decimal", "float32", "float64"):
        raise refuse(f"{show(node)} of a {family(node.this)}")
    return node


def _keep_union(node: exp.Expr) -> exp.Expr:
    return check_union(node, refuse)


_OWN_ORDER = (exp.DType.ENUM, exp.DType.BIT, exp.DType.TIMETZ, exp.DType.VARIANT)
"""Types that travel as texts, and are sorted otherwise."""

_BITS = (exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseRightShift)

RULES: dict[type[exp.Expr], Rule] = (
    rules(keep, *PLAIN, exp.Distinct, exp.Lateral, exp.Qualify)
    | rules(keep_inner, exp.Alias, exp.Paren)
    | rules(_keep_dot, exp.Dot)
    | rules(_keep_join, exp.Join)
    | rules(_keep_logical, *LOGICAL)
    | rules(_keep_negation, exp.Neg)
    | rules(_keep_ordered, exp.Ordered)
    | rules(_keep_union, *SETS)
    | rules(_convert_between, exp.Between)
    | rules(_convert_in, exp.In)
    | rules(sql_casts.convert_cast, exp.Cast)
    | rules(sql_try.convert_try_cast, exp.TryCast)
    | rules(sql_numbers.convert_bits, *_BITS)
    | rules(sql_numbers.convert_choice, *CHOICES)
    | rules(sql_numbers.convert_comparison, *COMPARISONS)
    | rules(sql_numbers.convert_division, exp.Div)
    | rules(sql_numbers.convert_floor, exp.Floor, exp.Ceil)
    | rules(sql_numbers.convert_literal, exp.Literal)
    | rules(sql_numbers.convert_number_function, exp.Sqrt)
    | rules(sql_numbers.convert_rounding, exp.Round)
    | rules(sql_numbers.convert_same_number, exp.Abs, exp.IsNan)
    | rules(sql_numbers.convert_finite, exp.IsInf)
    | rules(_convert_function, exp.Anonymous)
    | rules(_keep_struct, exp.Struct)
    | rules(sql_numbers.convert_sign, exp.Sign)
    | rules(sql_numbers.convert_moved, exp.DateAdd)
    | rules(sql_numbers.convert_sum, exp.Add, exp.Sub, exp.Mul)
    | rules(sql_numbers.convert_whole_division, exp.IntDiv, exp.Mod)
    | rules(sql_texts.convert_case, exp.Upper, exp.Lower)
    | rules(sql_texts.convert_digest, exp.MD5, exp.SHA2, exp.Hex)
    | rules(sql_texts.convert_join, exp.Concat, exp.DPipe)
    | rules(sql_texts.convert_joined, exp.ConcatWs)
    | rules(sql_texts.convert_letters, exp.Translate)
    | rules(sql_texts.convert_split, exp.Split, exp.SplitPart)
    | rules(sql_texts.convert_length, exp.Length)
    | rules(sql_texts.convert_pad, exp.Pad)
    | rules(sql_texts.convert_part, exp.Substring, exp.Left, exp.Right)
    | rules(sql_patterns.convert_match, exp.RegexpFullMatch, exp.RegexpLike, exp.SimilarTo)
    | rules(sql_patterns.convert_extracted, exp.RegexpExtract, exp.RegexpExtractAll)
    | rules(sql_patterns.convert_replaced, exp.RegexpReplace)
    | rules(sql_texts.convert_pattern, exp.Like, exp.ILike)
    | rules(sql_texts.convert_escape, exp.Escape)
    | rules(sql_texts.convert_repeat, exp.Repeat)
    | rules(sql_texts.convert_replace, exp.Replace)
    | rules(sql_texts.convert_search, exp.StrPosition, exp.StartsWith, exp.EndsWith, exp.Contains)
    | rules(sql_texts.convert_trim, exp.Trim)
    | rules(sql_lists.convert_bytes, exp.Unhex)
    | rules(sql_lists.convert_contained, exp.ArrayContains)
    | rules(sql_lists.convert_extreme, exp.ArrayMax, exp.ArrayMin)
    | rules(sql_lists.convert_item, exp.Bracket)
    | rules(sql_lists.convert_size, exp.ArraySize)
    | rules(sql_lists.convert_table, exp.Unnest)
    | rules(sql_lists.convert_unnested, exp.Explode)
    | rules(sql_dates.convert_apart, exp.DateDiff)
    | rules(sql_dates.convert_date_part, *DATE_PARTS)
    | rules(sql_dates.convert_epoch, exp.TimeToUnix)
    | rules(sql_dates.convert_bucket, exp.DateBin)
    | rules(sql_dates.convert_count, exp.UnixToTime)
    | rules(sql_dates.convert_last_day, exp.LastDay)
    | rules(sql_dates.convert_name, exp.Monthname, exp.Dayname)
    | rules(sql_dates.convert_zone, exp.AtTimeZone)
    | rules(sql_formats.convert_format, exp.TimeToStr)
    | rules(sql_formats.convert_read, exp.StrToTime)
    | rules(sql_dates.convert_interval, exp.Interval, exp.ToDays)
    | rules(sql_dates.convert_made_date, exp.DateFromParts)
    | rules(sql_dates.convert_truncated, exp.TimestampTrunc)
)
"""What becomes of each kind of node whose parts have been converted."""

_CARRIER = Carrier(
    RULES,
    sql_aggregates.AGGREGATES,
    sql_aggregates.convert_aggregate,
    sql_aggregates.refuse_frame,
    refuse,
    (*PLACED, exp.NthValue),
    (*PICKED, exp.NthValue),
)


def convert(node: exp.Expr, delegation: Delegation | None = None) -> exp.Expr:
    """Return a node with all its parts as Spark's SQL.

    Args:
        node: The node.
        delegation: Knows which expressions can be delegated; None refuses them.

    Raises:
        UnsupportedError: A part of it can't be carried over; the message shows it.
    """
    return replace(_CARRIER, delegation=delegation, delegate=delegate).convert(node)
