"""Functions of texts that mean in PostgreSQL what they mean in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import family, set_type, show
from segue.engines.dialects.kinds import check_part
from segue.engines.postgres.sql_casts import convert_cast
from segue.engines.postgres.sql_pieces import fill, need, refuse
from segue.spec.pattern_text import POSTGRES, write_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPACES = (
    " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000"
)
"""What DuckDB trims: all of Unicode's spaces, and no tab or newline."""


def _need_texts(node: exp.Expr, parts: Sequence[exp.Expr | None]) -> None:
    for part in parts:
        need(node, part, "string", hint="cast it: x::varchar")


def convert_match(node: exp.Expr) -> exp.Expr:
    """Return whether a text matches a pattern that is written out, as RE2 would say."""
    pattern = node.expression
    _need_texts(node, [node.this, pattern])
    if not isinstance(pattern, exp.Literal) or node.args.get("options") or node.args.get("flag"):
        raise refuse(show(node), "write out the pattern, and flags in it: (?i)…")
    try:
        whole = isinstance(node, exp.RegexpFullMatch)
        text = write_pattern(pattern.name, POSTGRES, whole=whole)
    except ValueError as error:
        raise refuse(f"the pattern {error}") from None
    # three letters that say which dialect follows, whatever the server's setting is
    literal = exp.Literal.string(f"***:{text}")
    return set_type(fill("(:x ~ :p)", x=node.this, p=literal), "BOOLEAN")


def convert_case(node: exp.Expr) -> exp.Expr:
    """Return upper or lower case of plain letters; others differ, and are an error."""
    _need_texts(node, [node.this])
    name = "upper" if isinstance(node, exp.Upper) else "lower"
    made = fill(
        f"case when octet_length(:x) = char_length(:x) then {name}(:x) else "
        f"cast(cast('the {name} case of ' || :x as integer) as text) end",
        x=node.this,
    )
    return set_type(made, "VARCHAR")


def convert_length(node: exp.Expr) -> exp.Expr:
    """Return the number of characters of a text, or of items of a list."""
    if family(node.this) == "list":
        return set_type(fill("cast(cardinality(:x) as bigint)", x=node.this), "BIGINT")
    _need_texts(node, [node.this])
    return set_type(fill("cast(char_length(:x) as bigint)", x=node.this), "BIGINT")


def convert_bytes(node: exp.Expr) -> exp.Expr:
    """Return the number of bytes."""
    value = node.expressions[0] if isinstance(node, exp.Anonymous) else node.this
    need(node, value, "binary", "string")
    return set_type(fill("cast(octet_length(:x) as bigint)", x=value), "BIGINT")


def convert_join(node: exp.Expr) -> exp.Expr:
    """Return texts behind each other: `||` is null with a null, CONCAT leaves nulls out."""
    parts = node.expressions if isinstance(node, exp.Concat) else [node.this, node.expression]
    texts = [_as_text(node, part) for part in parts]
    skips = isinstance(node, exp.Concat)
    made: exp.Expr | None = None
    for text in texts:
        part = fill("coalesce(:x, '')", x=text) if skips else text
        made = part if made is None else fill("(:a || :b)", a=made, b=part)
    if made is None:
        raise refuse(show(node))
    return set_type(made, "VARCHAR")


def _as_text(node: exp.Expr, part: exp.Expr) -> exp.Expr:
    if family(part) in ("string", "null"):
        return fill("cast(:x as text)", x=part) if isinstance(part, exp.Literal) else part
    if family(part) not in ("integer", "decimal", "bool", "date", "timestamp"):
        raise refuse(f"{show(node)} of a {family(part)}", "cast it: x::varchar")
    cast = exp.Cast(this=part.copy(), to=exp.DataType.build("VARCHAR", dialect="duckdb"))
    cast.this.type = part.type
    return convert_cast(set_type(cast, "VARCHAR"))


def convert_part(node: exp.Expr) -> exp.Expr:
    """Return a part of a text, from a place and of a length that are written out."""
    _need_texts(node, [node.this])
    return check_part(node, refuse)


def convert_trim(node: exp.Expr) -> exp.Expr:
    """Return a text without spaces, or other letters, at its ends."""
    letters = node.args.get("expression")
    _need_texts(node, [node.this, letters])
    if letters is not None and not isinstance(letters, exp.Literal):
        raise refuse(show(node), "write out the letters")
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(node.args.get("position") or "", "btrim")
    chars = exp.Literal.string(_SPACES) if letters is None else letters
    return set_type(fill(f"{name}(:x, :c)", x=node.this, c=chars), "VARCHAR")


def convert_search(node: exp.Expr) -> exp.Expr:
    """Return whether or where a text is in another."""
    if isinstance(node, exp.StrPosition):
        _need_texts(node, [node.this, node.args["substr"]])
        made = fill("cast(strpos(:x, :s) as bigint)", x=node.this, s=node.args["substr"])
        return set_type(made, "BIGINT")
    _need_texts(node, [node.this, node.expression])
    text = {
        exp.StartsWith: "left(:x, char_length(:s)) = :s",
        exp.EndsWith: "right(:x, char_length(:s)) = :s",
        exp.Contains: "strpos(:x, :s) > 0",
    }[type(node)]  # type: ignore[index]  # the three that lead here
    return set_type(fill(f"({text})", x=node.this, s=node.expression), "BOOLEAN")


def convert_replace(node: exp.Expr) -> exp.Expr:
    """Return a text with parts of it replaced."""
    old, new = node.expression, node.args["replacement"]
    _need_texts(node, [node.this, old, new])
    return set_type(fill("replace(:x, :o, :n)", x=node.this, o=old, n=new), "VARCHAR")


def convert_like(node: exp.Expr) -> exp.Expr:
    """Return whether a text is LIKE a pattern that is written out, and has no backslash."""
    pattern = node.expression
    _need_texts(node, [node.this, pattern])
    if not isinstance(pattern, exp.Literal) or "\\" in pattern.name:
        raise refuse(show(node), "write out the pattern, without a backslash")
    return set_type(node, "BOOLEAN")
