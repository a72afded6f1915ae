"""One schema for a Python step's results, found while they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.execute.told import Told, read_told
from segue.execute.unify import is_number
from segue.frames.arrow_types import conform, to_arrow
from segue.spec.types import Column, DataType, TableSchema

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True)
class SchemaAgreement:
    """Brings results to one schema: the declared one, else one that holds all of them.

    Attributes:
        declared: What the step declares; results are cast to it.
        remembered: What an earlier result had, or the table that rows are added to; numbers
            that fit are cast to it, so that types don't change from day to day.
        inputs: Columns of what the step reads; one that keeps its name is likely to keep its
            type, where values alone don't tell.
    """

    declared: TableSchema | None = None
    remembered: TableSchema | None = None
    inputs: TableSchema = field(default_factory=lambda: TableSchema(()))
    _found: Told | None = None
    _settled: bool = False

    @property
    def schema(self) -> TableSchema | None:
        """The schema so far; None if nothing is known."""
        found = None if self._found is None else self._found.schema
        return self.declared or found or self.remembered

    @property
    def hints(self) -> TableSchema:
        """Likely types of columns."""
        known = self.declared or self.remembered or TableSchema(())
        more = [column for column in self.inputs if known.find(column.name) is None]
        return TableSchema((*known.columns, *more))

    def fit(self, table: pa.Table) -> pa.Table:
        """Return a result in the schema so far, which it may widen.

        Raises:
            ValueError: It does not fit the declared schema or what came before.

        Example:
            >>> import pyarrow as pa
            >>> agreement = SchemaAgreement()
            >>> for part in ({"a": [1]}, {"a": [1.5]}):
            ...     table = agreement.fit(pa.table(part))
            >>> str(agreement.schema)
            'a: float64'
        """
        if self.declared is not None:
            if not table.num_rows:
                # a frame without rows says: nothing, whatever columns it has
                return to_arrow(self.declared).empty_table()
            return conform(table, self.declared)
        found = read_told(table)
        if self._found is None or not self._settled:
            # types of a frame without rows are mere defaults
            self._settled = table.num_rows > 0
            self._found = self._recall(found, table)
        elif table.num_rows:
            self._found = _widen(self._found, found)
        if not table.num_rows:
            return to_arrow(self._found.schema).empty_table()
        return conform(table, self._found.schema)

    def _recall(self, found: Told, table: pa.Table) -> Told:
        """Return a result's schema, with remembered types where its values fit them."""
        if self.remembered is None or set(self.remembered.names) != set(found.columns.names):
            return found
        columns = []
        for column in found.columns:
            known = self.remembered.find(column.name) or column
            columns.append(known if _fits(table.select([column.name]), column, known) else column)
        return Told(TableSchema(tuple(columns)), found.defaults)


def _widen(first: Told, second: Told) -> Told:
    try:
        return first.unify(second)
    except ValueError as error:
        raise ValueError(f"{error}, unlike in the results before") from None


def _fits(table: pa.Table, found: Column, known: Column) -> bool:
    """Return whether a column may take the type that it had before."""
    if not table.num_rows or found.type in (known.type, DataType("null")):
        return True
    if not (is_number(found.type) and is_number(known.type)):
        return False
    try:
        conform(table, TableSchema((known,)))
    except ValueError:
        return False
    return True
