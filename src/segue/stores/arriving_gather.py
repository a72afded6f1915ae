"""Rows of batches brought together: files that nodes wrote, and rows for one file of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from segue.frames.arrow_types import to_arrow
from segue.spec.nearest import find_storages
from segue.spec.types import TableSchema
from segue.stores.arriving_files import (
    MOST_DECODED,
    PayloadError,
    Rows,
    arrange,
    can_link,
    make_provenance,
    open_payload,
)
from segue.stores.arriving_schema import add_provenance, merge_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.arriving import Batch

_EMPTY = TableSchema(())
MOST_COLUMNS = 2_000
"""Columns to which rows may let a table grow: each costs every commit of it time."""


class Gathering:
    """Rows for one commit.

    Args:
        schema: Columns of the table; None if there is none yet.

    Attributes:
        schema: Columns of the table with these rows.
        links: Batches whose payload becomes a file as it is.
        odd: Columns that were made because a type does not fit.
    """

    def __init__(self, schema: TableSchema | None) -> None:
        self.schema = schema or add_provenance(_EMPTY)
        self.links: list[Rows] = []
        self.odd: list[str] = []
        self._own: list[tuple[Batch, pa.Table]] = []
        self._whole: list[pa.Table] = []
        self._room = MOST_DECODED

    def take(self, batch: Batch) -> None:
        """Add the rows of a batch.

        Raises:
            PayloadError: They can't be read or stored; nothing was added.
            CrowdedError: They have no room beside the others; nothing was added.
        """
        rows = open_payload(batch, self._room)
        try:
            schema, names, odd = merge_columns(self.schema, rows.schema)
        except ValueError as error:
            raise PayloadError(str(error)) from error
        if len(schema) > max(MOST_COLUMNS, len(self.schema)):
            raise PayloadError(
                f"the table would have {len(schema):,} columns, {MOST_COLUMNS:,} may be"
            )
        if can_link(rows, schema, names):
            self.links.append(rows)
        elif rows.table is None:
            self._whole.append(arrange(rows, schema, names))
        else:
            self._own.append((batch, arrange(rows, schema, names)))
        self._room -= rows.decoded
        self.schema = schema
        self.odd += odd

    def table(self) -> pa.Table | None:
        """Return the rows that are to be written, in the columns of the table; None if none."""
        own = [(batch, table) for batch, table in self._own if table.num_rows]
        tables = [table for table in self._whole if table.num_rows]
        if own:
            tables.insert(0, _tell_provenance(own, plain=bool(tables)))
        if not tables:
            return None
        # columns that came with later batches are null in earlier ones
        joined = pa.concat_tables(tables, promote_options="default")
        for field in to_arrow(find_storages(self.schema)):
            if field.name not in joined.column_names:
                joined = joined.append_column(field, pa.nulls(joined.num_rows, field.type))
        return joined.select(list(self.schema.names))


def _tell_provenance(own: Sequence[tuple[Batch, pa.Table]], *, plain: bool) -> pa.Table:
    """Return rows below each other, with where they come from."""
    tables = [table for _, table in own]
    joined = pa.concat_tables(tables, promote_options="default")
    told = make_provenance([batch for batch, _ in own], [table.num_rows for table in tables])
    for name, values in told.items():
        column = values.dictionary_decode() if plain and hasattr(values, "dictionary") else values
        joined = joined.append_column(name, column)
    return joined
