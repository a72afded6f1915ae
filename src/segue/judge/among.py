"""What the kinds have in common whose rows break them by how they stand to other rows."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from segue.judge.compile import Screen
from segue.judge.row_check import RowCheck
from segue.judge.slices import write_where
from segue.registry import nearest
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from segue.spec.contract import Check
    from segue.spec.types import DataType


TIMES = "__segue_times"


class AmongCheck(RowCheck):
    """A kind that rows break by how they stand to other rows.

    Its failing rows are told by their key: by some of their values, of which a subquery finds
    those that are wrong. Rows that are equal in them are not told apart: all of them break
    the check. So a row can be set aside without a number of its own.
    """

    compares = True

    @abstractmethod
    def key(self, check: Check, types: Mapping[str, DataType]) -> Sequence[str]:
        """Return the columns whose values tell failing rows, those of groups included."""

    @abstractmethod
    def broken(
        self, check: Check, types: Mapping[str, DataType], rows: str, times: str = "1"
    ) -> str:
        """Return the SELECT of the keys of failing rows, as `k0`, `k1`, …, and of `times_`.

        Args:
            check: The check.
            types: Types of all columns of the table.
            rows: What follows FROM: the rows that are compared with each other, or the keys
                of all of them, each once.
            times: How often a key is there, in SQL.
        """

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        names = self.key(check, types)
        wrong = self.broken(check, types, write_rows(check, table))
        return f"({write_key(names)} in (select {write_numbered(len(names))} from ({wrong})))"

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return a query of its own that counts failing rows."""
        columns = ", ".join(map(quote_identifier, self.key(check, types)))
        counted = f"select {columns}, count(*) as {TIMES} from {write_rows(check, table)}"
        wrong = self.broken(check, types, f"({counted} group by {columns})", TIMES)
        return f"select coalesce(sum(times_), 0)::bigint from ({wrong})"

    def screen(self, check: Check, types: Mapping[str, DataType], table: str) -> Screen:
        """Return a cheaper test: whether there is any key of a failing row."""
        wrong = self.broken(check, types, write_rows(check, table))
        query = f"select count(*) = 0 from ({wrong})"
        return Screen((), lambda _values: query)


def write_rows(check: Check, table: str) -> str:
    """Return what follows FROM for the rows that a check compares with each other."""
    source = quote_identifier(table)
    if not check.slice.where:
        return source
    return f"(select * from {source} where {write_where(check.slice)})"


def write_key(names: Iterable[str]) -> str:
    """Return a key as a struct: nulls inside are equal, and no two keys run together.

    Example:
        >>> print(write_key(["store", "day"]))
        {'k0': "store", 'k1': "day"}
    """
    parts = (f"'k{place}': {quote_identifier(name)}" for place, name in enumerate(names))
    return "{" + ", ".join(parts) + "}"


def write_numbered(count: int) -> str:
    """Return the key as a struct of the columns `k0`, `k1`, … that `number_columns` makes."""
    return write_key(f"k{place}" for place in range(count))


def number_columns(names: Iterable[str]) -> str:
    """Return columns for a SELECT under names that no column of the user's can hide.

    Example:
        >>> number_columns(["store", "day"])
        '"store" as k0, "day" as k1'
    """
    return ", ".join(f"{quote_identifier(name)} as k{place}" for place, name in enumerate(names))


def write_over(groups: Iterable[str], order: Iterable[str], frame: str = "") -> str:
    """Return a window: expressions of its groups, of the order inside them, and its frame.

    Example:
        >>> write_over(['"store"'], ['"day"'])
        'over (partition by "store" order by "day")'
        >>> write_over([], ['"day"'], "rows 1 preceding")
        'over (order by "day" rows 1 preceding)'
    """
    listed = ", ".join(groups)
    parts = [f"partition by {listed}" if listed else "", f"order by {', '.join(order)}", frame]
    return f"over ({' '.join(filter(None, parts))})"


def find_groups(check: Check) -> tuple[str, ...]:
    """Return the columns whose values part the rows: those of segments, and of `per`."""
    return tuple(dict.fromkeys((*check.slice.by, *check.arguments.get("per", ()))))


def require_columns(names: Iterable[str], types: Mapping[str, Any]) -> None:
    """Refuse columns that the table does not have.

    Raises:
        ValueError: One is not there; the message tells the nearest name.
    """
    for name in names:
        if name not in types:
            hint = nearest(name, list(types), noun="column")
            raise ValueError(f"there is no column {name!r}: {hint}")
