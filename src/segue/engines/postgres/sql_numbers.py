"""Arithmetic and comparisons that mean in PostgreSQL what they mean in DuckDB."""

from __future__ import annotations

import re

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, NUMBERS, family, set_type, show
from segue.engines.dialects.kinds import list_choices, split_between
from segue.engines.postgres.sql_pieces import (
    FLOATS,
    WHOLE,
    fill,
    is_literal,
    need,
    refuse,
    refuse_mixed,
    refuse_nested,
)

_UNITS = ("YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")
_NUMBER_TEXT = re.compile(r"[+-]?\d+")


def convert_literal(node: exp.Expr) -> exp.Expr:
    """Return a number or text; a number with an exponent is a double, as in DuckDB."""
    if node.is_string:
        if "\0" in node.name:
            raise refuse("a text with a zero byte")
        return node
    if "e" in node.name.lower():
        return set_type(fill(f"cast('{node.name}' as double precision)"), "DOUBLE")
    if "." in node.name:
        whole, _, rest = node.name.partition(".")
        digits = max(len(whole.lstrip("0")) + len(rest), 1)
        return set_type(node, f"DECIMAL({digits}, {len(rest)})")
    return node


def _families(node: exp.Expr) -> tuple[str, str]:
    return family(node.this), family(node.expression)


def single(node: exp.Expr) -> exp.Expr:
    """Return an operation on single floats: DuckDB casts what is with them, PostgreSQL widens."""
    if "float32" not in _families(node) or "float64" in _families(node):
        return node
    sides = [
        side if family(side) == "float32" else fill("cast(:x as real)", x=side)
        for side in (node.this, node.expression)
    ]
    return type(node)(this=sides[0].copy(), expression=sides[1].copy())


def convert_sum(node: exp.Expr) -> exp.Expr:
    """Return an addition, subtraction or multiplication of numbers, or a moved moment.

    Raises:
        UnsupportedError: PostgreSQL computes otherwise with these types.
    """
    left, right = _families(node)
    if left in MOMENTS or right in MOMENTS:
        made = _move(node)
    elif {left, right} <= NUMBERS | {"null"}:
        made = single(node)
    else:
        raise refuse(f"{show(node)} of {left} and {right}", "cast the parts: x::bigint")
    made.type = node.type
    return made


def _move(node: exp.Expr) -> exp.Expr:
    left, right = _families(node)
    adds, subtracts = isinstance(node, exp.Add), isinstance(node, exp.Sub)
    parts = {"a": node.this, "b": node.expression}
    if (left, right) == ("date", "date") and subtracts:
        return fill("cast(:a - :b as bigint)", **parts)
    if left in MOMENTS and right in MOMENTS and subtracts:
        return fill("cast(:a as timestamp) - cast(:b as timestamp)", **parts)
    if (left, right) == ("date", "integer") and (adds or subtracts):
        return fill(f":a {'+' if adds else '-'} cast(:b as integer)", **parts)
    if (left, right) == ("integer", "date") and adds:
        return fill(":b + cast(:a as integer)", **parts)
    if isinstance(node.expression, exp.Interval) and (adds or subtracts):
        interval = node.expression
        unit = interval.text("unit").upper().removesuffix("S")
        count = interval.this.name if isinstance(interval.this, exp.Literal) else ""
        if unit in _UNITS and _NUMBER_TEXT.fullmatch(count):
            return fill(f":a {'+' if adds else '-'} interval '{count} {unit}'", a=node.this)
        raise refuse(f"the interval {show(interval)}", "write it as: interval 1 day")
    raise refuse(f"{show(node)} of {left} and {right}")


def convert_division(node: exp.Expr) -> exp.Expr:
    """Return a division of floats, in which zero gives infinity and no error."""
    left, right = _families(node)
    if not {left, right} <= NUMBERS | {"null"}:
        raise refuse(f"{show(node)} of {left} and {right}")
    a = fill("cast(:x as double precision)", x=node.this)
    b = fill("cast(:x as double precision)", x=node.expression)
    if is_literal(node.expression) and float(node.expression.name) != 0:
        made = fill(":a / :b", a=a, b=b)
    else:
        infinite = "cast(case when cast(:b as text) = '-0' then '-Infinity' else 'Infinity' end "
        made = fill(
            f"case when :b = 0 then :a * {infinite} as double precision) else :a / :b end", a=a, b=b
        )
    if family(node) == "float32":
        made = fill("cast(:x as real)", x=made)
    made.type = node.type
    return made


def convert_whole_division(node: exp.Expr) -> exp.Expr:
    """Return a division or remainder of integers; zero is an error on both engines."""
    if not {*_families(node)} <= {"integer"}:
        raise refuse(f"{show(node)} of {family(node.this)} and {family(node.expression)}")
    name = "mod" if isinstance(node, exp.Mod) else "div"
    text = f"cast({name}(cast(:a as numeric), cast(:b as numeric)) as bigint)"
    made = fill(text, a=node.this, b=node.expression)
    made.type = node.type
    return made


def convert_comparison(node: exp.Expr) -> exp.Expr:
    """Return a comparison; both sides are brought to the type in which DuckDB compares.

    Raises:
        UnsupportedError: PostgreSQL compares these types otherwise.
    """
    parts = [node.this, node.expression]
    refuse_mixed(node, parts)
    refuse_nested(node, parts)
    made = single(node)
    made.type = node.type
    return made


def convert_between(node: exp.Expr) -> exp.Expr:
    """Return a value between two, as two comparisons."""
    return split_between(node, convert_comparison)


def convert_in(node: exp.Expr) -> exp.Expr:
    """Return whether a value is in a list or in what a query gives."""
    query = node.args.get("query")
    if query is None:
        parts = [node.this, *node.expressions]
        refuse_mixed(node, parts)
        refuse_nested(node, parts)
        kinds = set(map(family, parts)) - {"null"}
        if "float32" in kinds and len(kinds) > 1:
            raise refuse(f"{show(node)} of a float32", "cast it: x::double")
        return set_type(node, "BOOLEAN")
    selects = getattr(query.this if isinstance(query, exp.Subquery) else query, "selects", [])
    if family(node.this) == "struct":
        return _convert_row_in(node, selects)
    if isinstance(node.this, exp.Tuple):
        return _convert_tuple_in(node, selects)
    for value in (each.unalias() for each in selects):
        if family(value) != family(node.this):
            refuse_mixed(node, [node.this, value])
    return set_type(node, "BOOLEAN")


def _convert_row_in(node: exp.Expr, selects: list[exp.Expr]) -> exp.Expr:
    """Return whether a struct is among others: as records, whose nulls are equal."""
    others = [each.unalias() for each in selects]
    rows = [node.this, *others]
    if not all(is_row(each) for each in rows) or len(others) != 1:
        raise refuse(show(node))
    mine, theirs = ([family(part) for part in each.expressions] for each in rows)
    if mine != theirs:
        raise refuse(f"{show(node)} of different types")
    made = node.copy()
    # a row that is written out would be compared part by part, with nulls equal to nothing
    made.set("this", fill("(select :x)", x=node.this))
    return set_type(made, "BOOLEAN")


def _convert_tuple_in(node: exp.Expr, selects: list[exp.Expr]) -> exp.Expr:
    """Return whether several values are what a row of a query has; null equals nothing."""
    others = [each.unalias() for each in selects]
    pairs = zip(node.this.expressions, others, strict=False)
    if len(others) != len(node.this.expressions) or any(family(a) != family(b) for a, b in pairs):
        raise refuse(show(node))
    refuse_nested(node, others)
    return set_type(node, "BOOLEAN")


def is_row(node: exp.Expr) -> bool:
    """Return whether a node is a struct that has been converted."""
    return isinstance(node, exp.Anonymous) and node.name == "ROW"


def convert_struct(node: exp.Expr) -> exp.Expr:
    """Return a struct that is written out, which is compared with others in a query alone."""
    values = [
        each.expression if isinstance(each, exp.PropertyEQ) else each for each in node.expressions
    ]
    if any(family(value) in ("unknown", "struct", "list", "map") for value in values):
        raise refuse(show(node))
    made = exp.Anonymous(this="ROW", expressions=[value.copy() for value in values])
    for copied, value in zip(made.expressions, values, strict=True):
        copied.type = value.type
    made.type = node.type
    return made


def convert_choice(node: exp.Expr) -> exp.Expr:
    """Return a CASE, COALESCE and the like, whose values are of one kind."""
    parts = list_choices(node)
    refuse_mixed(node, parts)
    if isinstance(node, (exp.Greatest, exp.Least, exp.Nullif)):
        refuse_nested(node, parts)
    found = {family(part) for part in parts} - {"null"}
    if len(found) > 1 and found & {"string", "float32"}:
        kinds = " and ".join(sorted(found))
        raise refuse(f"{show(node)} of {kinds}", "cast the parts: x::double")
    return node


def convert_function(node: exp.Expr) -> exp.Expr:
    """Return a function of one number."""
    found = family(node.this)
    need(node, node.this, *NUMBERS)
    if isinstance(node, (exp.IsNan, exp.IsInf)):
        return set_type(_tell_odd(node, found), "BOOLEAN")
    if isinstance(node, exp.Sqrt):
        text = "case when :x < 0 then 'NaN' else sqrt(cast(:x as double precision)) end"
        return set_type(fill(text, x=node.this), "DOUBLE")
    if isinstance(node, exp.Sign):
        need(node, node.this, *WHOLE, "decimal")
        return set_type(fill("cast(sign(:x) as integer)", x=node.this), "INT")
    node.type = node.this.type
    return node


def convert_finite(node: exp.Expr) -> exp.Expr:
    """Return whether a number is neither NaN nor infinite."""
    value = node.expressions[0]
    need(node, value, *NUMBERS)
    odd = "false"
    if family(value) in FLOATS:
        name = "real" if family(value) == "float32" else "double precision"
        odd = f":x = cast('NaN' as {name}) or abs(:x) = cast('Infinity' as {name})"
    made = fill(f"case when :x is null then null else not ({odd}) end", x=value)
    return set_type(made, "BOOLEAN")


def _tell_odd(node: exp.Expr, found: str) -> exp.Expr:
    if found not in FLOATS:
        return fill("case when :x is null then null else false end", x=node.this)
    odd = "'NaN'" if isinstance(node, exp.IsNan) else "'Infinity'"
    value = ":x" if isinstance(node, exp.IsNan) else "abs(:x)"
    name = "real" if found == "float32" else "double precision"
    return fill(f"{value} = cast({odd} as {name})", x=node.this)


def convert_rounding(node: exp.Expr) -> exp.Expr:
    """Return a rounded number that is exact; floats are rounded in another way."""
    places = node.args.get("decimals")
    found = family(node.this)
    known = places is None or (is_literal(places) and places.name.isdigit())
    if not known or found not in ("integer", "decimal"):
        raise refuse(f"{show(node)} of a {found}", "compare without rounding: abs(x - y) < 0.01")
    made = fill(f"round(:x, {'0' if places is None else places.name})", x=node.this)
    made.type = node.type
    return made


def convert_floor(node: exp.Expr) -> exp.Expr:
    """Return the integer below or above a number, as a float where DuckDB gives one."""
    found = family(node.this)
    name = "floor" if isinstance(node, exp.Floor) else "ceil"
    if node.args.get("decimals") is not None or found not in ("integer", "decimal", "float64"):
        raise refuse(f"{show(node)} of a {found}")
    if found == "decimal":
        made = fill(f"{name}(:x)", x=node.this)
        made.type = node.type
        return made
    return set_type(fill(f"{name}(cast(:x as double precision))", x=node.this), "DOUBLE")
