"""What the columns of a result tell: one that holds nothing but nulls tells no type of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.execute.unify import unify_schemas
from segue.frames.arrow_types import from_arrow
from segue.spec.types import Column, DataType, TableSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

_NOTHING = DataType("null")


@dataclass(frozen=True, slots=True)
class Told:
    """Columns of results so far.

    Attributes:
        columns: Their types; ``null`` where no value has told one.
        defaults: Types of those: what the library gives to a column without values.
    """

    columns: TableSchema
    defaults: Mapping[str, DataType]

    @property
    def schema(self) -> TableSchema:
        """The columns, with defaults where nothing better is known."""
        return TableSchema(
            tuple(
                Column(each.name, self.defaults.get(each.name, each.type))
                if each.type == _NOTHING
                else each
                for each in self.columns
            )
        )

    @property
    def is_sure(self) -> bool:
        """Whether values have told each type that has a default."""
        return self.columns == self.schema

    def unify(self, other: Told) -> Told:
        """Return the columns that hold the rows of both.

        Raises:
            ValueError: They don't go together.
        """
        return Told(unify_schemas(self.columns, other.columns), {**other.defaults, **self.defaults})


def read_told(table: pa.Table) -> Told:
    """Return what a result tells.

    pandas makes floats of missing texts and times without a zone of any missing time: a group
    whose key is null must not change a column's type.

    Example:
        >>> import pyarrow as pa
        >>> none = read_told(pa.table({"a": pa.array([None], pa.float64())}))
        >>> str(none.unify(read_told(pa.table({"a": ["x"]}))).schema)
        'a: string'
        >>> str(none.schema)
        'a: float64'
    """
    schema = from_arrow(table.schema)
    defaults = {
        each.name: each.type
        for each in schema
        if table.num_rows
        and _is_default(each.type)
        and table.column(each.name).null_count == table.num_rows
    }
    columns = (Column(c.name, _NOTHING) if c.name in defaults else c for c in schema)
    return Told(TableSchema(tuple(columns)), defaults)


def _is_default(type_: DataType) -> bool:
    """Return whether pandas may give a type to a column that holds nothing."""
    return type_.kind == "float64" or (type_.kind == "timestamp" and len(type_.arguments) == 1)
