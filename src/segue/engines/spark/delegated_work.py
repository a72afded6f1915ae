"""Delegated expressions on Spark's workers: DuckDB computes them, batch after batch.

Spark computes functions for all rows, also for those that a CASE or a WHERE leaves out. So rows
that fail are told beside those that don't, and SQL raises the errors that it comes to.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from segue import registry
from segue.errors import SegueError, SqlError
from segue.frames.arrow_types import to_arrow_type
from segue.frames.nearest import restore_array, store_array
from segue.spec.failure import seal
from segue.spec.step import PlaceSpec

if TYPE_CHECKING:
    from segue.protocols import LocalSession
    from segue.spec.types import DataType

_TOLD = 20
"""Failing rows of a batch whose errors are told one by one; the rest share a sentence."""

_OWN = re.compile(r"\bsegue(\d+)\b")


@cache
def _open() -> LocalSession:
    """Return this process's DuckDB, which reaches for no files."""
    place = PlaceSpec("local", threads=1, options={"locked": True})
    scratch = Path(tempfile.gettempdir()) / "segue-delegated"
    return registry.load_local_engine().open(place, scratch)


@dataclass(frozen=True)
class DelegatedWork:
    """Computes one expression.

    Attributes:
        value: The expression, over columns called `segue0`, `segue1`, ...
        rows: What makes these columns of what arrives.
        shown: The expression as a user knows it.
        names: What a user knows these columns as.
        arguments: What arrives, in nearest types.
        result: Type of the values.
    """

    value: str
    rows: str
    shown: str
    names: tuple[str, ...]
    arguments: tuple[DataType, ...]
    result: DataType

    def __call__(self, *arrays: pa.Array) -> pa.Array:
        """Return a struct for each row: the value in its nearest type, and the error if it has one.

        Args:
            arrays: The arguments; where there are none, one of nothing that matters.
        """
        try:
            values, errors = self._compute(self._gather(arrays))
        except SegueError as error:
            raise seal(error) from None
        return pa.StructArray.from_arrays(
            [store_array(values, self.result), errors], names=["value", "error"]
        )

    def _gather(self, arrays: tuple[pa.Array, ...]) -> pa.Table:
        if not self.arguments:
            return pa.table({"segue0": arrays[0]})
        restored = [
            restore_array(array, type_) for array, type_ in zip(arrays, self.arguments, strict=True)
        ]
        return pa.table({f"segue{at}": array for at, array in enumerate(restored)})

    def _compute(self, table: pa.Table) -> tuple[pa.Array, pa.Array]:
        """Return the values, and the errors of rows that have one."""
        try:
            return self._fetch(table, self.value), pa.nulls(table.num_rows, pa.string())
        except SqlError as error:
            if table.num_rows == 1:
                return pa.nulls(1, to_arrow_type(self.result)), pa.array([self._seal(error)])
        try:
            tried = self._fetch(table, f"try({{'value': {self.value}}})")
        except SqlError:
            return self._halve(table)
        return tried.flatten()[0], self._explain(table, tried)

    def _halve(self, table: pa.Table) -> tuple[pa.Array, pa.Array]:
        """Compute two halves, for rows that fail where TRY does not help."""
        middle = table.num_rows // 2
        halves = [self._compute(half) for half in (table[:middle], table[middle:])]
        values, errors = zip(*halves, strict=True)
        return pa.concat_arrays(values), pa.concat_arrays(errors)

    def _explain(self, table: pa.Table, tried: pa.Array) -> pa.Array:
        """Return the error of each row that failed."""
        rest = self._seal(SqlError(f"DuckDB can't compute {self.shown} in one of the rows"))
        errors: list[str | None] = [None] * table.num_rows
        for count, at in enumerate(pc.indices_nonzero(tried.is_null()).to_pylist()):
            errors[at] = rest
            if count < _TOLD:
                errors[at] = self._compute(table.slice(at, 1))[1][0].as_py() or rest
        return pa.array(errors, pa.string())

    def _fetch(self, table: pa.Table, value: str) -> pa.Array:
        session = _open()
        session.bind("rows", table)
        found = session.fetch(f"select {value} as x from ({self.rows})").column(0)
        return found.chunk(0) if found.num_chunks == 1 else pa.concat_arrays(found.chunks)

    def _seal(self, error: SqlError) -> str:
        """Return an error as a text that an engine can raise."""
        message = _OWN.sub(lambda found: self.names[int(found[1])], error.message)
        return str(seal(SqlError(message, hint=error.hint, engine="spark")))
