"""``references: stores.id``: values are found in a column of another table.

Beside `columns`, several columns refer to as many of the other table:
``references: {table: stores, columns: {store: id, region: region}}``. Null passes, and so do
several columns with a null among them; how often the other table has the value does not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from segue.spec.contract import Check
    from segue.spec.types import DataType

_PARTS = 2


class ReferencesCheck(RowCheck):
    """Rows whose value the other table does not have break it."""

    name = "references"
    scope = "both"

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``table.column``, ``{table: …, column: …}`` or ``{to: table.column}``.

        Beside the columns: ``{table: …, columns: {here: there, …}}``.
        """
        if isinstance(value, dict) and set(value) == {"to"}:
            value = value["to"]
        if isinstance(value, str):
            parts = value.split(".")
            if len(parts) != _PARTS or not all(parts):
                raise ValueError(
                    f"expected table.column, found {value!r}; "
                    "write {table: …, column: …} if a name holds a dot"
                )
            return {"table": parts[0], "column": parts[1]}
        if isinstance(value, dict) and set(value) == {"table", "columns"}:
            pairs = value["columns"]
            if not isinstance(pairs, dict) or not pairs or not _are_texts(pairs.values()):
                raise ValueError(f"expected {{column here: column there}}, found {pairs!r}")
            read = {"columns": [*pairs], "targets": [*pairs.values()]}
        elif isinstance(value, dict) and set(value) == {"table", "column"}:
            read = {"column": value["column"]}
        else:
            raise ValueError(f"expected table.column, found {value!r}")
        if not _are_texts((value["table"], value.get("column", "."))):
            raise ValueError("expected the table and the column as texts")
        return {"table": value["table"], **read}

    def settle(self, check: Check, columns: Sequence[str]) -> Mapping[str, Any]:
        """Refuse what stands in the wrong place."""
        del columns
        if not check.columns:
            raise ValueError("write it below a column, or {table: …, columns: {here: there}}")
        if tuple(check.arguments.get("columns", check.columns)) != check.columns:
            raise ValueError("a reference of several columns stands beside `columns`")
        return check.arguments

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del types, table
        # `not in` hides rows where a null is about: none is, on either side
        here = [quote_identifier(name) for name in check.columns]
        there = [f"parent_.{quote_identifier(name)}" for name in _targets(check)]
        key, found = ", ".join(here), ", ".join(there)
        return (
            f"({_without_nulls(here)} and {f'({key})' if here[1:] else key} not in "
            f"(select {found} from {quote_identifier(check.arguments['table'])} as parent_ "
            f"where {_without_nulls(there)}))"
        )

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return a query of its own: the other table's keys are held while it runs."""
        return (
            f"select count(*) from {quote_identifier(table)} "
            f"where {self.failing(check, types, table)}"
        )

    def probe(self, check: Check) -> str:
        """Return a query of the other table alone, which tells plainly what it lacks."""
        there = ", ".join(map(quote_identifier, _targets(check)))
        return f"select {there} from {quote_identifier(check.arguments['table'])}"

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        there = ", ".join(f"{check.arguments['table']}.{name}" for name in _targets(check))
        return f"{', '.join(check.columns)} references {there}"


def _targets(check: Check) -> tuple[str, ...]:
    """Return the columns of the other table."""
    return tuple(check.arguments.get("targets") or (check.arguments["column"],))


def _without_nulls(columns: Sequence[str]) -> str:
    return " and ".join(f"{column} is not null" for column in columns)


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(each, str) and each for each in values)


CHECK = ReferencesCheck()
