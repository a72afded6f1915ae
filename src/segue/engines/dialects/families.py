"""Families of types, by which it is decided how SQL is carried over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

if TYPE_CHECKING:
    from segue.spec.types import DataType

_SIGNED = ("TINYINT", "SMALLINT", "INT", "BIGINT", "INT128")
_UNSIGNED = ("UTINYINT", "USMALLINT", "UINT", "UBIGINT")
_FAMILIES = (
    dict.fromkeys(_SIGNED, "integer")
    | dict.fromkeys(_UNSIGNED, "unsigned")
    | dict.fromkeys(("TEXT", "VARCHAR", "CHAR", "NVARCHAR"), "string")
    | dict.fromkeys(("TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMP_S", "TIMESTAMP_MS"), "timestamp")
    | dict.fromkeys(("TIMESTAMPTZ", "TIMESTAMPLTZ"), "zoned")
    | dict.fromkeys(("BINARY", "VARBINARY"), "binary")
    | dict.fromkeys(("ARRAY", "LIST"), "list")
    | {
        "FLOAT": "float32",
        "DOUBLE": "float64",
        "DECIMAL": "decimal",
        "BOOLEAN": "bool",
        "DATE": "date",
        "TIMESTAMP_NS": "nanos",
        "TIME": "time",
        "INTERVAL": "duration",
        "STRUCT": "struct",
        "MAP": "map",
        "NULL": "null",
    }
)

NUMBERS = frozenset({"integer", "unsigned", "decimal", "float32", "float64"})
MOMENTS = frozenset({"date", "timestamp", "zoned"})
NESTED = frozenset({"list", "struct", "map"})

_WORDS = {
    "null": "NULL",
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INT",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "binary": "BLOB",
    "date": "DATE",
    "time": "TIME",
    "duration": "INTERVAL",
}


SHOWN = "segue: shown"
"""What holds, in the notes of an expression that was converted, what the user wrote."""


def family(node: exp.Expr) -> str:
    """Return the family of an expression's type; ``unknown`` if it has none."""
    if isinstance(node, exp.Null):
        return "null"
    kind = node.type
    return _FAMILIES.get(kind.this.value.upper(), "unknown") if kind is not None else "unknown"


def write_duckdb(type_: DataType) -> str:
    """Return DuckDB's name of a type, as sqlglot reads it.

    Example:
        >>> from segue.spec.types import parse_type
        >>> write_duckdb(parse_type("list<struct<a: timestamp(ns)>>"))
        'STRUCT("a" TIMESTAMP_NS)[]'
    """
    if type_.kind in _WORDS:
        return _WORDS[type_.kind]
    if type_.kind == "timestamp":
        if type_.arguments[0] == "ns":
            return "TIMESTAMP_NS"
        return "TIMESTAMPTZ" if len(type_.arguments) > 1 else "TIMESTAMP"
    inner = [write_duckdb(part) for _, part in type_.fields]
    forms = {
        "list": "{}[]",
        "map": "MAP({}, {})",
        "categorical": "{}",
        "decimal": "DECIMAL({}, {})",
    }
    if type_.kind in forms:
        return forms[type_.kind].format(*(inner or type_.arguments))
    names = (exp.to_identifier(name, quoted=True).sql("duckdb") for name, _ in type_.fields)
    return f"STRUCT({', '.join(f'{n} {t}' for n, t in zip(names, inner, strict=True))})"


def show(node: exp.Expr) -> str:
    """Return an expression as a user knows it, in one short line."""

    def name(part: exp.Expr) -> exp.Expr:
        return exp.Var(this=part.meta[SHOWN]) if SHOWN in part.meta else part

    text = node.transform(name).sql("duckdb")
    return text if len(text) <= 80 else f"{text[:79]}…"  # noqa: PLR2004  # of a terminal


def set_type(node: exp.Expr, name: str) -> exp.Expr:
    """Return a node that is known to be of a type of DuckDB's."""
    node.type = exp.DataType.build(name, dialect="duckdb")
    return node


def _typed(name: str) -> dict[str, Any]:
    def annotate(annotator: Any, node: exp.Expr) -> exp.Expr:
        annotator._set_type(node, exp.DataType.build(name, dialect="duckdb"))  # noqa: SLF001  # sqlglot's own way
        return node

    return {"annotator": annotate}


def _annotate_divided(annotator: Any, node: exp.Expr) -> exp.Expr:
    families = {family(node.this), family(node.expression)}
    single = "float32" in families and "float64" not in families
    name = "FLOAT" if single else "DOUBLE"
    annotator._set_type(node, exp.DataType.build(name, dialect="duckdb"))  # noqa: SLF001
    return node


def _annotate_difference(annotator: Any, node: exp.Expr) -> exp.Expr:
    families = family(node.this), family(node.expression)
    if families == ("date", "date"):
        return _set(annotator, node, "BIGINT")
    if families[0] in MOMENTS and families[1] in MOMENTS:
        return _set(annotator, node, "INTERVAL")
    return _annotate_moved(annotator, node)


def _annotate_moved(annotator: Any, node: exp.Expr) -> exp.Expr:
    sides = [node.this, node.expression]
    families = [family(side) for side in sides]
    if "duration" in families and families != ["duration", "duration"]:
        moment = families[1 - families.index("duration")]
        return _set(annotator, node, "TIMESTAMPTZ" if moment == "zoned" else "TIMESTAMP")
    if "date" in families:
        return _set(annotator, node, "DATE")
    if "float32" in families and "float64" not in families:
        return _set(annotator, node, "FLOAT")
    DuckDB.EXPRESSION_METADATA[type(node)]["annotator"](annotator, node)
    return node


def _set(annotator: Any, node: exp.Expr, name: str) -> exp.Expr:
    annotator._set_type(node, exp.DataType.build(name, dialect="duckdb"))  # noqa: SLF001
    return node


_NAMED = {
    "date_part": "BIGINT",
    "datepart": "BIGINT",
    "epoch_us": "BIGINT",
    "isfinite": "BOOLEAN",
    "isoyear": "BIGINT",
    "microsecond": "BIGINT",
    "millisecond": "BIGINT",
    "octet_length": "BIGINT",
    "try_strptime": "TIMESTAMP",
}
"""Types of functions that sqlglot has no word for."""


def _annotate_named(annotator: Any, node: exp.Expr) -> exp.Expr:
    name = node.name.lower()
    parts = node.expressions
    if name == "list_reverse" and parts:
        node.type = parts[0].type
        return node
    if name.startswith("date") and parts and parts[0].name.lower() == "epoch":
        return _set(annotator, node, "DOUBLE")
    return _set(annotator, node, _NAMED.get(name, "UNKNOWN"))


def _annotate_counted(annotator: Any, node: exp.Expr) -> exp.Expr:
    if node.args.get("scale") is None:
        return _set(annotator, node, "TIMESTAMPTZ")
    return _set(annotator, node, "BIGINT" if family(node.this) in MOMENTS else "TIMESTAMP")


def _annotate_zone(annotator: Any, node: exp.Expr) -> exp.Expr:
    zoned = family(node.this) == "zoned"
    return _set(annotator, node, "TIMESTAMP" if zoned else "TIMESTAMPTZ")


def _annotate_bucket(annotator: Any, node: exp.Expr) -> exp.Expr:
    names = {"date": "DATE", "zoned": "TIMESTAMPTZ"}
    return _set(annotator, node, names.get(family(node.expression), "TIMESTAMP"))


def _annotate_value(annotator: Any, node: exp.Expr) -> exp.Expr:
    """Give a function the type of its value, which may be sorted or distinct."""
    value = node.this
    while isinstance(value, (exp.Order, exp.Distinct)):
        value = value.this if isinstance(value, exp.Order) else value.expressions[0]
    annotator._set_type(node, value.type)  # noqa: SLF001
    return node


def _annotate_item(annotator: Any, node: exp.Expr) -> exp.Expr:
    kind = node.this.type
    item = kind.expressions[0] if kind is not None and kind.expressions else None
    annotator._set_type(node, item)  # noqa: SLF001
    return node


def _annotate_median(annotator: Any, node: exp.Expr) -> exp.Expr:
    found = family(node.this)
    if found in MOMENTS - {"date"} or found == "decimal":
        return _annotate_value(annotator, node)
    return _set(annotator, node, "TIMESTAMP" if found == "date" else "DOUBLE")


_VALUES = (exp.ArgMax, exp.ArgMin, exp.First, exp.Last)
_TEXTS = (
    exp.Hex,
    exp.Left,
    exp.Pad,
    exp.RegexpExtract,
    exp.RegexpReplace,
    exp.Replace,
    exp.Right,
    exp.SplitPart,
)
_LISTS = (exp.RegexpExtractAll, exp.Split)

METADATA: dict[type[exp.Expr], dict[str, Any]] = {
    **DuckDB.EXPRESSION_METADATA,
    **dict.fromkeys(_LISTS, _typed("VARCHAR[]")),
    **dict.fromkeys(_TEXTS, _typed("VARCHAR")),
    **{key: {"annotator": _annotate_value} for key in _VALUES},
    **{key: {"annotator": _annotate_item} for key in (exp.ArrayMax, exp.ArrayMin)},
    exp.Add: {"annotator": _annotate_moved},
    exp.Anonymous: {"annotator": _annotate_named},
    exp.AtTimeZone: {"annotator": _annotate_zone},
    exp.Avg: _typed("DOUBLE"),
    exp.DateAdd: {"annotator": _annotate_moved},
    exp.DateBin: {"annotator": _annotate_bucket},
    exp.Div: {"annotator": _annotate_divided},
    exp.Mul: {"annotator": _annotate_moved},
    exp.StrToTime: _typed("TIMESTAMP"),
    exp.Median: {"annotator": _annotate_median},
    exp.Sub: {"annotator": _annotate_difference},
    exp.TimestampTrunc: {
        "annotator": lambda annotator, node: _set(
            annotator, node, "TIMESTAMPTZ" if family(node.this) == "zoned" else "TIMESTAMP"
        )
    },
    exp.ToDays: _typed("INTERVAL"),
    exp.UnixToTime: {"annotator": _annotate_counted},
}
"""What sqlglot is to know of the types of DuckDB's expressions, where it knows otherwise."""
