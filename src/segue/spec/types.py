"""Column types and table schemas, as segue names them.

One notation for contracts, step schemas, plans and records, close to Arrow's::

    bool  int8 … int64  uint8 … uint64  float32  float64  string  binary
    date  time  timestamp  timestamp(ns)  timestamp(us, Europe/Rome)  duration(us)
    decimal(18,2)  list<int64>  struct<a: int64, b: string>  map<string, int64>
    categorical<string>  null
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTEGERS = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
PLAIN_KINDS = frozenset(
    (*_INTEGERS, "null", "bool", "float32", "float64", "string", "binary", "date", "time")
)
"""Kinds without arguments."""

UNITS = ("s", "ms", "us", "ns")
MAX_PRECISION = 38
"""Most digits of a decimal, in Arrow's 128 bits and in Delta Lake alike."""

_WITH_ARGUMENTS = ("decimal", "timestamp", "duration", "list", "map", "struct", "categorical")

ALIASES = {
    "boolean": "bool",
    "tinyint": "int8",
    "smallint": "int16",
    "int": "int64",
    "integer": "int64",
    "bigint": "int64",
    "long": "int64",
    "float": "float64",
    "double": "float64",
    "real": "float32",
    "str": "string",
    "text": "string",
    "varchar": "string",
    "bytes": "binary",
    "blob": "binary",
    "timestamptz": "timestamp(us, UTC)",
}
"""Other words that users write, and what they stand for."""

_WORD = re.compile(r"[^\W\d]\w*")
_TOKEN = re.compile(r"\s*(?:(?P<name>\"(?:[^\"]|\"\")+\"|[\w/+\-]+)|(?P<mark>[<>(),:*]))")


@dataclass(frozen=True, slots=True)
class DataType:
    """The type of a column.

    Attributes:
        kind: First word of the notation, such as ``int64``, ``decimal`` or ``list``.
        arguments: Numbers and words in round brackets: precision and scale, unit, time zone.
        fields: Names and types in angle brackets; list items are named ``item``, map parts
            ``key`` and ``value``.

    Example:
        >>> str(parse_type("list<decimal(18, 2)>"))
        'list<decimal(18,2)>'
    """

    kind: str
    arguments: tuple[int | str, ...] = ()
    fields: tuple[tuple[str, DataType], ...] = ()

    def __str__(self) -> str:
        """Return the notation that `parse_type` reads."""
        if self.kind in ("list", "map", "categorical"):
            return f"{self.kind}<{', '.join(str(type_) for _, type_ in self.fields)}>"
        if self.kind == "struct":
            inner = ", ".join(f"{quote_name(name)}: {type_}" for name, type_ in self.fields)
            return f"struct<{inner}>"
        if self.kind == "timestamp" and self.arguments == ("us",):
            return "timestamp"
        if self.kind == "decimal":
            return "decimal({},{})".format(*self.arguments)
        if self.arguments:
            return f"{self.kind}({', '.join(map(str, self.arguments))})"
        return self.kind

    @property
    def is_integer(self) -> bool:
        """Whether the type is a signed or unsigned integer."""
        return self.kind.lstrip("u").startswith("int")

    @property
    def is_float(self) -> bool:
        """Whether the type has NaN."""
        return self.kind.startswith("float")


@dataclass(frozen=True, slots=True)
class Column:
    """A named column of a table."""

    name: str
    type: DataType

    def __str__(self) -> str:
        """Return ``name: type``."""
        return f"{quote_name(self.name)}: {self.type}"


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The columns of a table, in order.

    Example:
        >>> schema = parse_schema("store: string, amount: decimal(18,2)")
        >>> schema.names
        ('store', 'amount')
        >>> str(schema)
        'store: string, amount: decimal(18,2)'
    """

    columns: tuple[Column, ...]

    def __str__(self) -> str:
        """Return the schema expression that `parse_schema` reads."""
        return ", ".join(map(str, self.columns))

    def __iter__(self) -> Iterator[Column]:
        """Go through the columns."""
        return iter(self.columns)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def find(self, name: str) -> Column | None:
        """Return the column called `name`, letter for letter, or None."""
        return next((column for column in self.columns if column.name == name), None)


def quote_name(name: str) -> str:
    """Return `name` as a schema expression writes it: in double quotes unless it is a word."""
    return name if _WORD.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def parse_type(text: str) -> DataType:
    """Read a type's notation.

    Args:
        text: Such as ``int64``, ``decimal(18,2)``, ``list<string>``; SQL's usual words
            (``bigint``, ``double``, ``text``) are understood too.

    Raises:
        ValueError: The text is not a type; the message says what was expected.
    """
    reader = _Reader(text)
    type_ = reader.read_type()
    reader.end()
    return type_


def parse_schema(text: str, inputs: TableSchema | None = None) -> TableSchema:
    """Read a schema expression.

    Args:
        text: ``name: type`` pairs with commas; ``*`` stands for the input's columns.
        inputs: What ``*`` stands for.

    Raises:
        ValueError: The text can't be read, a name comes twice, or ``*`` has nothing to stand for.
    """
    reader = _Reader(text)
    columns: list[Column] = []
    while not reader.done():
        if reader.take("*"):
            if inputs is None:
                raise ValueError("'*' stands for the input's columns, and there is no input here")
            columns.extend(inputs.columns)
        else:
            name = reader.name("a column name")
            reader.expect(":")
            columns.append(Column(name, reader.read_type()))
        if not reader.done():
            reader.expect(",")
    names = [column.name for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"column {twice!r} comes twice")
    return TableSchema(tuple(columns))


class _Reader:
    """Reads the tokens of a type or schema, left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise ValueError(f"unexpected {text[position:].strip()[0]!r} in {text!r}")
            self.tokens.append(match["name"] or match["mark"])
            position = match.end()

    def done(self) -> bool:
        return not self.tokens

    def end(self) -> None:
        if self.tokens:
            raise ValueError(f"unexpected {self.tokens[0]!r} in {self.text!r}")

    def take(self, mark: str) -> bool:
        if self.tokens and self.tokens[0] == mark:
            self.tokens.pop(0)
            return True
        return False

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            found = repr(self.tokens[0]) if self.tokens else "the end"
            raise ValueError(f"expected {mark!r}, found {found} in {self.text!r}")

    def name(self, what: str) -> str:
        if not self.tokens or self.tokens[0] in "<>(),:*":
            found = repr(self.tokens[0]) if self.tokens else "the end"
            raise ValueError(f"expected {what}, found {found} in {self.text!r}")
        token = self.tokens.pop(0)
        return token[1:-1].replace('""', '"') if token.startswith('"') else token

    def read_type(self) -> DataType:
        word = self.name("a type")
        kind = word.lower()
        if kind in ALIASES:
            return parse_type(ALIASES[kind])
        if kind in PLAIN_KINDS:
            return DataType(kind)
        if kind in ("list", "map", "categorical", "struct"):
            return self._nested(kind)
        if kind in ("decimal", "numeric"):
            return self._decimal()
        if kind in ("timestamp", "duration"):
            return self._timed(kind)
        raise ValueError(f"unknown type {word!r}{_suggest(kind)}")

    def _nested(self, kind: str) -> DataType:
        self.expect("<")
        fields: list[tuple[str, DataType]] = []
        if kind == "struct":
            while not self.take(">"):
                name = self.name("a field name")
                self.expect(":")
                fields.append((name, self.read_type()))
                self.take(",")
            return DataType(kind, (), tuple(fields))
        labels = ("key", "value") if kind == "map" else ("item",)
        for position, label in enumerate(labels):
            if position:
                self.expect(",")
            fields.append((label, self.read_type()))
        self.expect(">")
        return DataType(kind, (), tuple(fields))

    def _decimal(self) -> DataType:
        self.expect("(")
        precision = int(self.name("a precision"))
        scale = int(self.name("a scale")) if self.take(",") else 0
        self.expect(")")
        if not (1 <= precision <= MAX_PRECISION and 0 <= scale <= precision):
            raise ValueError(f"decimal({precision},{scale}) is out of range")
        return DataType("decimal", (precision, scale))

    def _timed(self, kind: str) -> DataType:
        if not self.take("("):
            return DataType(kind, ("us",))
        unit = self.name("a unit")
        if unit not in UNITS:
            raise ValueError(f"unknown unit {unit!r}: one of {', '.join(UNITS)}")
        zone: tuple[str, ...] = ()
        if kind == "timestamp" and self.take(","):
            # offsets such as +01:00 hold a mark of ours
            zone = (
                self.name("a time zone") + (":" + self.name("minutes") if self.take(":") else ""),
            )
        self.expect(")")
        return DataType(kind, (unit, *zone))


def _suggest(kind: str) -> str:
    """Return a question that names what a misspelled type may have meant."""
    import difflib

    known = sorted((*PLAIN_KINDS, *ALIASES, *_WITH_ARGUMENTS))
    near = difflib.get_close_matches(kind, known, n=1)
    return f": did you mean {near[0]!r}?" if near else ""
