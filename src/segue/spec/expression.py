"""Schema expressions: the columns of a result, told by those of an input."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from segue.spec.types import Column, DataType, TableSchema, TypeReader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


class Act(StrEnum):
    """What a term does, by the sign that it is written with."""

    ALL = "*"
    ADD = ","
    SET = "+"
    DROP = "-"
    DROP_ANY = "~"


@dataclass(frozen=True, slots=True)
class Term:
    """One term of an expression.

    Attributes:
        act: What it does.
        name: Column; empty for all.
        type: Its type, where one is told.
    """

    act: Act
    name: str = ""
    type: DataType | None = None


@dataclass(frozen=True, slots=True)
class SchemaExpression:
    """A schema expression that was read.

    Attributes:
        terms: Its terms, which work one after the other.
    """

    terms: tuple[Term, ...]

    def apply(self, inputs: TableSchema | None) -> TableSchema:
        """Return the columns that it tells.

        Args:
            inputs: What ``*`` stands for.

        Raises:
            ValueError: A name comes twice or is not there, or ``*`` has nothing to stand for.
        """
        columns: dict[str, DataType] = {}
        for term in self.terms:
            if term.act is Act.ALL:
                if inputs is None:
                    raise ValueError(
                        "'*' stands for the input's columns, and there is no input here"
                    )
                for column in inputs:
                    _add(columns, column.name, column.type, starred=False)
            elif term.act is Act.DROP and term.name not in columns:
                near = _suggest(term.name, columns)
                raise ValueError(f"there is no column {term.name!r} to leave out{near}")
            elif term.type is None:
                columns.pop(term.name, None)
            elif term.act is Act.SET:
                columns[term.name] = term.type
            else:
                _add(columns, term.name, term.type, starred=self._starred)
        return TableSchema(tuple(Column(name, type_) for name, type_ in columns.items()))

    @property
    def _starred(self) -> bool:
        return any(term.act is Act.ALL for term in self.terms)


def _add(columns: dict[str, DataType], name: str, type_: DataType, *, starred: bool) -> None:
    if name in columns:
        told = Column(name, type_)
        way = f": write '*+{told}' to give it another type" if starred else ""
        raise ValueError(f"column {name!r} comes twice{way}")
    columns[name] = type_


def _suggest(name: str, known: Collection[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f": did you mean {near[0]!r}?"
    return f": there are {', '.join(map(repr, known))}" if known else ""


def read_expression(text: str) -> SchemaExpression:
    """Read a schema expression.

    Args:
        text: Terms with commas: ``name: type`` adds a column and ``*`` all of the input's. After
            that ``-name`` leaves one out, which must be there, ``~name`` one that need not, and
            ``+name: type`` sets one: it gives it another type where it is, or adds it.

    Raises:
        ValueError: The text can't be read; the message says what was expected.

    Example:
        >>> from segue.spec.types import parse_schema
        >>> given = parse_schema("a: int64, b: string, c: bool")
        >>> for text in ("*, n: int64", "*-a-b", "*-a,b", "*+b: int64+d: [str]"):
        ...     print(read_expression(text).apply(given))
        a: int64, b: string, c: bool, n: int64
        c: bool
        c: bool
        a: int64, b: int64, c: bool, d: list<string>
    """
    reader = TypeReader(text)
    terms: list[Term] = []
    while not reader.done():
        terms += _read_terms(reader, starred=any(term.act is Act.ALL for term in terms))
        if not reader.done() and reader.next() not in _SIGNS:
            reader.expect(",")
    return SchemaExpression(tuple(terms))


_SIGNS = (Act.SET.value, Act.DROP.value, Act.DROP_ANY.value)


def _read_terms(reader: TypeReader, *, starred: bool) -> Iterator[Term]:
    """Read a term, or several names with one sign."""
    sign = next((sign for sign in _SIGNS if reader.next() == sign), None)
    if reader.take(Act.ALL.value):
        yield Term(Act.ALL)
    elif sign in (Act.DROP, Act.DROP_ANY) and starred:
        reader.expect(sign)
        yield Term(Act(sign), reader.name("a column name"))
        while reader.next() == "," and _is_bare_name(reader):
            reader.expect(",")
            yield Term(Act(sign), reader.name("a column name"))
    else:
        act = Act.SET if starred and reader.take(Act.SET.value) else Act.ADD
        name = reader.name("a column name")
        reader.expect(":", "; a name that is no word is written in double quotes")
        yield Term(act, name, reader.read_type())


def _is_bare_name(reader: TypeReader) -> bool:
    """Return whether a name without a type follows the comma."""
    name, after = reader.next(1), reader.next(2)
    return bool(name) and name not in reader.MARKS and after != ":"
