"""Functions of texts that mean on Spark what they mean in DuckDB."""

from __future__ import annotations

from sqlglot import exp

from segue.engines.dialects.families import family, set_type, show
from segue.engines.dialects.kinds import check_part, read_count
from segue.engines.spark.sql_casts import convert_cast
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import need_texts, refuse

_SPACES = (
    " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000"
)
"""What DuckDB trims: all of Unicode's spaces, and no tab or newline."""


def convert_bytes(node: exp.Expr) -> exp.Expr:
    """Return the number of bytes."""
    value = node.expressions[0] if isinstance(node, exp.Anonymous) else node.this
    if family(value) not in ("binary", "string"):
        raise refuse(f"{show(node)} of a {family(value)}")
    return set_type(fill("cast(octet_length(:x) as bigint)", x=value), "BIGINT")


def convert_case(node: exp.Expr) -> exp.Expr:
    """Return upper or lower case, letter by letter as in DuckDB.

    Java looks at whole words, and makes several letters of some: those are changed before it
    sees them, and the rest is refused where it comes up.
    """
    need_texts(node, [node.this])
    upper = isinstance(node, exp.Upper)
    name = "upper" if upper else "lower"
    before, odd = ("'ß', 'ẞ'", _ODD_UPPER) if upper else ("'İΣ', 'iσ'", _ODD_LOWER)
    made = fill(
        f"if(octet_length(:x) = char_length(:x), {name}(:x), "
        f"if(:x rlike '[{odd}]', "
        f"raise_error('a text has a letter whose {name} case is another on Spark'), "
        f"{name}(translate(:x, {before}))))",
        x=node.this,
    )
    return set_type(made, "VARCHAR")


_ODD_UPPER = (
    "\u0149\u019b\u01f0\u0264\u0390\u03b0\u0587\u1c8a\u1e96-\u1e9a\u1f50\u1f52\u1f54"
    "\u1f56\u1f80-\u1faf\u1fb2-\u1fb4\u1fb6-\u1fb7\u1fbc\u1fc2-\u1fc4\u1fc6-\u1fc7\u1fcc"
    "\u1fd2-\u1fd3\u1fd6-\u1fd7\u1fe2-\u1fe4\u1fe6-\u1fe7\u1ff2-\u1ff4\u1ff6-\u1ff7\u1ffc"
    "\ua7cd\ua7cf\ua7d3\ua7d5\ua7db\ufb00-\ufb06\ufb13-\ufb17\U00010d70-\U00010d85"
    "\U00016ebb-\U00016ed3"
)
"""Letters that Java 17 makes several of in upper case, or does not know."""
_ODD_LOWER = (
    "\u1c89\ua7cb-\ua7cc\ua7ce\ua7d2\ua7d4\ua7da\ua7dc\U00010d50-\U00010d65\U00016ea0-\U00016eb8"
)
"""Letters whose lower case Java 17 does not know."""


def convert_length(node: exp.Expr) -> exp.Expr:
    """Return the number of characters of a text, or of items of a list."""
    if family(node.this) == "list":
        return set_type(fill("cast(array_size(:x) as bigint)", x=node.this), "BIGINT")
    need_texts(node, [node.this])
    return set_type(fill("cast(char_length(:x) as bigint)", x=node.this), "BIGINT")


def convert_join(node: exp.Expr) -> exp.Expr:
    """Return texts behind each other: `||` is null with a null, CONCAT leaves nulls out."""
    parts = node.expressions if isinstance(node, exp.Concat) else [node.this, node.expression]
    texts = [_as_text(node, part) for part in parts]
    skips = isinstance(node, exp.Concat)
    made: exp.Expr | None = None
    for text in texts:
        part = fill("coalesce(:x, '')", x=text) if skips else text
        made = part if made is None else fill("concat(:a, :b)", a=made, b=part)
    if made is None:
        raise refuse(show(node))
    return set_type(made, "VARCHAR")


def _as_text(node: exp.Expr, part: exp.Expr) -> exp.Expr:
    if family(part) in ("string", "null"):
        return part
    if family(part) not in ("integer", "decimal", "bool", "date", "timestamp"):
        raise refuse(f"{show(node)} of a {family(part)}", "cast it: x::varchar")
    cast = exp.Cast(this=part.copy(), to=exp.DataType.build("VARCHAR", dialect="duckdb"))
    cast.this.type = part.type
    return convert_cast(set_type(cast, "VARCHAR"))


def convert_part(node: exp.Expr) -> exp.Expr:
    """Return a part of a text, from a place and of a length that are written out."""
    need_texts(node, [node.this])
    return check_part(node, refuse)


def convert_trim(node: exp.Expr) -> exp.Expr:
    """Return a text without spaces, or other letters, at its ends."""
    letters = node.args.get("expression")
    need_texts(node, [node.this, letters])
    side = node.args.get("position") or "BOTH"
    chars = exp.Literal.string(_SPACES) if letters is None else letters
    if letters is not None and not isinstance(letters, exp.Literal):
        raise refuse(show(node), "write out the letters")
    return set_type(fill(f"trim({side} :c from :x)", c=chars, x=node.this), "VARCHAR")


def convert_search(node: exp.Expr) -> exp.Expr:
    """Return whether or where a text is in another."""
    if isinstance(node, exp.StrPosition):
        need_texts(node, [node.this, node.args["substr"]])
        made = fill("cast(instr(:x, :s) as bigint)", x=node.this, s=node.args["substr"])
        return set_type(made, "BIGINT")
    need_texts(node, [node.this, node.expression])
    name = type(node).__name__.lower()
    return set_type(fill(f"{name}(:x, :s)", x=node.this, s=node.expression), "BOOLEAN")


def convert_replace(node: exp.Expr) -> exp.Expr:
    """Return a text with parts of it replaced."""
    old, new = node.expression, node.args["replacement"]
    need_texts(node, [node.this, old, new])
    return set_type(fill("replace(:x, :o, :n)", x=node.this, o=old, n=new), "VARCHAR")


def convert_pad(node: exp.Expr) -> exp.Expr:
    """Return a text that is filled up to a length."""
    pad = node.args.get("fill_pattern")
    need_texts(node, [node.this, pad])
    if read_count(node.expression, 0) is None or not (isinstance(pad, exp.Literal) and pad.name):
        raise refuse(show(node), "write out the length, and what to fill up with")
    return set_type(node, "VARCHAR")


def convert_repeat(node: exp.Expr) -> exp.Expr:
    """Return a text several times."""
    need_texts(node, [node.this])
    if read_count(node.args["times"], 0) is None:
        raise refuse(show(node), "write out how many times")
    return set_type(node, "VARCHAR")


def convert_pattern(node: exp.Expr) -> exp.Expr:
    """Return whether a text is LIKE a pattern that is written out."""
    pattern, around = node.expression, node.parent
    need_texts(node, [node.this, pattern])
    escape = around.expression.name if isinstance(around, exp.Escape) else ""
    spelled = _spell_pattern(pattern.name, escape) if isinstance(pattern, exp.Literal) else None
    if spelled is None:
        raise refuse(show(node), "write out the pattern")
    pattern.replace(set_type(exp.Literal.string(spelled), "VARCHAR"))
    return set_type(node, "BOOLEAN")


def _spell_pattern(pattern: str, escape: str) -> str | None:
    r"""Return a pattern whose escape is a backslash, as always on Spark; None if it ends in one.

    Example:
        >>> print(_spell_pattern("a$%\\%", "$"))
        a\%\\%
    """
    spelled, letters = "", iter(pattern)
    for letter in letters:
        plain = letter == escape
        meant = next(letters, "") if plain else letter
        if not meant:
            return None
        spelled += f"\\{meant}" if meant == "\\" or (plain and meant in "%_") else meant
    return spelled


def convert_escape(node: exp.Expr) -> exp.Expr:
    """Return a comparison with a pattern that has taken its escape in."""
    if not isinstance(node.this, (exp.Like, exp.ILike)):
        raise refuse(show(node))
    return node.this


def convert_split(node: exp.Expr) -> exp.Expr:
    """Return the parts of a text between marks that are written out, or one of them."""
    one = isinstance(node, exp.SplitPart)
    mark = node.args["delimiter"] if one else node.expression
    need_texts(node, [node.this, mark])
    if not isinstance(mark, exp.Literal) or not mark.name:
        raise refuse(show(node), "write out what is between the parts")
    if not one:
        quoted = exp.Literal.string("".join(f"\\x{{{ord(letter):X}}}" for letter in mark.name))
        return set_type(fill("split(:x, :m)", x=node.this, m=quoted), "VARCHAR[]")
    place = node.args["part_index"]
    place = place.this if isinstance(place, exp.Neg) else place
    if read_count(place, 1) is None:
        raise refuse(show(node), "write out which part, counted from 1")
    parts = {"m": mark, "n": node.args["part_index"]}
    return set_type(fill("split_part(:x, :m, :n)", x=node.this, **parts), "VARCHAR")


def convert_joined(node: exp.Expr) -> exp.Expr:
    """Return texts with a mark between them; nulls are left out."""
    mark, *parts = node.expressions
    need_texts(node, [mark])
    texts = [_as_text(node, part) for part in parts]
    places = "".join(f", :p{at}" for at in range(len(texts)))
    filled = {f"p{at}": text for at, text in enumerate(texts)}
    return set_type(fill(f"concat_ws(:m{places})", m=mark, **filled), "VARCHAR")


def convert_letters(node: exp.Expr) -> exp.Expr:
    """Return a text with letters replaced by others, one for one."""
    old, new = node.args["from_"], node.args["to"]
    need_texts(node, [node.this, old, new])
    return set_type(fill("translate(:x, :o, :n)", x=node.this, o=old, n=new), "VARCHAR")


def convert_digest(node: exp.Expr) -> exp.Expr:
    """Return the digest of a text, or its bytes, in hex."""
    need_texts(node, [node.this])
    length = node.args.get("length")
    if length is not None and length.name != "256":
        raise refuse(show(node))
    text = "hex(:x)"
    if not isinstance(node, exp.Hex):
        text = "md5(:x)" if isinstance(node, exp.MD5) else "sha2(:x, 256)"
    return set_type(fill(text, x=node.this), "VARCHAR")
