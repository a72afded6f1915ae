"""Rows of batches brought together: files that nodes wrote, and rows for one file of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from segue.spec.types import TableSchema
from segue.stores.arriving_files import PayloadError, Rows, arrange, can_link, open_payload
from segue.stores.arriving_schema import add_provenance, merge_columns

if TYPE_CHECKING:
    from segue.spec.arriving import Batch

_EMPTY = TableSchema(())


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
        self._tables: list[pa.Table] = []

    def take(self, batch: Batch) -> None:
        """Add the rows of a batch.

        Raises:
            PayloadError: They can't be read or stored; nothing was added.
        """
        rows = open_payload(batch)
        try:
            schema, names, odd = merge_columns(self.schema, rows.schema)
        except ValueError as error:
            raise PayloadError(str(error)) from error
        if can_link(rows, schema, names):
            self.links.append(rows)
        else:
            self._tables.append(arrange(rows, schema, names))
        self.schema = schema
        self.odd += odd

    def table(self) -> pa.Table | None:
        """Return the rows that are to be written, in the columns of the table; None if none."""
        tables = [table for table in self._tables if table.num_rows]
        if not tables:
            return None
        # columns that came with later batches are null in earlier ones
        joined = pa.concat_tables(tables, promote_options="default")
        return joined.select([name for name in self.schema.names if name in joined.column_names])
