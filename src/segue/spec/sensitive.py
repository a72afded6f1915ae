"""Columns of a table whose values must not be shown, and which marked columns they come from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVERY = "*"
"""Stands for all columns of a table, where they can't be told apart."""
UNNAMED = "()"
"""Stands for columns that a SELECT gives no name: DuckDB names them by their expression."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Sensitive:
    """The sensitive columns of one table; case of names does not count, as in SQL.

    Attributes:
        origins: For each column, in lower case, the marked columns that it is made from:
            ``customers.email``; a column that is marked itself is its own. `EVERY` and
            `UNNAMED` stand for columns whose names are known only once the table is there;
            what stands beside them by name goes before, with nothing if it is not sensitive.

    Example:
        >>> found = Sensitive({"email": ("customers.email",)})
        >>> found.among(["id", "EMail"]), found.why("EMail")
        (('EMail',), ('customers.email',))
        >>> Sensitive({UNNAMED: ("customers.email",)}).among(["id", "upper(email)"])
        ('upper(email)',)
    """

    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether there may be any."""
        return any(self.origins.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are known by name, in lower case."""
        return tuple(n for n, found in self.origins.items() if found and n not in (EVERY, UNNAMED))

    @property
    def is_open(self) -> bool:
        """Whether there may be more than those that are known by name."""
        return EVERY in self.origins or UNNAMED in self.origins

    def among(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Return those of some columns that are sensitive, as they are written there."""
        return tuple(name for name in columns if self.why(name)) if self.origins else ()

    def why(self, column: str) -> tuple[str, ...]:
        """Return the marked columns that a column is made from; none if it is not sensitive."""
        if (told := self.origins.get(column.lower())) is not None:
            return told
        found = {*self.origins.get(EVERY, ())}
        if not is_plain(column):
            found.update(self.origins.get(UNNAMED, ()))
        return tuple(sorted(found))


NONE = Sensitive()
"""That of a table which has no sensitive column."""


def mark_columns(table: str, columns: Iterable[str]) -> Sensitive:
    """Return what is sensitive of a table by its own contract alone.

    Args:
        table: Name of the table.
        columns: Columns that it marks.
    """
    return Sensitive({name.lower(): (f"{table}.{name}",) for name in columns}) or NONE


def is_plain(column: str) -> bool:
    """Return whether a column may have got its name otherwise than from its expression."""
    return _WORD.fullmatch(column) is not None
