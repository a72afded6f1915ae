"""How rows are brought together for the calls of a function.

Several inputs that are grouped together travel as one *tagged* stream, so that one
shuffle and one sort serve them all. Its columns are, in this order:

- ``segue: key 0``, ``segue: key 1``, ...: the keys, cast to a type that all inputs share;
- ``segue: input``: int32, the number of the input that the row belongs to;
- ``segue: row 0``, ``segue: row 1``, ...: for each input a struct of its columns, null in the
  rows of the others.

Rows are ordered by keys, then by input, then by the sort columns that the input has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.types import Column, TableSchema

INPUT = "segue: input"
"""Name of the tagged stream's column that tells the input."""


def key_name(number: int) -> str:
    """Return the name of a tagged stream's key column."""
    return f"segue: key {number}"


def row_name(number: int) -> str:
    """Return the name of a tagged stream's column that holds the rows of an input."""
    return f"segue: row {number}"


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows are brought together for the calls of a function.

    Attributes:
        by: Key columns, in the types that all inputs share; the rows of a key go to one part,
            null is a key like any other, and NaN equals NaN. Without keys all rows are one
            part, which is there even without rows, unless `parts` or `part_rows` say otherwise.
        sort: Columns that order the rows of a group or part, ``-name`` for descending; nulls
            last either way, NaN above all numbers.
        loose: Whether rows may be split as the engine holds them, wherever that is: what is done
            to one row does not depend on others. Then there are no keys, and the other hints
            need not be heeded.
        parts: In how many parts rows are split; None for the engine's choice.
        part_rows: Rows of a part, at most; only without keys.
        even: Whether parts are to have about the same number of rows; only without keys.
    """

    by: tuple[Column, ...] = ()
    sort: tuple[str, ...] = ()
    loose: bool = False
    parts: int | None = None
    part_rows: int | None = None
    even: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the key columns."""
        return tuple(column.name for column in self.by)

    @property
    def whole(self) -> bool:
        """Whether all rows are one part."""
        return not self.by and not self.loose and self.parts in (None, 1) and self.part_rows is None

    def order_of(self, schema: TableSchema) -> tuple[str, ...]:
        """Return the sort terms that an input has the columns for."""
        return tuple(term for term in self.sort if schema.find(term.removeprefix("-")))


def order_terms(sort: Sequence[str], prefix: str = "") -> list[str]:
    """Return sort terms as SQL writes them.

    Example:
        >>> order_terms(["day", "-amount"])
        ['"day" asc nulls last', '"amount" desc nulls last']
    """
    return [
        f"{prefix}{quote(term.removeprefix('-'))} {'desc' if term.startswith('-') else 'asc'}"
        " nulls last"
        for term in sort
    ]
