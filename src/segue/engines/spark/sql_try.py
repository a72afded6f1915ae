"""TRY_CAST that is null on Spark where it is null in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.engines.dialects.families import NUMBERS, family, show
from segue.engines.spark.sql_casts import FLOATS, convert_cast, decimal_sizes, spell_type
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import refuse

if TYPE_CHECKING:
    from sqlglot import exp

_NUMBER = r"^\\s*[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?\\s*$"
_DIGITS = r"^\\s*([+-]?\\d*\\.?\\d?)"
_ENDLESS = r"^\\s*(nan|[+-]?inf(inity)?)\\s*$"
_DATE = r"^\\s*\\d{1,4}-\\d{1,2}-\\d{1,2}\\s*$"
_MOMENT = r"^\\s*\\d{4}-\\d{2}-\\d{2}([ T]([01]\\d|2[0-3]):\\d{2}(:\\d{2}(\\.\\d{1,6})?)?)?"
_ODD_NUMBER = r"^\\s*[+-]?(0[xXbB]|[\\d.]+_)"
_ODD_MOMENT = r"^\\s*[+-]?(\\d+[-/ \\\\]\\d+[-/ \\\\]\\d|(?i)inf|epoch)"
_WHOLE = (
    # the first digit behind the point decides how DuckDB rounds
    f"try_cast(if(:x rlike '[eE]', :x, regexp_extract(:x, '{_DIGITS}', 1)) as decimal(38, 18))"
)

_RULES = {
    "integer": (f":x rlike '{_NUMBER}'", f"try_cast(round({_WHOLE}, 0) as {{name}})", _ODD_NUMBER),
    "float": (
        f":x rlike '{_NUMBER}' or lower(:x) rlike '{_ENDLESS}'",
        "try_cast(:x as {name})",
        _ODD_NUMBER,
    ),
    "decimal": (f":x rlike '{_NUMBER}'", "try_cast(:x as {name})", _ODD_NUMBER),
    "date": (f":x rlike '{_DATE}'", "try_cast(:x as {name})", _ODD_MOMENT),
    "timestamp": (f":x rlike '{_MOMENT}\\\\s*$'", "try_cast(:x as {name})", _ODD_MOMENT),
    "zoned": (
        f":x rlike '{_MOMENT}(Z|[+-]\\\\d{{2}}:\\\\d{{2}})?\\\\s*$'",
        "try_cast(:x as {name})",
        _ODD_MOMENT,
    ),
}
"""Texts that Spark reads as DuckDB does, what they become, and what only DuckDB might read."""


def convert_try_cast(node: exp.Expr) -> exp.Expr:
    """Return a cast that is null where it fails.

    A text that only DuckDB might be able to read is an error: null would be a guess.

    Raises:
        UnsupportedError: Spark can't mean it so.
    """
    value, found, wanted = node.this, family(node.this), family(node)
    if found == "string" and wanted not in ("string", "bool"):
        made = _read_text(node)
    elif found == "string" and wanted == "bool":
        made = fill("if(:x rlike '\\\\s', null, try_cast(:x as boolean))", x=value)
    elif found in NUMBERS and wanted in NUMBERS - {"unsigned"}:
        made = _try_number(node)
    else:
        made = convert_cast(node)
    made.type = node.type
    return made


def _read_text(node: exp.Expr) -> exp.Expr:
    wanted = "float" if family(node) in FLOATS else family(node)
    if wanted not in _RULES:
        raise refuse(f"the cast {show(node)}")
    known, text, odd = _RULES[wanted]
    read = text.format(name=spell_type(node.args["to"]))
    error = "raise_error(concat('only DuckDB might read this text: ', :x))"
    return fill(
        f"case when {known} then {read} when :x rlike '{odd}' then {error} end", x=node.this
    )


def _try_number(node: exp.Expr) -> exp.Expr:
    found, wanted = family(node.this), family(node)
    name = spell_type(node.args["to"])
    if wanted == "integer":
        inner = {"decimal": "round(:x, 0)", "float32": "rint(:x)", "float64": "rint(:x)"}
        return fill(f"try_cast({inner.get(found, ':x')} as {name})", x=node.this)
    if wanted == "decimal" and found in FLOATS:
        factor = f"1E{decimal_sizes(node.args['to'])[1]}D"
        scaled = f"round(cast(:x as double) * {factor}, 0) / {factor}"
        return fill(f"try_cast({scaled} as {name})", x=node.this)
    if wanted == "float32" and found == "float64":
        most = "3.4028234663852886E38D"
        finite = "abs(:x) < cast('Infinity' as double)"
        return fill(f"if(abs(:x) > {most} and {finite}, null, cast(:x as float))", x=node.this)
    return fill(f"try_cast(:x as {name})", x=node.this)
