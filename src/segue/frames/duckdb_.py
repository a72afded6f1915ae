"""DuckDB's relations."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import duckdb

from segue.frames.adapter import FrameAdapter
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_NARROWED = {"HUGEINT": "BIGINT", "UHUGEINT": "UBIGINT"}
"""Sums of integers are 64 bits wide in segue; one that does not fit is an error."""


def to_relation(table: pa.Table) -> duckdb.DuckDBPyRelation:
    """Return a table as a relation of a connection of its own.

    Raises:
        ValueError: Two names differ by case only, which SQL can't tell apart.
    """
    folded: dict[str, str] = {}
    for name in table.column_names:
        if (twin := folded.setdefault(name.lower(), name)) != name:
            raise ValueError(f"columns {twin!r} and {name!r} differ by case only")
    return duckdb.connect().from_arrow(table)


def from_relation(relation: duckdb.DuckDBPyRelation) -> pa.Table:
    """Compute a relation.

    Raises:
        duckdb.Error: It can't be computed.
    """
    types = [str(type_) for type_ in relation.types]
    if any(type_ in _NARROWED for type_ in types):
        relation = relation.project(
            ", ".join(
                f"{quote_identifier(name)}::{_NARROWED[type_]} as {quote_identifier(name)}"
                if type_ in _NARROWED
                else quote_identifier(name)
                for name, type_ in zip(relation.columns, types, strict=True)
            )
        )
    return relation.to_arrow_table()


def number_parts(keys: pa.Table, parts: int) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    """Return for each row the number of the part that it belongs to, by DuckDB's hash.

    Args:
        keys: The columns that decide, at least one.
        parts: How many parts there are, fewer than 65,536.
    """
    columns = ", ".join(map(quote_identifier, keys.column_names))
    relation = _open_database().cursor().from_arrow(keys)
    numbers = relation.project(f"(hash({columns}) % {parts})::usmallint as part")
    found: np.ndarray[tuple[int], np.dtype[np.uint16]] = (
        numbers.to_arrow_table().column("part").to_numpy()
    )
    return found


@cache
def _open_database() -> duckdb.DuckDBPyConnection:
    # it takes 30 ms, and workers ask for it once per part
    return duckdb.connect(config={"threads": 1})


RELATION = FrameAdapter(
    duckdb.DuckDBPyRelation, to_relation, lambda relation, _: from_relation(relation)
)
