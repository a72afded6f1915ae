"""Arithmetic and comparisons that mean on Spark what they mean in DuckDB."""

from __future__ import annotations

import re

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, NESTED, NUMBERS, family, set_type, show
from segue.engines.dialects.kinds import list_choices
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import OPAQUE, refuse

_FLOATS = ("float32", "float64")
_WIDTHS = {"TINYINT": 8, "SMALLINT": 16}
_NUMBER_TEXT = re.compile(r"[+-]?\d+")
_MOMENT_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?)?")
_MOST_DIGITS = 38
_FACTORS = range(16)
"""Places behind the point to which a float is rounded as DuckDB does it."""


def convert_literal(node: exp.Expr) -> exp.Expr:
    """Return a number or text; a number with a point is a decimal, as in DuckDB."""
    if node.is_string or re.fullmatch(r"\d+", node.name):
        if not node.is_string and int(node.name) > 2**63 - 1:
            return _convert_huge(node)
        return node
    if "e" in node.name.lower():
        return set_type(fill(f"cast('{node.name}' as double)"), "DOUBLE")
    whole, _, rest = node.name.partition(".")
    digits = max(len(whole.lstrip("0")) + len(rest), 1)
    made = fill(f"cast('{node.name}' as decimal({digits}, {len(rest)}))")
    return set_type(made, f"DECIMAL({digits}, {len(rest)})")


def _convert_huge(node: exp.Expr) -> exp.Expr:
    """Return a whole number beyond int64, which Spark has as a decimal."""
    if len(node.name) > _MOST_DIGITS:
        raise refuse(f"the number {node.name}")
    return set_type(fill(f"cast('{node.name}' as decimal(38, 0))"), "DECIMAL(38, 0)")


def _families(node: exp.Expr) -> tuple[str, str]:
    return family(node.this), family(node.expression)


def convert_sum(node: exp.Expr) -> exp.Expr:
    """Return an addition, subtraction or multiplication of numbers, or a moved moment.

    Raises:
        UnsupportedError: Spark computes otherwise with these types.
    """
    left, right = _families(node)
    if left in MOMENTS or right in MOMENTS:
        return _move(node)
    if not {left, right} <= NUMBERS - {"unsigned"} | {"null"}:
        raise refuse(f"{show(node)} of {left} and {right}", "cast the parts: x::bigint")
    made = _single(node) if "float32" in (left, right) else node
    if (left, right) == ("integer", "integer"):
        width = _narrow(node)
        if width:
            made = exp.Cast(
                this=exp.Paren(this=node.copy()), to=exp.DataType.build(width, dialect="spark")
            )
    made.type = node.type
    return made


def _narrow(node: exp.Expr) -> str | None:
    """Return the type of small integers to which DuckDB keeps when a literal comes along."""
    sides = (node.this, node.expression)
    plain = [side for side in sides if not _is_literal(side)]
    if len(plain) != 1 or plain[0].type is None:
        return None
    name = plain[0].type.this.value.upper()
    literal = next(side for side in sides if side is not plain[0])
    bits = _WIDTHS.get(name)
    return name if bits and int(literal.name or "0") < 2 ** (bits - 1) else None


def _is_literal(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal)


def _single(node: exp.Expr) -> exp.Expr:
    """Return an operation on single floats: DuckDB casts what is with them, Spark widens both."""
    if "float64" in _families(node):
        return node
    sides = [
        side if family(side) == "float32" else fill("cast(:x as float)", x=side)
        for side in (node.this, node.expression)
    ]
    return type(node)(this=sides[0].copy(), expression=sides[1].copy())


_UNITS = ("YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")


def _move(node: exp.Expr) -> exp.Expr:
    left, right = _families(node)
    adds = isinstance(node, exp.Add)
    if (left, right) == ("date", "date") and isinstance(node, exp.Sub):
        made = fill("cast(datediff(:a, :b) as bigint)", a=node.this, b=node.expression)
    elif left in MOMENTS and right in MOMENTS and isinstance(node, exp.Sub):
        made = fill(
            "unix_micros(cast(:a as timestamp)) - unix_micros(cast(:b as timestamp))",
            a=node.this,
            b=node.expression,
        )
    elif (left, right) == ("date", "integer") and isinstance(node, (exp.Add, exp.Sub)):
        name = "date_add" if adds else "date_sub"
        made = fill(f"{name}(:a, cast(:b as int))", a=node.this, b=node.expression)
    elif (left, right) == ("integer", "date") and adds:
        made = fill("date_add(:b, cast(:a as int))", a=node.this, b=node.expression)
    elif isinstance(node.expression, (exp.Interval, exp.ToDays)) and isinstance(
        node, (exp.Add, exp.Sub)
    ):
        made = _move_by(node, "+" if adds else "-")
    else:
        raise refuse(f"{show(node)} of {left} and {right}")
    made.type = node.type
    return made


def _move_by(node: exp.Expr, sign: str) -> exp.Expr:
    interval = node.expression
    unit = interval.text("unit").upper().removesuffix("S")
    if isinstance(interval, exp.ToDays):
        unit = "DAY"
    count = interval.this
    start = "cast(:a as timestamp_ntz)" if family(node.this) == "date" else ":a"
    if unit in _UNITS and isinstance(count, exp.Literal) and _NUMBER_TEXT.fullmatch(count.name):
        return fill(f"{start} {sign} interval '{count.name}' {unit}", a=node.this)
    if unit not in _UNITS or family(count) != "integer":
        raise refuse(f"the interval {show(interval)}", "write it as: interval 1 day")
    minus = "-" if sign == "-" else ""
    return fill(f"timestampadd({unit}, {minus}cast(:n as int), {start})", a=node.this, n=count)


def convert_moved(node: exp.Expr) -> exp.Expr:
    """Return a moment that is moved by an interval."""
    if not isinstance(node.expression, (exp.Interval, exp.ToDays)):
        raise refuse(show(node))
    made = exp.Add(this=node.this.copy(), expression=node.expression.copy())
    made.type = node.type
    return convert_sum(made)


def convert_division(node: exp.Expr) -> exp.Expr:
    """Return a division of floats, in which zero gives infinity and no error."""
    left, right = _families(node)
    if not {left, right} <= NUMBERS | {"null"}:
        raise refuse(f"{show(node)} of {left} and {right}")
    a = fill("cast(:x as double)", x=node.this)
    b = fill("cast(:x as double)", x=node.expression)
    if _is_literal(node.expression) and float(node.expression.name) != 0:
        made = fill(":a / :b", a=a, b=b)
    else:
        infinite = "cast('Infinity' as double)"
        if right in _FLOATS:
            infinite = f"if(cast(:b as string) = '-0.0', cast('-Infinity' as double), {infinite})"
        made = fill(f"if(:b = 0D, :a * {infinite}, :a / :b)", a=a, b=b)
    if family(node) == "float32":
        made = fill("cast(:x as float)", x=made)
    made.type = node.type
    return made


def convert_whole_division(node: exp.Expr) -> exp.Expr:
    """Return a division or remainder of integers; zero is an error on both engines."""
    if _families(node) != ("integer", "integer"):
        raise refuse(f"{show(node)} of {family(node.this)} and {family(node.expression)}")
    made = fill(
        ":a % :b" if isinstance(node, exp.Mod) else ":a div :b", a=node.this, b=node.expression
    )
    made.type = node.type
    return made


def convert_comparison(node: exp.Expr) -> exp.Expr:
    """Return a comparison; both sides are brought to the type in which DuckDB compares.

    Raises:
        UnsupportedError: Spark compares these types otherwise.
    """
    left, right = _families(node)
    refuse_mixed(node, [node.this, node.expression])
    refuse_nested(node, [node.this, node.expression])
    made = node
    if "float32" in (left, right):
        made = _single(node)
    elif left != right:
        for side, other in (("this", right), ("expression", left)):
            value = made.args[side]
            if _is_literal(value) and value.is_string and other != "string":
                made.set(side, read_text(value, other))
    made.type = node.type
    return made


def read_text(literal: exp.Expr, wanted: str) -> exp.Expr:
    """Return the value that a text stands for beside a value of another type.

    Raises:
        UnsupportedError: Spark might read another.
    """
    text = literal.name
    names = {"date": "date", "timestamp": "timestamp_ntz", "zoned": "timestamp"}
    if wanted in names and _MOMENT_TEXT.fullmatch(text):
        fits = len(text) == len("2020-01-01") or wanted != "date"
        if fits:
            return fill(f"cast('{text}' as {names[wanted]})")
    if wanted == "integer" and _NUMBER_TEXT.fullmatch(text):
        return fill(f"cast('{text}' as bigint)")
    raise refuse(f"the text {text!r} beside a {wanted}", "cast it: '…'::date")


def refuse_mixed(node: exp.Expr, parts: list[exp.Expr]) -> None:
    """Refuse expressions whose parts Spark would bring to another type than DuckDB."""
    found = {family(part) for part in parts} - {"null"}
    texts = {family(part) for part in parts if not (_is_literal(part) and part.is_string)} - {
        "null"
    }
    alike = found <= NUMBERS or found <= MOMENTS or len(found) <= 1
    read = "string" in found and len(texts) <= 1 and "string" not in texts
    if "unknown" in found or not (alike or (read and not texts & (OPAQUE | {"bool", "binary"}))):
        raise refuse(f"{show(node)} of {' and '.join(sorted(found))}", "cast the parts: x::bigint")


def refuse_nested(node: exp.Expr, parts: list[exp.Expr]) -> None:
    """Refuse comparisons of lists and structs: nulls in them stand first on Spark."""
    nested = {family(part) for part in parts} & NESTED
    if nested:
        raise refuse(f"{show(node)} of a {', '.join(sorted(nested))}")


def convert_choice(node: exp.Expr) -> exp.Expr:
    """Return a CASE, COALESCE and the like, whose values are of one kind."""
    parts = list_choices(node)
    refuse_mixed(node, parts)
    if isinstance(node, (exp.Greatest, exp.Least, exp.Nullif)):
        refuse_nested(node, parts)
    found = {family(part) for part in parts}
    if "string" in found and len(found - {"null"}) > 1:
        raise refuse(f"{show(node)} of {' and '.join(sorted(found))}", "cast the parts: x::varchar")
    if "float32" in found and len(found & NUMBERS) > 1:
        raise refuse(f"{show(node)} of {' and '.join(sorted(found))}", "cast the parts: x::double")
    return node


def convert_number_function(node: exp.Expr) -> exp.Expr:
    """Return a function of one number that gives a double on both engines."""
    if family(node.this) not in NUMBERS - {"unsigned"}:
        raise refuse(f"{show(node)} of a {family(node.this)}")
    x = fill("cast(:x as double)", x=node.this)
    template = _FUNCTIONS[type(node)]
    return set_type(fill(template, x=x), "DOUBLE")


_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Sqrt: "sqrt(:x)",  # exp, ln, pow and the like differ in the last digit
}

_ZERO = "if(:x < 0D or cast(:x as string) = '-0.0', cast('-0.0' as double), cast(0 as double))"
"""The zero to which a float is rounded, with the sign of the float."""


def convert_rounding(node: exp.Expr) -> exp.Expr:
    """Return a rounded number: floats as DuckDB rounds them, with the sign of a zero kept."""
    places = node.args.get("decimals")
    found = family(node.this)
    known = places is None or (_is_literal(places) and int(places.name) in _FACTORS)
    if not known or found not in ("integer", "decimal", "float64"):
        raise refuse(f"{show(node)} of a {found}", "round to a number of places from 0 to 15")
    count = 0 if places is None else int(places.name)
    if found != "float64":
        made = fill(f"round(:x, {count})", x=node.this)
    else:
        inner = f"round(:x * 1E{count}D, 0) / 1E{count}D" if count else "round(:x, 0)"
        kept = f"abs(:x * 1E{count}D) < cast('Infinity' as double)"
        signed = f"if({inner} = 0D, {_ZERO}, {inner})"
        made = fill(f"if({kept}, {signed}, :x)", x=node.this)
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
    x = fill("cast(:x as double)", x=node.this)
    signed = f"if({name}(:x) = 0, {_ZERO}, cast({name}(:x) as double))"
    return set_type(fill(f"if(abs(:x) < 4503599627370496D, {signed}, :x)", x=x), "DOUBLE")


def convert_same_number(node: exp.Expr) -> exp.Expr:
    """Return a function that keeps the type of its number."""
    if family(node.this) not in NUMBERS - {"unsigned"}:
        raise refuse(f"{show(node)} of a {family(node.this)}")
    if isinstance(node, exp.Abs):
        node.type = node.this.type
        return node
    return set_type(fill("if(:x is null, null, isnan(:x))", x=node.this), "BOOLEAN")


def convert_finite(node: exp.Expr) -> exp.Expr:
    """Return whether a number is infinite, or neither that nor NaN."""
    value = node.this if isinstance(node, exp.IsInf) else node.expressions[0]
    found = family(value)
    if found not in NUMBERS - {"unsigned"}:
        raise refuse(f"{show(node)} of a {found}")
    infinite = "abs(:x) = cast('Infinity' as double)" if found in _FLOATS else "false"
    text = infinite
    if not isinstance(node, exp.IsInf):
        text = f"not (isnan(:x) or {infinite})"
    return set_type(fill(f"if(:x is null, null, {text})", x=value), "BOOLEAN")


def convert_bits(node: exp.Expr) -> exp.Expr:
    """Return an operation on the bits of integers."""
    sides = [node.this, node.expression]
    if {family(side) for side in sides} != {"integer"}:
        raise refuse(f"{show(node)} of {' and '.join(map(family, sides))}", "cast them: x::int")
    if isinstance(node, exp.BitwiseRightShift) and not _is_literal(node.expression):
        raise refuse(show(node), "write out by how many bits")
    kinds = [side.type for side in sides if not _is_literal(side)]
    name = "BIGINT" if len({str(kind) for kind in kinds}) > 1 else str(kinds[0] if kinds else "INT")
    return set_type(exp.Paren(this=node.copy()), name)


def convert_sign(node: exp.Expr) -> exp.Expr:
    """Return -1, 0 or 1."""
    if family(node.this) not in ("integer", "decimal"):
        raise refuse(f"{show(node)} of a {family(node.this)}")
    return set_type(fill("cast(sign(:x) as tinyint)", x=node.this), "TINYINT")
