"""The compact notation of cases: schemas such as ``"k:f64,`a b`:list<i32>"``, and their values.

Types are ``i32 i64 f64 str bool date ts bytes list<..> struct<..> map<..>`` and every other type
in segue's own notation. Values are what YAML reads: ``null``, ``.nan``, ``.inf``; dates and times
are ISO text, bytes ``hex:00ff``, maps and structs mappings.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.frames.arrow_types import to_arrow
from segue.spec.types import Column, DataType, TableSchema, parse_type, quote_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SHORT = {
    **{f"i{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"u{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "f32": "float32",
    "f64": "float64",
    "ts": "timestamp",
    "datetime": "timestamp",
}
_PAIRS = {"<": ">", "(": ")", "`": "`", '"': '"'}
_QUOTED = re.compile(r"`((?:[^`]|``)*)`|\"((?:[^\"]|\"\")*)\"")
_WORD = re.compile(r"\w+")


def split_terms(text: str, mark: str = ",") -> list[str]:
    """Return the parts of a text between marks that stand outside of brackets and quotes.

    Example:
        >>> split_terms("k:i64,`a,b`:map<str,i32>")
        ['k:i64', '`a,b`:map<str,i32>']
    """
    parts = [""]
    open_: list[str] = []
    for letter in text:
        if open_ and letter == open_[-1]:
            open_.pop()
        elif letter in _PAIRS and (not open_ or open_[-1] not in '`"'):
            open_.append(_PAIRS[letter])
        if letter == mark and not open_:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def read_name(text: str) -> str:
    """Return a name without the back quotes or double quotes around it."""
    quoted = _QUOTED.fullmatch(text.strip())
    if quoted is None:
        return text.strip()
    back, double = quoted.groups()
    return double.replace('""', '"') if back is None else back.replace("``", "`")


def read_type(text: str) -> DataType:
    """Return a type.

    Raises:
        ValueError: The text is not one.

    Example:
        >>> str(read_type("struct<`a b`:list<i32>>"))
        'struct<"a b": list<int32>>'
    """
    head, bracket, rest = text.strip().partition("<")
    if not bracket:
        return parse_type(_WORD.sub(lambda word: SHORT.get(word[0], word[0]), head, count=1))
    if not rest.endswith(">"):
        raise ValueError(f"a bracket is not closed in {text!r}")
    terms = split_terms(rest[:-1])
    if head == "struct":
        return DataType("struct", (), tuple(_read_pair(term) for term in terms))
    labels = {"list": ("item",), "map": ("key", "value"), "categorical": ("item",)}.get(head)
    if labels is None or len(labels) != len(terms):
        raise ValueError(f"{text!r} is no type")
    return DataType(head, (), tuple(zip(labels, map(read_type, terms), strict=True)))


def _read_pair(text: str) -> tuple[str, DataType]:
    name, *types = split_terms(text, ":")
    if not types:
        raise ValueError(f"a type is missing in {text!r}")
    # a zone such as +01:00 is in brackets, so there is one colon only
    return read_name(name), read_type(":".join(types))


def read_schema(text: str) -> TableSchema:
    """Return the columns that a schema in compact notation lists.

    Example:
        >>> str(read_schema("k:f64, `a b`:list<i32>"))
        'k: float64, "a b": list<int32>'
    """
    return TableSchema(tuple(Column(*_read_pair(term)) for term in split_terms(text)))


def spell_schema(text: str) -> str:
    """Return a compact schema as an expression of segue, stars and all.

    Example:
        >>> spell_schema("*,`a b`:i32")
        '*, "a b": int32'
    """

    def spell(term: str) -> str:
        if len(split_terms(term, ":")) == 1:
            return term.replace("`", '"')
        name, type_ = _read_pair(term)
        return f"{quote_name(name)}: {type_}"

    return ", ".join(spell(term) for term in split_terms(text))


def make_table(text: str, rows: Sequence[Any]) -> pa.Table:
    r"""Return a table of a compact schema and its rows.

    Args:
        text: The schema.
        rows: Lists of values in the schema's order, or mappings by name.

    Example:
        >>> make_table("b:bytes,d:date", [["hex:00ff", "2020-01-31"]]).to_pylist()
        [{'b': b'\x00\xff', 'd': datetime.date(2020, 1, 31)}]
    """
    schema = read_schema(text)
    lists = [list(_in_order(row, schema)) for row in rows]
    arrow = to_arrow(schema)
    arrays = [
        _make_array([row[position] for row in lists], column.type, arrow.field(position).type)
        for position, column in enumerate(schema)
    ]
    return pa.Table.from_arrays(arrays, schema=arrow)


def _in_order(row: Any, schema: TableSchema) -> Iterator[Any]:
    if isinstance(row, dict):
        return (row[name] for name in schema.names)
    if not isinstance(row, list | tuple):
        row = [row]
    if len(row) != len(schema):
        raise ValueError(f"{row!r} has not the {len(schema)} values of {schema}")
    return iter(row)


def _make_array(values: list[Any], type_: DataType, arrow: pa.DataType) -> pa.Array:
    read = [read_value(value, type_) for value in values]
    if type_.kind == "categorical":
        return pa.array(read, arrow.value_type).dictionary_encode().cast(arrow)
    return pa.array(read, arrow)


def read_value(value: Any, type_: DataType) -> Any:
    """Return a value of a case as Python's object for its type.

    Raises:
        ValueError: It is no value of this type.
    """
    if value is None or type_.kind == "null":
        return None
    if type_.kind == "list":
        return [read_value(item, type_.fields[0][1]) for item in value]
    if type_.kind == "struct":
        return _read_struct(value, type_)
    if type_.kind == "map":
        pairs = value.items() if isinstance(value, dict) else value
        (_, key), (_, item) = type_.fields
        return [(read_value(k, key), read_value(v, item)) for k, v in pairs]
    if type_.kind == "categorical":
        return read_value(value, type_.fields[0][1])
    kind = "int" if type_.is_integer else "float" if type_.is_float else type_.kind
    try:
        return _READERS[kind](value)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"{value!r} is no {type_}") from error


def _read_struct(value: Any, type_: DataType) -> dict[str, Any]:
    named = value
    if not isinstance(value, dict):
        named = dict(zip((name for name, _ in type_.fields), value, strict=True))
    return {name: read_value(named.get(name), inner) for name, inner in type_.fields}


def _read_integer(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError("it has a fraction")
    return int(value)


def _read_float(value: Any) -> float:
    text = value.replace(".inf", "inf").replace(".nan", "nan") if isinstance(value, str) else value
    number = float(text)
    return math.nan if math.isnan(number) else number  # YAML's has a sign on some machines


def _read_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _read_text(value: Any) -> str:
    if isinstance(value, bool):
        raise TypeError("write it in quotes")
    return str(value)


def _read_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return bytes.fromhex(value[4:]) if value.startswith("hex:") else value.encode()


def _read_date(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        raise TypeError("it has a time of day")
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)


def _read_timestamp(value: Any) -> dt.datetime:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time())
    stamp = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return stamp if stamp.tzinfo is None else stamp.astimezone(dt.UTC).replace(tzinfo=None)


def _read_time(value: Any) -> dt.time:
    return value if isinstance(value, dt.time) else dt.time.fromisoformat(value)


def _read_duration(value: Any) -> dt.timedelta:
    """Return a duration that is given in seconds."""
    return value if isinstance(value, dt.timedelta) else dt.timedelta(seconds=value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "int": _read_integer,
    "float": _read_float,
    "bool": _read_bool,
    "string": _read_text,
    "binary": _read_bytes,
    "date": _read_date,
    "timestamp": _read_timestamp,
    "time": _read_time,
    "duration": _read_duration,
    "decimal": lambda value: Decimal(str(value)),
}
