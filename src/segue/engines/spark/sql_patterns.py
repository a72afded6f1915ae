"""Regular expressions that find on Spark what RE2 finds in DuckDB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import set_type, show
from segue.engines.dialects.kinds import read_count
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import need_texts, refuse
from segue.spec.pattern_text import JAVA, write_pattern, write_searched

if TYPE_CHECKING:
    from segue.errors import UnsupportedError

_MOST_GROUPS = 7
"""Groups that one digit can name, beside two that are put around a pattern."""


def convert_match(node: exp.Expr) -> exp.Expr:
    """Return whether a text matches a pattern that is written out, as RE2 would say."""
    pattern = node.expression
    need_texts(node, [node.this, pattern])
    if not isinstance(pattern, exp.Literal) or node.args.get("options") or node.args.get("flag"):
        raise _ask_for_pattern(node)
    try:
        whole = isinstance(node, (exp.RegexpFullMatch, exp.SimilarTo))
        text = write_pattern(pattern.name, JAVA, whole=whole)
    except ValueError as error:
        raise refuse(f"the pattern {error}") from None
    return set_type(fill("(:x rlike :p)", x=node.this, p=exp.Literal.string(text)), "BOOLEAN")


def _ask_for_pattern(node: exp.Expr) -> UnsupportedError:
    return refuse(show(node), "write out the pattern, and flags in it: (?i)…")


def _read_searched(node: exp.Expr) -> tuple[str, int]:
    """Return the pattern of a search for Java, and how many groups it has."""
    pattern = node.expression
    need_texts(node, [node.this, pattern])
    if not isinstance(pattern, exp.Literal):
        raise _ask_for_pattern(node)
    try:
        text, groups = write_searched(pattern.name, JAVA)
    except ValueError as error:
        raise refuse(f"the pattern {error}") from None
    if groups > _MOST_GROUPS:
        raise refuse(f"a pattern of {groups} groups", "leave groups uncounted: (?:…)")
    return text, groups


def convert_extracted(node: exp.Expr) -> exp.Expr:
    """Return the first match of a pattern or all of them, or of one of its groups."""
    text, groups = _read_searched(node)
    asked = node.args.get("group")
    group = 0 if asked is None else read_count(asked, 0)
    if group is None or group > groups or node.args.get("parameters"):
        raise refuse(show(node), f"write out the group, from 0 to {groups}")
    every = isinstance(node, exp.RegexpExtractAll)
    name = "regexp_extract_all" if every else "regexp_extract"
    made = fill(f"{name}(:x, :p, {group})", x=node.this, p=exp.Literal.string(text))
    return set_type(made, "VARCHAR[]" if every else "VARCHAR")


def convert_replaced(node: exp.Expr) -> exp.Expr:
    """Return a text with the first match of a pattern replaced, or all with the flag ``g``."""
    text, groups = _read_searched(node)
    new, flags = node.args["replacement"], node.args.get("modifiers")
    if not isinstance(new, exp.Literal) or (flags is not None and flags.name != "g"):
        raise refuse(show(node), "write out the replacement; the only flag is 'g'")
    if flags is not None:
        rewritten = _rewrite(node, new.name, groups, 0)
    else:
        text = f"\\A((?s:.*?))({text})"
        rewritten = "$1" + _rewrite(node, new.name, groups, 2)
    parts = {"p": exp.Literal.string(text), "n": exp.Literal.string(rewritten)}
    return set_type(fill("regexp_replace(:x, :p, :n)", x=node.this, **parts), "VARCHAR")


def _rewrite(node: exp.Expr, text: str, groups: int, before: int) -> str:
    r"""Return a replacement for Java, which writes ``$1`` where RE2 writes ``\1``."""
    made = ""
    for piece in re.findall(r"\\.|\\|[^\\]", text, re.DOTALL):
        if piece[0] != "\\":
            made += "\\" + piece if piece == "$" else piece
        elif piece == "\\\\":
            made += piece
        elif piece[1:].isdigit() and int(piece[1:]) <= groups:
            made += f"${int(piece[1:]) + before}"
        else:
            raise refuse(f"{piece} in {show(node)}", f"there are \\0 to \\{groups}")
    return made
