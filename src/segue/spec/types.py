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
    "byte": "int8",
    "short": "int16",
    "smallint": "int16",
    "int": "int64",
    "integer": "int64",
    "bigint": "int64",
    "long": "int64",
    "uint": "uint64",
    "ulong": "uint64",
    "float": "float64",
    "double": "float64",
    "real": "float32",
    "str": "string",
    "text": "string",
    "varchar": "string",
    "bytes": "binary",
    "blob": "binary",
    "datetime": "timestamp(us)",
    "timestamptz": "timestamp(us, UTC)",
}
"""Other words that users write, and what they stand for."""

_BRACKETS = {"[": ("list", "]"), "{": ("struct", "}"), "<": ("map", ">")}
"""Nested types that are written with brackets alone, and their ends."""

_WORD = re.compile(r"[^\W\d]\w*")
_MARKS = "<>(),:*[]{}+-~/"
_TOKEN = re.compile(
    r"\s*(?:(?P<name>\"(?:[^\"]|\"\")+\"|`(?:[^`]|``)+`|\w+)|(?P<mark>[<>(),:*\[\]{}+\-~/]))"
)


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
            (``bigint``, ``double``, ``text``) are understood too, and ``[int]`` for a list,
            ``{a: int}`` for a struct, ``<str, int>`` for a map.

    Raises:
        ValueError: The text is not a type; the message says what was expected.
    """
    reader = TypeReader(text)
    type_ = reader.read_type()
    reader.end()
    return type_


def parse_schema(text: str, inputs: TableSchema | None = None) -> TableSchema:
    """Read a schema expression.

    Args:
        text: ``name: type`` pairs with commas; ``*`` stands for the input's columns, of which
            ``-name`` leaves one out and ``+name: type`` changes one.
        inputs: What ``*`` stands for.

    Raises:
        ValueError: The text can't be read, a name comes twice or is not there, or ``*`` has
            nothing to stand for.
    """
    from segue.spec.expression import read_expression

    return read_expression(text).apply(inputs)


class TypeReader:
    """Reads the tokens of a type or schema, left to right.

    Args:
        text: All of it, which errors show.
    """

    MARKS = frozenset(_MARKS)

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
        """Return whether nothing is left."""
        return not self.tokens

    def next(self, ahead: int = 0) -> str:
        """Return a token that is to come; empty after the end."""
        return self.tokens[ahead] if ahead < len(self.tokens) else ""

    def end(self) -> None:
        """Raise ValueError if something is left."""
        if self.tokens:
            raise ValueError(f"unexpected {self.tokens[0]!r} in {self.text!r}")

    def take(self, mark: str) -> bool:
        """Pass over a mark; False if another token comes."""
        if self.tokens and self.tokens[0] == mark:
            self.tokens.pop(0)
            return True
        return False

    def expect(self, mark: str, hint: str = "") -> None:
        """Pass over a mark that must come, or raise ValueError."""
        if not self.take(mark):
            found = repr(self.tokens[0]) if self.tokens else "the end"
            raise ValueError(f"expected {mark!r}, found {found} in {self.text!r}{hint}")

    def name(self, what: str) -> str:
        """Return a name, without its quotes, or raise ValueError."""
        if not self.tokens or self.tokens[0] in self.MARKS:
            found = repr(self.tokens[0]) if self.tokens else "the end"
            raise ValueError(f"expected {what}, found {found} in {self.text!r}")
        token = self.tokens.pop(0)
        quote = token[0] if token[0] in '"`' else ""
        return token[1:-1].replace(quote * 2, quote) if quote else token

    def read_type(self) -> DataType:
        """Return a type, or raise ValueError."""
        if self.next() in _BRACKETS:
            return self._bracketed()
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

    def _bracketed(self) -> DataType:
        """Return a nested type that is written with brackets alone."""
        kind, end = _BRACKETS[self.next()]
        self.expect(self.next())
        if kind == "struct":
            return DataType(kind, (), self._fields(end))
        return DataType(kind, (), self._parts(kind, end))

    def _nested(self, kind: str) -> DataType:
        self.expect("<")
        if kind == "struct":
            return DataType(kind, (), self._fields(">"))
        return DataType(kind, (), self._parts(kind, ">"))

    def _fields(self, end: str) -> tuple[tuple[str, DataType], ...]:
        fields: list[tuple[str, DataType]] = []
        while not self.take(end):
            name = self.name("a field name")
            self.expect(":")
            fields.append((name, self.read_type()))
            self.take(",")
        return tuple(fields)

    def _parts(self, kind: str, end: str) -> tuple[tuple[str, DataType], ...]:
        fields: list[tuple[str, DataType]] = []
        for position, label in enumerate(("key", "value") if kind == "map" else ("item",)):
            if position:
                self.expect(",")
            fields.append((label, self.read_type()))
        self.expect(end)
        return tuple(fields)

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
        zone = ""
        if kind == "timestamp" and self.take(","):
            # names and offsets of zones hold marks of ours
            while self.tokens and self.tokens[0] != ")":
                zone += self.tokens.pop(0)
            zone = zone.strip('"') or self.name("a time zone")
        self.expect(")")
        return DataType(kind, (unit, zone) if zone else (unit,))


def _suggest(kind: str) -> str:
    """Return a question that names what a misspelled type may have meant."""
    import difflib

    known = sorted((*PLAIN_KINDS, *ALIASES, *_WITH_ARGUMENTS))
    near = difflib.get_close_matches(kind, known, n=1)
    return f": did you mean {near[0]!r}?" if near else ""
