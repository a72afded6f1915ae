"""``unique: true`` or ``unique: [[store, day]]``: no two rows have the same key.

Every row of a group of duplicates breaks it. Keys with a null in them are left aside
unless ``nulls: equal``; NaN is a value like any other. With `where`, only rows count for which
it is true; with `by`, a key may stand once in each segment. Rows of a `sample`, and rows that
are `new`, are held against all rows of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.among import write_key, write_rows
from segue.judge.compile import Screen
from segue.judge.row_check import RowCheck, read_flag, read_long
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.spec.contract import Check
    from segue.spec.types import DataType

_DENSE = 8
"""Integers count as dense if their range is at most so many times their number."""
_WIDEST = 1 << 29
"""Most bits of a set of integers: 64 MB."""


class UniqueCheck(RowCheck):
    """Rows that share their key with another break it."""

    name = "unique"
    scope = "both"
    compares = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``true`` below a column; elsewhere a list of columns, or ``{columns: […]}``.

        A contract's list of lists is one check each.
        """
        if isinstance(value, list | tuple):
            value = {"columns": value}
        if not isinstance(value, dict):
            read_flag(value, self.name)
            value = {}
        value = read_long(value, ("columns", "nulls"), "columns")
        nulls = value.get("nulls", "ignored")
        if nulls not in ("ignored", "equal"):
            raise ValueError(f"expected `nulls: equal` or `nulls: ignored`, found {nulls!r}")
        if "columns" not in value:
            return {"nulls": nulls}
        columns = value["columns"]
        listed = isinstance(columns, list | tuple) and columns
        if not listed or not all(isinstance(name, str) for name in columns):
            raise ValueError(f"expected a list of columns, found {columns!r}")
        if len(set(columns)) < len(columns):
            raise ValueError(f"a column comes twice in {', '.join(columns)}")
        return {"columns": list(columns), "nulls": nulls}

    def settle(self, check: Check, columns: Sequence[str]) -> Mapping[str, Any]:
        """Refuse a check without a key, or with two."""
        del columns
        stated = tuple(check.arguments.get("columns", check.columns))
        if not check.columns:
            raise ValueError("say of which columns: unique: [[store, day]]")
        if stated != check.columns:
            raise ValueError("a key of several columns stands beside `columns`, not below one")
        return check.arguments

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del types
        return self._write_failing(check, write_rows(check, table))

    def _write_failing(self, check: Check, rows: str) -> str:
        """Return the predicate of rows whose key stands more than once in others."""
        names = tuple(dict.fromkeys((*check.slice.by, *_names(check))))
        key, columns = _write_key(check, names), ", ".join(map(quote_identifier, names))
        return (
            f"({_whole(check)} and {key} in (select {key} from {rows} "
            f"where {_whole(check)} group by {columns} having count(*) > 1))"
        )

    def measure_part(self, check: Check, part: str, table: str) -> str:
        """Return a query that counts failing rows of a part of a table.

        It holds the part's keys, and counts how often those stand in the table, and no others.
        """
        key = _write_key(check, _names(check))
        some = f"select {key} from {quote_identifier(part)} where {_whole(check)}"
        alike = f"(select * from {write_rows(check, table)} where {key} in ({some}))"
        failing = self._write_failing(check, alike)
        return f"select count(*) from {quote_identifier(part)} where {failing}"

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return a query of its own that counts rows in groups of duplicates."""
        del types
        return (
            f"select coalesce(sum(n), 0)::bigint from (select count(*) as n "
            f"from {quote_identifier(table)} where {_whole(check)} "
            f"group by {_columns(check)} having count(*) > 1)"
        )

    def screen(self, check: Check, types: Mapping[str, DataType], table: str) -> Screen:
        """Return a cheaper test that never calls a table with duplicates unique."""
        names = _names(check)
        if len(names) == 1 and types[names[0]].is_integer and not _nulls_equal(check):
            column = quote_identifier(names[0])
            facts = (f"min({column})", f"max({column})", f"count({column})")
            return Screen(facts, lambda values: _screen_integers(column, values, table))
        key = write_key(_names(check))
        # Equal keys have equal hashes; unequal ones may, and then the rows are counted.
        query = (
            f"select count(distinct hash({key})) = count(*) "
            f"from {quote_identifier(table)} where {_whole(check)}"
        )
        return Screen((), lambda _values: query)

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        return f"{', '.join(_names(check))} unique"


def _screen_integers(column: str, values: Sequence[Any], table: str) -> str | bool:
    """Return the cheapest exact test that integers do not repeat, or what the facts tell."""
    low, high, count = values
    if count <= 1:
        return True
    width = high - low + 1
    if width < count:
        return False
    distinct = f"count(distinct {column})"
    if width <= min(_DENSE * count, _WIDEST):
        distinct = f"bit_count(bitstring_agg({column}, {low}, {high}))"
    return f"select {distinct} = {count} from {quote_identifier(table)}"


def _names(check: Check) -> tuple[str, ...]:
    return tuple(check.columns or check.arguments["columns"])


def _nulls_equal(check: Check) -> bool:
    return bool(check.arguments.get("nulls") == "equal")


def _write_key(check: Check, names: Sequence[str]) -> str:
    """Return a key as it is sought among others."""
    if len(names) == 1 and not _nulls_equal(check):
        return quote_identifier(names[0])
    return write_key(names)


def _columns(check: Check) -> str:
    return ", ".join(map(quote_identifier, _names(check)))


def _whole(check: Check) -> str:
    """Return the predicate of rows whose keys count."""
    if _nulls_equal(check):
        return "true"
    return " and ".join(f"{quote_identifier(name)} is not null" for name in _names(check))


CHECK = UniqueCheck()
