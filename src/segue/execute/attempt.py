"""One attempt at a step, in this process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import Location, OutputError, SqlError
from segue.execute.bindings import fold_bindings
from segue.execute.failure import hide_values
from segue.execute.inputs import StepInputs
from segue.execute.upsert import add_to_base, refuse_other_columns
from segue.failpoints import pass_point
from segue.spec.output import StagedTable
from segue.spec.sql import quote_identifier
from segue.spec.step import Mode
from segue.spec.types import parse_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from segue.protocols import Lake, LocalSession, Session, Tell
    from segue.spec.output import DataFile, TableVersion
    from segue.spec.scan import Scan
    from segue.spec.step import PlaceSpec, ProjectSpec, Scalar, StepSpec
    from segue.spec.types import TableSchema


@dataclass(frozen=True, slots=True)
class StepTask:
    """All that one step's execution needs; it can go to another process.

    Attributes:
        project: The project.
        step: The step.
        parameters: Values of its settings.
        bindings: Data by name, for everything that it reads; views after what they read.
        place: Engine and limits.
        folder: Where files are staged; it exists.
        stem: Beginning of their names.
        schema: Schema of an earlier result of the same code, None if there was none.
        base: Published version of the table, None to start anew.
        base_scan: How to read the base's files, in their order.
        run_id: The run.
    """

    project: ProjectSpec
    step: StepSpec
    parameters: Mapping[str, Scalar]
    bindings: Mapping[str, Scan | str]
    place: PlaceSpec
    folder: Path
    stem: str
    schema: TableSchema | None
    base: TableVersion | None
    base_scan: Scan | None
    run_id: str

    @property
    def grown(self) -> TableVersion | None:
        """The version that new rows are added to; None where the table is made anew."""
        return self.base if self.step.mode in (Mode.APPEND, Mode.MERGE) else None


@dataclass(frozen=True, slots=True)
class StepEngines:
    """The engines that a step works with.

    Attributes:
        local: The local engine; None for a step with a process, and so an engine, of its own.
        own: The engine of the step's place, if that is another one.
    """

    local: LocalSession | None
    own: Session | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step came to.

    Attributes:
        staged: Its table, None for an effect.
        input_rows: Rows that it read, by table, where that is known without counting.
        peak_memory: Bytes of resident memory, for a step with a process of its own.
        attempts: How many attempts it took.
    """

    staged: StagedTable | None
    input_rows: Mapping[str, int] = field(default_factory=dict)
    peak_memory: int | None = None
    attempts: int = 1


def run_step(
    task: StepTask,
    session: LocalSession,
    lake: Lake,
    progress: Tell | None = None,
    function: Callable[..., Any] | None = None,
) -> StepResult:
    """Compute a step and stage its result.

    Args:
        task: What to do.
        session: An open engine; the step works in forks of it.
        lake: Where the table is stored.
        progress: Hears how far it has come.
        function: The step's function, where it is loaded already.

    Raises:
        StepError: The step failed; files may be left in the task's folder.
    """
    pass_point("execute.before")
    folded = fold_bindings(task.project, task.bindings, task.step.reads)
    with StepInputs(session, task.bindings, folded) as inputs:
        made: tuple[TableSchema | None, tuple[DataFile, ...], Mapping[str, int]]
        if task.step.sql is None:
            from segue.execute.collect import Staging
            from segue.execute.python_call import call_function

            function = function or load_step(task)
            staging = Staging(inputs, lake, task.folder, task.stem)
            made = call_function(task, function, inputs, staging, progress)
        else:
            made = _run_sql(task, inputs.session, lake, progress)
        schema, files, input_rows = made
        staged = None
        if schema is not None:
            refuse_other_columns(task, schema)
            staged = add_to_base(task, inputs.session, lake, schema, files)
    pass_point("stage.written")
    return StepResult(staged, input_rows)


def _run_sql(
    task: StepTask,
    session: LocalSession,
    lake: Lake,
    progress: Tell | None,
) -> tuple[TableSchema | None, tuple[DataFile, ...], Mapping[str, int]]:
    try:
        query, schema = shape_query(task, session)
    except SqlError as error:
        raise locate(error, task.step) from error.__cause__
    try:
        files = session.write(query, task.folder, task.stem, schema, lake.storage_type, progress)
    except SqlError as error:  # it may quote a value
        told = hide_values(error, task.project.sensitive, (*task.bindings, task.step.name))
        raise locate(told, task.step) from error.__cause__
    return schema, files, {}


def shape_query(task: StepTask, session: Session) -> tuple[str, TableSchema]:
    """Return a step's SELECT with the columns that its result must have, and these columns.

    Raises:
        OutputError: The query lacks a declared column, or has another one.
        SqlError: It does not bind.
    """
    query = task.step.sql or ""
    schema = session.describe(query)
    wanted = find_wanted(task, schema)
    if wanted is None:
        return query, schema
    # the line break ends a comment in the query's last line
    names = ", ".join(map(quote_identifier, wanted.names))
    return f"select {names} from (\n{query}\n)", wanted


def find_wanted(task: StepTask, found: TableSchema) -> TableSchema | None:
    """Return the schema that a query's result must have, where that is not its own.

    Raises:
        OutputError: The query lacks a declared column, or has another one.
    """
    step = task.step
    if step.schema is None:
        refuse_other_columns(task, found)
        return task.grown.schema if task.grown is not None else None
    declared = parse_schema(step.schema, found)
    if set(declared.names) != set(found.names):
        odd = ", ".join(repr(name) for name in sorted(set(declared.names) ^ set(found.names)))
        raise OutputError(
            f"step {step.name!r}: its declared schema and its SELECT differ in {odd}",
            step=step.name,
            location=step.location,
        )
    return declared


def locate(error: SqlError, step: StepSpec) -> SqlError:
    """Return an error whose line counts from the step's file, not from its query."""
    line = error.location.line if error.location and error.location.line else 1
    return SqlError(
        error.message,
        step=step.name,
        hint=error.hint,
        location=Location(step.location.path, (step.location.line or 1) + line - 1),
    )


def load_step(task: StepTask) -> Callable[..., Any]:
    """Return a Python step's function."""
    from segue.declare.python import load_function

    return load_function(task.project, task.step)
