"""Calls a Python step's function: once, once per group, or over iterators."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.errors import OutputError
from segue.execute.agree import SchemaAgreement
from segue.execute.blame import SAMPLE_ROWS, blame_step, write_key
from segue.execute.blocks import order_clause
from segue.execute.call import FunctionCaller
from segue.execute.collect import Collector, Staging
from segue.execute.groups import check_columns, iterate_groups
from segue.execute.results import Call, Results
from segue.frames.arrow_types import to_arrow
from segue.frames.convert import to_frame
from segue.spec.sql import quote_identifier
from segue.spec.step import FrameKind
from segue.spec.types import Column, TableSchema, parse_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pyarrow as pa

    from segue.execute.attempt import StepTask
    from segue.execute.inputs import StepInputs
    from segue.spec.output import DataFile
    from segue.spec.step import FrameSpec, FunctionSpec

LARGEST_BLOCK = 10**9
"""Bytes of grouped rows that are held at once, at most; a quarter of the memory if that is less."""


@dataclass(slots=True)
class PythonCall:
    """One attempt at a Python step.

    Attributes:
        task: What to do.
        spec: The function, as declared.
        caller: Calls it.
        inputs: Its tables.
        schemas: Columns of its tables.
        budget: Most bytes of grouped rows to hold at once.
        input_rows: Rows that were read, by table.
        given: The first rows that the function was given lately, for errors.
    """

    task: StepTask
    spec: FunctionSpec
    caller: FunctionCaller
    inputs: StepInputs
    schemas: Mapping[str, TableSchema]
    budget: int
    input_rows: dict[str, int] = field(default_factory=dict)
    given: dict[str, pa.Table] = field(default_factory=dict)

    def run(self) -> None:
        """Call the function and collect what it returns.

        Raises:
            StepError: The function failed.
            OutputError: Its result is not what was announced or declared.
        """
        if self.task.step.by:
            self._call_groups()
        else:
            frames = {table: self._open(table, spec) for table, spec in self.spec.inputs}
            self.caller.call(frames, Call("", lambda: self.given))
        self.caller.results.flush()

    def _call_groups(self) -> None:
        step, wanted = self.task.step, dict(self.spec.inputs)
        for group in iterate_groups(self.inputs, step, wanted, self.schemas, self.budget):
            if len(wanted) == 1:
                table = self.spec.inputs[0][0]
                self.input_rows[table] = self.input_rows.get(table, 0) + group.rows
            self.caller.call(group.frames, Call(write_key(step.by, group.key), group.show))

    def _open(self, table: str, spec: FrameSpec) -> Any:
        """Return a whole table in the frame that the function asks for."""
        schema = self.schemas[table]
        sort = [term for term in self.task.step.sort if schema.find(term.removeprefix("-"))]
        query = f"select * from {quote_identifier(table)}{order_clause((), sort)}"
        if spec.iterator:
            return to_frame(self._watch(table, self.inputs.fork().stream(query)), spec, schema)
        if spec.kind is FrameKind.DUCKDB:
            return self.inputs.session.native(query)
        rows = self.inputs.session.fetch(query)
        self.input_rows[table] = rows.num_rows
        self._remember(table, rows)
        return to_frame(rows, spec, schema)

    def _watch(self, table: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on, at least one, and keep the first rows of the last one."""
        import pyarrow as pa

        self.input_rows[table] = 0
        for batch in batches:
            if batch.num_rows:
                self.input_rows[table] += batch.num_rows
                self._remember(table, pa.Table.from_batches([batch]))
                yield batch
        if not self.input_rows[table]:
            yield from _one_empty(self.schemas[table])

    def _remember(self, table: str, rows: pa.Table) -> None:
        """Keep a copy of the first rows, so that an error can show them."""
        import pyarrow as pa

        firsts = pa.array(range(min(rows.num_rows, SAMPLE_ROWS)), pa.int64())
        self.given[table] = rows.take(firsts)


def _one_empty(schema: TableSchema) -> list[pa.RecordBatch]:
    import pyarrow as pa

    return [pa.RecordBatch.from_pylist([], schema=to_arrow(schema))]


def call_function(
    task: StepTask,
    function: Callable[..., Any],
    inputs: StepInputs,
    staging: Staging,
    progress: Callable[[int], None] | None = None,
) -> tuple[TableSchema | None, tuple[DataFile, ...], dict[str, int]]:
    """Call a step's function on its tables and stage what it returns.

    Returns:
        The schema of the result (None for a function that returns None), its files, and the
        rows that were read by table, where they were counted.

    Raises:
        StepError: The function failed.
        OutputError: Its result is not what was announced or declared.
    """
    spec = task.step.function
    assert spec is not None  # noqa: S101  # a step has SQL or a function
    schemas = inputs.describe([table for table, _ in spec.inputs])
    check_columns(task.step, schemas)
    agreement = make_agreement(task, schemas)
    blame = blame_step(task.project, task.step)
    collector = Collector(blame, agreement, staging, progress)
    results = Results(blame, spec.returns, agreement, collector.keep)
    caller = FunctionCaller(function, task.parameters, results, blame)
    budget = min(LARGEST_BLOCK, (task.step.limits.memory or task.place.memory or sys.maxsize) // 4)
    call = PythonCall(task, spec, caller, inputs, schemas, budget)
    call.run()
    if spec.returns.kind is FrameKind.NOTHING:
        return None, (), call.input_rows
    return *collector.close(), call.input_rows


def make_agreement(task: StepTask, schemas: Mapping[str, TableSchema]) -> SchemaAgreement:
    """Return what is known of a result before it is there.

    Raises:
        OutputError: The declared schema can't be read.
    """
    step = task.step
    columns: dict[str, Column] = {}
    for schema in schemas.values():
        for column in schema:
            columns.setdefault(column.name, column)
    inputs = TableSchema(tuple(columns.values()))
    if step.schema is None:
        return SchemaAgreement(None, task.grown.schema if task.grown else task.schema, inputs)
    try:
        declared = parse_schema(step.schema, next(iter(schemas.values()), None))
    except ValueError as error:
        raise OutputError(
            f"step {step.name!r}: its schema can't be read: {error}",
            step=step.name,
            location=step.location,
        ) from None
    return SchemaAgreement(declared, None, inputs)
