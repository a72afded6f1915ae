"""Columns of an arriving table, and how they grow while rows come in.

A table never refuses rows for their columns: agents could only keep them, and what comes after
would wait behind them for ever.

- A new column is added; rows that came before have null there. A column that is missing is null.
- A narrower number (int32 for int64, float32 for float64) is widened.
- Any other type under a known name becomes a column of its own, ``<column>__<type>``, and the
  column itself is null in those rows.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain, count
from typing import TYPE_CHECKING

from segue.spec.edge import GAPS_SCHEMA, PROVENANCE
from segue.spec.nearest import find_storage
from segue.spec.types import Column, DataType, TableSchema, parse_schema, parse_type

if TYPE_CHECKING:
    from collections.abc import Mapping

PROVENANCE_COLUMNS = tuple(Column(name, parse_type(text)) for name, text in PROVENANCE.items())
GAP_COLUMNS = parse_schema(GAPS_SCHEMA)
"""Columns of ``<table>__gaps``."""

_RANKS: Mapping[str, tuple[str, int]] = {
    **{f"int{bits}": ("int", bits) for bits in (8, 16, 32, 64)},
    "float32": ("float", 32),
    "float64": ("float", 64),
}
_UNFIT = re.compile(r"\W+")


def add_provenance(schema: TableSchema) -> TableSchema:
    """Return columns with those of provenance at the end."""
    own = tuple(column for column in schema if column.name not in PROVENANCE)
    return TableSchema((*own, *PROVENANCE_COLUMNS))


@lru_cache(maxsize=256)
def merge_columns(
    table: TableSchema, sent: TableSchema
) -> tuple[TableSchema, Mapping[str, str], tuple[str, ...]]:
    """Find room in a table for columns that were sent.

    Args:
        table: Columns of the table, provenance at the end.
        sent: Columns of the rows, without provenance.

    Returns:
        The table's columns, grown if need be; the table's name for each column that has values;
        and names of columns that were made because a type does not fit.

    Example:
        >>> from segue.spec.types import parse_schema
        >>> grown, names, odd = merge_columns(parse_schema("a: int64"), parse_schema("a: string"))
        >>> str(grown), names, odd
        ('a: int64, a__string: string', {'a': 'a__string'}, ('a__string',))
    """
    known = {column.name.casefold(): column for column in table}
    fresh: list[Column] = []
    names: dict[str, str] = {}
    odd: list[str] = []
    for column in sent:
        if column.type.kind == "null" and column.name.casefold() not in known:
            continue  # nothing but nulls: its type is not known yet
        name = _find_name(known, column)
        if name.casefold() not in known:
            fresh.append(Column(name, column.type))
            known[name.casefold()] = fresh[-1]
            if name != column.name:
                odd.append(name)
        names[column.name] = name
    if not fresh:
        return table, names, ()
    own = [column for column in table if column.name not in PROVENANCE]
    told = [column for column in table if column.name in PROVENANCE]
    return TableSchema((*own, *fresh, *told)), names, tuple(odd)


def _find_name(known: Mapping[str, Column], column: Column) -> str:
    """Return the column that takes the values: one that is there, or a new one."""
    held = known.get(column.name.casefold())
    if held is not None and held == column:
        return column.name
    stem = f"{column.name}__{_UNFIT.sub('_', str(column.type)).strip('_')}"
    for name in chain((column.name, stem), (f"{stem}_{number}" for number in count(2))):
        held = known.get(name.casefold())
        if held is None or (held.name == name and fits(column.type, held.type)):
            return name
    raise AssertionError  # names do not end


def fits(sent: DataType, held: DataType) -> bool:
    """Return whether each value of a type can stand in a column of another as it is."""
    if sent == held or sent.kind == "null":
        return True
    if sent.kind == "categorical":
        return fits(sent.fields[0][1], held)
    family, bits = _RANKS.get(sent.kind, ("", 0))
    other, room = _RANKS.get(held.kind, ("", 0))
    return bool(family) and family == other and bits <= room


def is_stored(type_: DataType) -> bool:
    """Return whether Delta Lake stores a type as it is."""
    return find_storage(type_) == type_
