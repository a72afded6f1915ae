"""One row as Python's own values, for which Arrow need not be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

_PLAIN = frozenset(
    {
        "bigint", "boolean", "decimal", "double", "float", "integer", "smallint", "tinyint",
        "ubigint", "uinteger", "usmallint", "utinyint", "varchar",
    }
)  # fmt: skip
"""Types whose values are the same by way of Arrow."""


def read_row(relation: duckdb.DuckDBPyRelation) -> tuple[Any, ...] | None:
    """Return the first row of a relation, None if a value is not plain."""
    if not all(type_.id in _PLAIN for type_ in relation.types):
        return None
    row: tuple[Any, ...] = relation.fetchall()[0]
    return row
