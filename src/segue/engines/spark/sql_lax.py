"""What is refused on servers that speak Spark Connect and compute otherwise than Spark.

Sail 0.7 lets integers overflow, rounds, casts and reads null structs in its own way, and says
nothing of it.
"""

from __future__ import annotations

from sqlglot import exp

from segue.engines.dialects.families import NUMBERS, family, show
from segue.engines.spark.sql_types import refuse
from segue.errors import UnsupportedError

_NEVER = (
    exp.Abs,
    exp.ArgMax,
    exp.ArgMin,
    exp.ArrayAgg,
    exp.ArrayContains,
    exp.ArrayMax,
    exp.ArrayMin,
    exp.ArraySize,
    exp.AtTimeZone,
    exp.BitwiseAnd,
    exp.BitwiseAndAgg,
    exp.BitwiseOr,
    exp.BitwiseOrAgg,
    exp.BitwiseRightShift,
    exp.BitwiseXor,
    exp.BitwiseXorAgg,
    exp.Bracket,
    exp.Ceil,
    exp.ConcatWs,
    exp.DateAdd,
    exp.DateBin,
    exp.DayOfWeekIso,
    exp.Dayname,
    exp.Dot,
    exp.Except,
    exp.Explode,
    exp.First,
    exp.Floor,
    exp.GroupConcat,
    exp.Hex,
    exp.IntDiv,
    exp.Intersect,
    exp.Last,
    exp.LastDay,
    exp.Lower,
    exp.MD5,
    exp.Mod,
    exp.Monthname,
    exp.Neg,
    exp.NthValue,
    exp.RegexpExtract,
    exp.RegexpExtractAll,
    exp.RegexpReplace,
    exp.Round,
    exp.SHA2,
    exp.Sign,
    exp.Split,
    exp.SplitPart,
    exp.StrToTime,
    exp.ToDays,
    exp.Translate,
    exp.TryCast,
    exp.UnixToTime,
    exp.Upper,
)
"""Nodes that are refused whatever they are of."""

_SAFE = {"string", "date", "timestamp", "zoned", "bool"}


def refuse_lax(tree: exp.Expr) -> None:
    """Refuse a query, whose types are known, if a server may compute it otherwise.

    Raises:
        UnsupportedError: It may; the message shows the part.
    """
    for node in tree.walk():
        skips = isinstance(node, exp.IgnoreNulls) and not isinstance(node.this, exp.AnyValue)
        if skips or isinstance(node, _NEVER) or _differs(node):
            raise _refuse(node)


def _differs(node: exp.Expr) -> bool:
    if isinstance(node, exp.Cast):
        return _casts_otherwise(node)
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        return not {family(node.this), family(node.expression)} <= {"float64", "decimal"}
    if isinstance(node, exp.Div):
        return not (isinstance(node.expression, exp.Literal) and float(node.expression.name))
    if isinstance(node, (exp.Min, exp.Max)):
        return family(node.this).startswith("float")
    if isinstance(node, (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In)):
        return _compares_otherwise(node)
    counted = isinstance(node, exp.Filter) and isinstance(node.parent, exp.Window)
    return counted or (isinstance(node, exp.Extract) and str(node.this).upper() == "ISODOW")


def _casts_otherwise(node: exp.Expr) -> bool:
    found, wanted = family(node.this), family(node)
    if isinstance(node.this, exp.Literal):
        return False
    widened = found == "integer" and wanted in ("float64", "string")
    return not (widened or (found in _SAFE and wanted == "string") or found == wanted == "date")


def _compares_otherwise(node: exp.Expr) -> bool:
    """Return whether numbers of several kinds meet: NaN becomes an error beside a decimal."""
    sides = [node.this, *([node.expression] if node.args.get("expression") else node.expressions)]
    found = {family(side) for side in sides} & NUMBERS
    found |= {"decimal" for side in sides if isinstance(side, exp.Literal) and "." in side.name}
    return "decimal" in found and bool(found & {"float32", "float64"})


def _refuse(node: exp.Expr) -> UnsupportedError:
    return refuse(f"on this server {show(node)}", "Spark itself can do it, this server can't")
