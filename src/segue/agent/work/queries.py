"""SQL steps on micro-batches, in a DuckDB of this process that reaches for nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.errors import OutputError, SqlError
from segue.spec.edge import NODE_COLUMN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from segue.protocols import LocalSession
    from segue.spec.edge import EdgeStep

_THREADS = 1
"""Sums of floats are the same in each run with one thread; a node has other work to do, too."""


def open_session(scratch: Path, memory: int | None) -> LocalSession:
    """Open DuckDB with its limits set, and then locked.

    Args:
        scratch: Folder for what does not fit in memory.
        memory: Bytes that the worker may use in all; None for no limit.
    """
    from segue import registry
    from segue.spec.step import PlaceSpec

    place = PlaceSpec("node", threads=_THREADS, memory=memory, options={"locked": True})
    return registry.load_local_engine().open(place, scratch)


def bind_references(session: LocalSession, references: Mapping[str, pa.Table]) -> None:
    """Give reference tables their names."""
    for name, table in references.items():
        session.bind(name, table)


@dataclass(frozen=True, slots=True)
class SqlStep:
    """A SQL step on micro-batches.

    Attributes:
        step: The step.
        session: DuckDB, in which reference tables are bound.
    """

    step: EdgeStep
    session: LocalSession

    def run(self, rows: pa.Table) -> pa.Table:
        """Run the SELECT on the rows of a micro-batch, or of closed windows.

        Raises:
            SqlError: It failed.
            OutputError: Its result does not fit the step's schema.
        """
        from segue.frames.arrow_types import conform

        step = self.step
        self.session.bind(step.stream, rows)
        try:
            table = self.session.fetch(step.sql or "")
        except SqlError as error:
            message = f"step {step.name!r}: {error.message}"
            raise SqlError(message, step=step.name, hint=error.hint) from error
        finally:
            self.session.unbind(step.stream)
        if NODE_COLUMN in table.column_names and step.schema.find(NODE_COLUMN) is None:
            table = table.drop_columns([NODE_COLUMN])
        try:
            return conform(table, step.schema)
        except ValueError as error:
            raise OutputError(f"step {step.name!r}: {error}", step=step.name) from None
