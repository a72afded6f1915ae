"""Casts that mean in PostgreSQL what they mean in DuckDB, or fail."""

from __future__ import annotations

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, NUMBERS, family, show
from segue.engines.postgres.sql_pieces import FLOATS, fill, refuse

_INTEGERS = {"SMALLINT": "smallint", "INT": "integer", "BIGINT": "bigint", "INT128": "numeric"}
_SPACES = r"\s*"
_WHOLE = rf"^{_SPACES}[+-]?[0-9]+{_SPACES}$"
_NUMBER = rf"^{_SPACES}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?{_SPACES}$"
_ODD = r"[+-]?[iI]nf(inity)?|[nN]a[nN]"
_FLOAT = rf"^{_SPACES}([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|{_ODD}){_SPACES}$"
_DATE = rf"^{_SPACES}[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}{_SPACES}$"
_MOMENT = (
    rf"^{_SPACES}[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}"
    r"([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?"
)
_ZONE = r"(Z|[+-][0-9]{2}(:[0-9]{2})?)?"


def convert_cast(node: exp.Expr) -> exp.Expr:
    """Return a cast in PostgreSQL's SQL.

    Raises:
        UnsupportedError: PostgreSQL can't mean it so.
    """
    value, wanted = node.this, family(node)
    name = _spell(node, wanted)
    made = fill(f"cast(null as {name})") if family(value) == "null" else _cast(value, wanted, name)
    if made is None:
        raise refuse(f"the cast {show(node)}")
    made.type = node.type
    return made


def _spell(node: exp.Expr, wanted: str) -> str:
    """Return PostgreSQL's name of the type that a cast is to.

    Raises:
        UnsupportedError: It has none.
    """
    target = node.args["to"]
    plain = {
        "bool": "boolean",
        "date": "date",
        "float32": "real",
        "float64": "double precision",
        "string": "text",
        "time": "time",
        "timestamp": "timestamp",
        "zoned": "timestamptz",
    }
    kind = target.this.value.upper()
    if kind in _INTEGERS:
        return _INTEGERS[kind]
    if wanted == "decimal":
        sizes = [each.name for each in target.expressions]
        precision, scale = [*sizes, "0"][:2] if sizes else ("18", "3")
        return f"numeric({precision}, {scale})"
    if wanted not in plain or kind in ("TIMESTAMP_S", "TIMESTAMP_MS"):
        raise refuse(f"the type {target.sql('duckdb')}")
    return plain[wanted]


def _cast(value: exp.Expr, wanted: str, name: str) -> exp.Expr | None:
    found = family(value)
    if found == "string":
        return _read_text(value, wanted, name)
    if wanted == "string":
        return _write_text(value, found)
    text = None
    exact = found in NUMBERS and found not in FLOATS
    if wanted in ("integer", *FLOATS) and found == "bool":
        text = f"cast(cast(:x as integer) as {name})"
    elif wanted == "bool" and found in ("bool", "integer"):
        text = ":x" if found == "bool" else ":x <> 0"
    elif _keeps(found, wanted, exact=exact, name=name):
        text = f"cast(:x as {name})"
    return None if text is None else fill(text, x=value)


def _keeps(found: str, wanted: str, *, exact: bool, name: str) -> bool:
    """Return whether PostgreSQL's own cast does what DuckDB's does."""
    if exact:
        return wanted in ("integer", "decimal", *FLOATS)
    if found in FLOATS:
        return wanted in FLOATS or (wanted == "integer" and name != "numeric")
    return found == wanted or {found, wanted} <= MOMENTS


def _write_text(value: exp.Expr, found: str) -> exp.Expr | None:
    if found in ("integer", "unsigned", "decimal", "bool", "date", "timestamp", "zoned", "time"):
        return fill("cast(:x as text)", x=value)
    # 1.0 is 1 as PostgreSQL writes it: only what reads it again as a number may have it
    inner = value.parent.parent if isinstance(value.parent, exp.Cast) else None
    if found in FLOATS and isinstance(inner, exp.Cast) and family(inner) in FLOATS:
        return fill("cast(:x as text)", x=value)
    return None


_FROM_TEXT = {
    "integer": _WHOLE,
    "float32": _FLOAT,
    "float64": _FLOAT,
    "decimal": _NUMBER,
    "date": _DATE,
    "timestamp": rf"{_MOMENT}{_SPACES}$",
    "zoned": rf"{_MOMENT}{_ZONE}{_SPACES}$",
}
"""Texts that both engines read alike; others are an error."""


def _read_text(value: exp.Expr, wanted: str, name: str) -> exp.Expr | None:
    if wanted == "string":
        return fill("cast(:x as text)", x=value)
    if wanted not in _FROM_TEXT:
        return None
    if isinstance(value, exp.Literal):
        return fill(f"cast(:x as {name})", x=value)
    pattern = exp.Literal.string(_FROM_TEXT[wanted])
    return fill(
        f"case when :x ~ :p then cast(:x as {name}) else cast(:x || '?' as {name}) end",
        x=value,
        p=pattern,
    )
