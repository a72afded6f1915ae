"""One attempt at a step on another engine than the local one.

What the step reads is in the lake or in files that workers see; what it makes is written into
the lake by workers. The rows never pass through this process.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Timer
from typing import TYPE_CHECKING

from segue.errors import OutputError, SqlError, StepError, StepTimeoutError
from segue.execute.attempt import StepResult, load_step, locate, shape_query
from segue.execute.blame import blame_step
from segue.execute.failure import hide_values
from segue.execute.groups import check_columns
from segue.execute.infer import infer_result
from segue.execute.python_call import make_agreement
from segue.execute.result_files import WriteFiles, write_result
from segue.execute.unify import unify_types
from segue.execute.upsert import add_to_base, refuse_other_columns
from segue.execute.work import FunctionWork, WorkInput
from segue.failpoints import pass_point
from segue.spec.layout import Layout
from segue.spec.sql import quote_identifier
from segue.spec.step import FrameKind
from segue.spec.types import Column, TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from segue.execute.attempt import StepEngines, StepTask
    from segue.protocols import Lake, Session
    from segue.spec.types import DataType

_RESULT = "segue: result of the step"


def run_remote(task: StepTask, engines: StepEngines, lake: Lake) -> StepResult:
    """Compute a step on an engine and stage its result.

    Args:
        task: What to do.
        engines: The engine of its place computes; the local one adds new rows to a published
            table.
        lake: Where the table is stored.

    Raises:
        StepError: The step failed; files may be left in the task's folder.
    """
    pass_point("execute.before")
    assert engines.own is not None and engines.local is not None  # noqa: S101, PT018  # why it is called
    with _told_of(task), engines.own.fork() as fork, engines.local.fork() as writer:
        with _timed(task, fork):
            for name, data in task.bindings.items():
                fork.bind(name, data)
            schema = (_bind_sql if task.step.sql is not None else _bind_call)(task, fork)
            if schema is None:
                fork.fetch(f"select * from {quote_identifier(_RESULT)}")
                return StepResult(None)
            refuse_other_columns(task, schema)
            work = WriteFiles(lake.storage_type, task.folder, task.stem, schema, task.step.name)
            try:
                files = write_result(fork, _RESULT, work)
            except SqlError as error:  # it may quote a value
                names = (*task.bindings, task.step.name)
                raise hide_values(error, task.project.sensitive, names) from error.__cause__
        staged = add_to_base(task, writer, lake, schema, files)
    pass_point("stage.written")
    return StepResult(staged)


def _bind_sql(task: StepTask, session: Session) -> TableSchema:
    """Name the rows of a SELECT; their columns."""
    try:
        query, schema = shape_query(task, session)
        session.bind(_RESULT, query)
    except SqlError as error:
        raise locate(error, task.step) from error.__cause__
    return schema


def _bind_call(task: StepTask, session: Session) -> TableSchema | None:
    """Name what a function returns; its columns, None if it makes no table."""
    work = _make_work(task, session)
    names = [each.table for each in work.inputs]
    session.apply(_RESULT, names, work, work.layout)
    return None if work.reports else work.result


def _make_work(task: StepTask, session: Session) -> FunctionWork:
    step, spec = task.step, task.step.function
    assert spec is not None  # noqa: S101  # a step has SQL or a function
    tables = [table for table, _ in spec.inputs]
    schemas = {
        table: session.describe(f"select * from {quote_identifier(table)}") for table in tables
    }
    check_columns(step, schemas)
    effect = spec.returns.kind is FrameKind.NOTHING
    agreement = make_agreement(task, schemas)
    work = FunctionWork(
        load_step(task),
        tuple(WorkInput(table, table, frame, schemas[table]) for table, frame in spec.inputs),
        Layout(tuple(_share_key(name, schemas) for name in step.by), step.sort),
        blame_step(task.project, step),
        step.how,
        spec.returns,
        TableSchema(()) if effect else agreement.declared,
        task.parameters,
        reports=effect,
    )
    if work.result is not None:
        return work
    return replace(work, result=_recall(infer_result(session, tables, work), agreement.remembered))


def _share_key(name: str, schemas: Mapping[str, TableSchema]) -> Column:
    """Return a key column in the type that all inputs share; `check_columns` saw that there is."""
    shared: DataType | None = None
    for schema in schemas.values():
        column = schema.find(name)
        assert column is not None  # noqa: S101  # checked
        plain = column.type.fields[0][1] if column.type.kind == "categorical" else column.type
        shared = plain if shared is None else unify_types(shared, plain) or shared
    assert shared is not None  # noqa: S101  # a step that groups reads a table
    return Column(name, shared)


def _recall(found: TableSchema, remembered: TableSchema | None) -> TableSchema:
    """Return the columns of a sample, with types of an earlier result where these are wider."""
    if remembered is None or set(remembered.names) != set(found.names):
        return found
    columns = []
    for column in found:
        known = remembered.find(column.name) or column
        columns.append(known if unify_types(column.type, known.type) == known.type else column)
    return TableSchema(tuple(columns))


@contextmanager
def _told_of(task: StepTask) -> Iterator[None]:
    """Add to an error whose it is, and on which engine it came about."""
    try:
        yield
    except StepError as error:
        error.step = error.step or task.step.name
        error.engine = error.engine or task.place.engine
        if error.location is None and not isinstance(error, OutputError):
            error.location = task.step.location
        raise


@contextmanager
def _timed(task: StepTask, session: Session) -> Iterator[None]:
    """End a step's session when its time is over."""
    if (timeout := task.step.limits.timeout) is None:
        yield
        return
    over = Event()

    def end() -> None:
        over.set()
        session.close()

    timer = Timer(timeout, end)
    timer.start()
    try:
        yield
    except Exception as error:  # engines end work with errors of their own
        if not over.is_set():
            raise
        raise StepTimeoutError(
            f"step {task.step.name!r} ran longer than its timeout of {timeout:g} s and was ended",
            step=task.step.name,
            location=task.step.location,
            hint="raise the timeout, or find out what the step waits for",
        ) from error
    finally:
        timer.cancel()
