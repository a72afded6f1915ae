"""Moments as texts and texts as moments, by formats that are written out."""

from __future__ import annotations

import re

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, family, set_type, show
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import need_texts, refuse

_WRITTEN = {
    "Y": "yyyy",
    "m": "MM",
    "d": "dd",
    "H": "HH",
    "I": "hh",
    "M": "mm",
    "S": "ss",
    "f": "SSSSSS",
    "j": "DDD",
    "y": "yy",
    "a": "EEE",
    "A": "EEEE",
    "b": "MMM",
    "B": "MMMM",
    "p": "a",
    "-d": "d",
    "-m": "M",
    "-H": "H",
    "-I": "h",
    "-M": "m",
    "-S": "s",
    "%": "'%'",
}
_READ = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
"""Directives by which texts are read, and how many digits they take."""


def convert_format(node: exp.Expr) -> exp.Expr:
    """Return a moment as text."""
    if family(node.this) not in MOMENTS:
        raise refuse(f"{show(node)} of a {family(node.this)}", "cast it: x::timestamp")
    spelled = ""
    for piece in _split(node, node.args["format"]):
        if piece[0] != "%":
            spelled += _quote(piece)
        elif piece[1:] in _WRITTEN:
            spelled += _WRITTEN[piece[1:]]
        else:
            raise refuse(f"{piece} in {show(node)}", f"formats can hold %{' %'.join(_WRITTEN)}")
    made = fill("date_format(:x, :f)", x=node.this, f=exp.Literal.string(spelled))
    return set_type(made, "VARCHAR")


def convert_read(node: exp.Expr) -> exp.Expr:
    """Return the moment that a text stands for, or null or an error if it stands for none.

    Numbers have to be as long as they can be: of shorter ones, only some are read by Spark.
    """
    tries = isinstance(node, exp.Anonymous)
    value, format_ = node.expressions if tries else (node.this, node.args["format"])
    need_texts(node, [value])
    spelled, known, near = "", "", ""
    pieces = _split(node, format_)
    named = [piece for piece in pieces if piece[0] == "%"]
    if "%Y" not in named or len(set(named)) < len(named):
        raise refuse(show(node), "a format that is read has a year, and nothing twice")
    for piece in pieces:
        if piece[0] != "%":
            letters = "".join(f"\\x{{{ord(letter):X}}}" for letter in piece)
            spelled, known, near = spelled + _quote(piece), known + letters, near + letters
        elif piece[1:] in _READ:
            digits = _READ[piece[1:]]
            spelled += _WRITTEN[piece[1:]]
            known += f"\\d{{{digits}}}"
            near += f"\\d{{1,{digits}}}"
        else:
            raise refuse(f"{piece} in {show(node)}", f"formats can hold %{' %'.join(_READ)}")
    texts = {"f": spelled, "k": f"^{known}$", "n": f"^\\s*{near}\\s*$"}
    made = fill(
        "case when :x rlike :k then cast(try_to_timestamp(:x, :f) as timestamp_ntz) "
        "when :x rlike :n then raise_error(concat('only DuckDB might read this text: ', :x)) "
        "end",
        x=value,
        **{name: exp.Literal.string(text) for name, text in texts.items()},
    )
    if not tries:
        failed = "raise_error(concat('a text is no such moment: ', :x))"
        made = fill(f"if(:x is null, null, coalesce(:m, {failed}))", x=value, m=made)
    return set_type(made, "TIMESTAMP")


def _split(node: exp.Expr, format_: exp.Expr) -> list[str]:
    """Return the directives of a format, and the texts between them."""
    if not isinstance(format_, exp.Literal):
        raise refuse(show(node), "write out the format")
    return re.findall(r"%-?.|[^%]+", format_.name)


def _quote(text: str) -> str:
    """Return a text that stands for itself in a format of Java's."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'" if re.search(r"[^ :/.,_-]", text) else text
