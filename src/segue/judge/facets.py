"""Properties that rows can share: values of columns, days, and the file that they came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.spec.printable import printable
from segue.spec.scan import Located
from segue.spec.sql import quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from segue.spec.contract import Check
    from segue.spec.types import Column, TableSchema

COLUMNS = 16
"""Columns that are looked at, besides those that checks speak of."""
_RANKS = {"bool": 0, "categorical": 0, "string": 1, "date": 2, "timestamp": 2}
_INTEGERS = 3
_OWN = ("float32", "float64", "decimal", "time")
"""Kinds of columns that hold measures: they are looked at only where a check speaks of them."""


@dataclass(frozen=True, slots=True)
class Facet:
    """A property that rows can share.

    Attributes:
        name: Name of the column.
        text: SQL of its value as text; null where the row has none.
        said: How a statement begins that a row has a value.
        quoted: Whether a value is shown in quotes.
        measure: Whether it is a number with decimals or a time, whose text not every engine
            writes in the same way.
        shown: How values are shown, where not as they are.
        equals: SQL that a row has a value, where ``{}`` stands for it: cheaper than by its text.
    """

    name: str
    text: str
    said: str
    quoted: bool = False
    measure: bool = False
    shown: Mapping[str, str] = field(default_factory=dict)
    equals: str = ""

    @property
    def key(self) -> str:
        """SQL of a text that is never null, not even where the row has no value."""
        return f"case when {self.text} is null then '-' else '+' || {self.text} end"

    def has(self, value: str | None) -> str:
        """Return the predicate of the rows that have a value."""
        if value is None:
            return f"{self.text} is null"
        if self.equals:
            return self.equals.format(value)
        return f"{self.text} = {quote_text(value)}"

    def say(self, value: str | None) -> str:
        """Return the statement that a row has a value."""
        if value is None:
            return f"{self.said}null"
        text = printable(self.shown.get(value, value))
        return f"{self.said}'{text}'" if self.quoted else f"{self.said}{text}"


def find_facets(
    checks: Collection[Check],
    schema: TableSchema,
    sensitive: Collection[str],
    files: Mapping[str, str],
) -> list[Facet]:
    """Return the properties to look at: columns of the checks, then those that part rows well.

    Args:
        checks: The checks.
        schema: Columns of the table.
        sensitive: Columns whose values stay untold.
        files: How the table's files are shown, where rows tell theirs.
    """
    hidden = {
        *sensitive,
        *(name for check in checks if check.sensitive for name in check.columns),
    }
    spoken = {name for check in checks for name in check.columns}
    open_to = [column for column in schema if column.name not in hidden]
    own = [column for column in open_to if column.name in spoken and _rank(column, own=True)]
    others = [column for column in open_to if column.name not in spoken and _rank(column)]
    others.sort(key=_rank)
    facets = [_make_facet(column) for column in (*own, *others[:COLUMNS])]
    if len(files) > 1:
        facets.append(Facet(Located.FILE, Located.FILE, "came in the file ", shown=files))
    return facets


def _rank(column: Column, *, own: bool = False) -> int:
    """Return how late a column is looked at, from 1; 0 for never."""
    kind = column.type.kind
    if column.type.is_integer or (own and kind in _OWN):
        return _INTEGERS + 1
    return _RANKS.get(kind, -1) + 1


def _make_facet(column: Column) -> Facet:
    kind, name, said = column.type.kind, quote_identifier(column.name), f"have {column.name} = "
    braced = name.replace("{", "{{").replace("}", "}}")
    if kind == "string":
        return Facet(column.name, name, said, quoted=True)
    if kind == "timestamp":
        return Facet(column.name, f"{name}::date::varchar", f"have day of {column.name} = ")
    equals = f"{braced} = {{}}" if column.type.is_integer else ""
    equals = {"bool": f"{braced} = {{}}", "date": f"{braced} = date '{{}}'"}.get(kind, equals)
    text = f"{name}::varchar"
    return Facet(column.name, text, said, kind == "categorical", kind in _OWN, equals=equals)


def read_key(key: str) -> str | None:
    """Return the value that a facet's key stands for."""
    return key[1:] if key.startswith("+") else None
