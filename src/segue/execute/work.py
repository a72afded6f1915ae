"""A user's function with all that it needs on a worker."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.errors import SegueError
from segue.execute.portable import load_portable, make_portable
from segue.execute.skipped import SKIPPED
from segue.spec.failure import seal
from segue.spec.layout import Layout
from segue.spec.types import Column, TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from segue.execute.blame import Blame
    from segue.spec.step import FrameSpec


@dataclass(frozen=True, slots=True)
class WorkInput:
    """A table that a function is given.

    Attributes:
        table: Its name, for errors.
        parameter: Name of the function's parameter; empty for one that has none.
        frame: The frame in which the function wants it.
        schema: Its columns.
    """

    table: str
    parameter: str
    frame: FrameSpec
    schema: TableSchema


@dataclass(frozen=True)
class FunctionWork:
    """A user's function with all that it needs on a worker; see `segue.protocols.Work`.

    Attributes:
        function: The function.
        inputs: What it is given, in its order.
        layout: How rows are brought together for each call.
        blame: Tells errors.
        how: Which keys of several inputs have a call: inner, left, right, full.
        returns: What it announces to return; None for whatever it returns.
        result: Columns of its result; None to find them while it works, which only a driver
            can that sees all results.
        settings: What it is given besides tables.
        skip: Exceptions for which a call is left out.
        reports: Whether the result has a further column that tells of calls left out. The
            result of a function that makes no table has no other.
    """

    function: Callable[..., Any]
    inputs: tuple[WorkInput, ...]
    layout: Layout
    blame: Blame
    how: str = "inner"
    returns: FrameSpec | None = None
    result: TableSchema | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    skip: tuple[type[BaseException], ...] = ()
    reports: bool = False

    @property
    def schema(self) -> TableSchema:
        """Columns of what it yields, exactly; those that are known where they are found."""
        columns = self.result.columns if self.result is not None else ()
        return TableSchema((*columns, SKIPPED) if self.reports else columns)

    @property
    def likely(self) -> TableSchema:
        """Columns that a result is likely to have kept from the inputs."""
        columns: dict[str, Column] = {}
        for each in self.inputs:
            for column in each.schema:
                columns.setdefault(column.name, column)
        return TableSchema(tuple(columns.values()))

    def run_stream(self, rows: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Work on rows that come in order; see `segue.protocols.Work`."""
        from segue.execute.run import WorkRun

        with _sealing():
            for table in WorkRun(self).stream(rows):
                yield from table.to_batches()

    def run_tables(self, tables: Sequence[pa.Table]) -> Iterator[pa.RecordBatch]:
        """Work on a part that is in memory, in any order; see `segue.protocols.Work`."""
        with _sealing():
            for table in self.work_on(tables):
                yield from table.to_batches()

    def work_on(self, tables: Sequence[pa.Table]) -> Iterator[pa.Table]:
        """Work on a part in this process: errors are raised as they are.

        Raises:
            StepError: The function failed.
            OutputError: Its result does not fit.
        """
        from segue.execute.run import WorkRun

        return WorkRun(self).tables(tables)

    def follow(self, rows: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
        """Work on rows that come in order, in this process: errors are raised as they are.

        Raises:
            StepError: The function failed.
            OutputError: Its result does not fit.
        """
        from segue.execute.run import WorkRun

        return WorkRun(self).stream(rows)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel with the user's own modules, which workers don't have."""
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return load_portable, (FunctionWork, make_portable(parts, self.blame.root))


@contextmanager
def _sealing() -> Iterator[None]:
    """Turn errors into ones that can travel."""
    try:
        yield
    except SegueError as error:
        raise seal(error) from None
