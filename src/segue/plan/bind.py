"""Finds columns that do not exist before anything runs, by binding SQL to empty tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.errors import Location, Problem, SqlError
from segue.plan.compare import compare_code
from segue.plan.fold import fold_views
from segue.plan.graph import find_maker, find_source, follow, map_inputs
from segue.registry import nearest
from segue.spec.plan import Action, Cause
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier
from segue.spec.step import Mode
from segue.spec.types import parse_schema
from segue.spec.windows import END, START, write_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from segue.protocols import Session
    from segue.spec.plan import Plan, PlannedStep
    from segue.spec.step import StepSpec
    from segue.spec.types import TableSchema


_ROWS = "segue: rows without windows"


def find_sources(plan: Plan) -> tuple[str, ...]:
    """Return the sources whose columns `bind_steps` asks for: those of the steps that run."""
    inputs = map_inputs(plan.project)
    found = (
        find_source(plan.project, table)
        for planned in plan.steps
        if planned.action is Action.RUN and _binds(planned.step)
        for table in inputs[planned.name]
    )
    return tuple(dict.fromkeys(name for name in found if name is not None))


def bind_steps(
    plan: Plan, session: Session, known: Mapping[str, TableSchema]
) -> tuple[Problem, ...]:
    """Bind what will run to empty tables, and return what does not fit.

    A Python step that runs again with the same code is taken to make the columns that it made
    before. A step whose inputs' columns nobody knows yet, such as those of a Python step that
    never ran, is left to its execution.

    Args:
        plan: What would run.
        session: An engine; the names that are bound in it are gone afterwards.
        known: Columns of sources, of published tables, and of results that are remembered.

    Returns:
        Problems in the order of the graph.
    """
    views = _find_views(plan)
    folded = _fold(plan, views)
    if len(folded) < len(views):
        with session.fork() as fork:
            binder = _Binder(plan, fork, known, folded)
            fits = not any(problem for planned in plan.steps for problem in binder.add(planned))
            if fits and not binder.waiting:
                return ()
    # one by one, so that what does not fit is told with its own line
    with session.fork() as fork:
        binder = _Binder(plan, fork, known, views)
        return tuple(problem for planned in plan.steps for problem in binder.add(planned))


def _find_views(plan: Plan) -> dict[str, str]:
    """Return the SQL of the views that will be read, each after what it reads."""
    return {
        planned.name: planned.step.sql
        for planned in plan.steps
        if planned.action in (Action.RUN, Action.INLINE)
        and planned.step.mode is Mode.VIEW
        and planned.step.sql is not None
    }


def _fold(plan: Plan, views: Mapping[str, str]) -> dict[str, str]:
    reads = {planned.name: planned.step.reads for planned in plan.steps}
    others = {table for name, read in reads.items() if name not in views for table in read}
    return fold_views(views, reads, others | plan.project.contracts.keys())


def _binds(step: StepSpec) -> bool:
    """Return whether there is anything about a step that names columns."""
    return step.sql is not None or bool(step.by or step.sort or step.window)


class _Binder:
    """Goes through a plan's steps, and learns the columns of each as it goes."""

    def __init__(
        self,
        plan: Plan,
        session: Session,
        known: Mapping[str, TableSchema],
        views: Mapping[str, str],
    ) -> None:
        self.plan = plan
        self.session = session
        self.known = known
        self.views = views
        self.waiting: set[str] = set()
        self.reads = {planned.name: planned.step.reads for planned in plan.steps}
        self.actions = {planned.name: planned.action for planned in plan.steps}
        functions = (planned.step for planned in plan.steps if planned.step.sql is None)
        self.asked_for = {table for step in functions for table in step.reads}
        self.schemas: dict[str, TableSchema] = {}
        self.bound: set[str] = set()
        self.remembered: dict[str, str] = {}

    def add(self, planned: PlannedStep) -> Iterator[Problem]:
        """Yield the problems of one step, and keep its columns for its readers."""
        step = planned.step
        if planned.action in (Action.BLOCKED, Action.UNSELECTED) and step.mode is not Mode.VIEW:
            self._keep(step.name, self.known.get(step.name))
        elif planned.action in (Action.RUN, Action.INLINE):
            yield from self._add_running(step)
        else:
            self._keep(step.name, self._look_up_result(planned))

    def _add_running(self, step: StepSpec) -> Iterator[Problem]:
        schema = None
        if step.sql is not None:
            try:
                schema = self._describe(step)
            except SqlError as error:
                yield _tell_error(step, error, self._find_remembered(step))
                return
            self._pass_on(step)
        elif step.schema is not None:
            schema = self._read_declared(step)
        else:
            self._remember(step)
        yield from self._check_inputs(step)
        if schema is not None:
            self._keep(step.name, schema)
            yield from self._check_output(step, schema)

    def _remember(self, step: StepSpec) -> None:
        """Take a Python step's last columns for its next ones, if its code is the same.

        They can still change with its inputs', so a problem that rests on them says so.
        """
        memory = self.plan.history.memories.get(step.name)
        if memory is None or memory.schema is None:
            return
        changed = compare_code(step.fingerprint, memory)
        if changed is None or changed.cause is Cause.CONTRACT_CHANGED:
            self._keep(step.name, memory.schema)
            self.remembered[step.name] = step.name

    def _pass_on(self, step: StepSpec) -> None:
        if origin := self._find_remembered(step):
            self.remembered[step.name] = origin

    def _find_remembered(self, step: StepSpec) -> str:
        """Return the Python step on whose remembered columns a step rests; empty if on none."""
        return next((self.remembered[t] for t in step.reads if t in self.remembered), "")

    def _describe(self, step: StepSpec) -> TableSchema | None:
        """Return the columns of a SQL step, None if an input's are not known or nobody asks."""
        if not all(self._bind(table) for table in step.reads):
            return None
        query = step.sql or ""
        if step.window is not None:
            return self._describe_windows(step)
        if step.mode is Mode.VIEW:
            self._bind_view(step)
            if step.name not in self.asked_for and step.name not in self.plan.project.contracts:
                return None
        return self.session.describe(query)

    def _describe_windows(self, step: StepSpec) -> TableSchema | None:
        """Return the columns of a SQL step that sees windows of its first table."""
        window = step.window
        known = {table: self._find_rows(table) for table in step.reads}
        first = known[step.reads[0]]
        if window is None or first is None or None in known.values():
            return None
        for name in (window.column, *window.by):
            column = first.find(name)
            if column is None:
                hint = nearest(name, first.names, noun="column")
                message = f"its window names a column {name!r} that {step.reads[0]} has not"
                raise SqlError(message, hint=hint)
            if name == window.column and column.type.kind != "timestamp":
                raise SqlError(f"its window is over {name!r}, which is {column.type}: no timestamp")
        with self.session.fork() as fork:
            for table, schema in known.items():
                fork.bind(table, Scan(format="parquet", paths=(), schema=schema))
            fork.bind(_ROWS, Scan(format="parquet", paths=(), schema=first))
            fork.bind(step.reads[0], write_windows(window, _ROWS))
            return fork.describe(step.sql or "")

    def _find_rows(self, table: str) -> TableSchema | None:
        """Return the columns of a table or view that is bound, or of one that is known."""
        if table in self.waiting:
            return None
        if table in self.bound:
            return self.session.describe(f"select * from {quote_identifier(table)}")
        return self._find_schema(table)

    def _bind_view(self, step: StepSpec) -> None:
        """Define a view: that alone finds what is wrong with it, and its readers see its columns.

        One that is folded into its reader waits for it.
        """
        if step.name in self.views:
            self.session.bind(step.name, self.views[step.name])
            if self.waiting:
                self.waiting -= follow(self.reads, [step.name])
        else:
            self.waiting.add(step.name)
        self.bound.add(step.name)

    def _bind(self, table: str) -> bool:
        """Give the session an empty table of these columns; False if nobody knows them."""
        if table in self.bound:
            return True
        schema = self._find_schema(table)
        if schema is None:
            return False
        self.session.bind(table, Scan(format="parquet", paths=(), schema=schema))
        self.bound.add(table)
        return True

    def _find_schema(self, table: str) -> TableSchema | None:
        maker = find_maker(self.plan.project, table)
        if maker is None or maker == table:
            return self.schemas.get(table) if maker else self.known.get(table)
        # Rejects of a step that runs have the columns of its next result, with reasons.
        return None if self.actions[maker] is Action.RUN else self.known.get(table)

    def _look_up_result(self, planned: PlannedStep) -> TableSchema | None:
        staged = self.plan.history.staged.get(planned.name)
        if planned.action is Action.REUSE and staged is not None:
            return staged.schema
        return self.known.get(planned.name)

    def _keep(self, name: str, schema: TableSchema | None) -> None:
        if schema is not None:
            self.schemas[name] = schema

    def _read_declared(self, step: StepSpec) -> TableSchema | None:
        """Return a Python step's declared columns, None where they depend on unknown ones."""
        inputs = self._find_schema(step.reads[0]) if step.reads else None
        try:
            return parse_schema(step.schema or "", inputs)
        except ValueError:
            return None

    def _check_inputs(self, step: StepSpec) -> Iterator[Problem]:
        schemas = [self._find_schema(table) for table in step.reads]
        if None in schemas:
            return
        columns = [column for schema in schemas if schema for column in schema.names]
        columns += (START, END) if step.window else ()
        tables = " or ".join(step.reads)
        sort = tuple(name.removeprefix("-") for name in step.sort)
        yield from _tell_missing(step, "by", step.by, columns, tables)
        yield from _tell_missing(step, "sort", sort, columns, tables)

    def _check_output(self, step: StepSpec, schema: TableSchema) -> Iterator[Problem]:
        yield from _tell_missing(step, "key", step.key, schema.names, step.name)
        contract = self.plan.project.contracts.get(step.name)
        told: set[str] = set()
        for check in contract.checks if contract else ():
            for name in check.columns:
                if schema.find(name) is None and name not in told:
                    told.add(name)
                    yield Problem(
                        "unknown-column",
                        f"the contract of {step.name} speaks of a column {name!r} that the "
                        "step does not make",
                        check.location,
                        nearest(name, schema.names, noun="column"),
                    )


def _tell_missing(
    step: StepSpec, option: str, wanted: Iterable[str], columns: Iterable[str], tables: str
) -> Iterator[Problem]:
    """Yield a problem for each column that an option names and `tables` have not."""
    found = tuple(dict.fromkeys(columns))
    for name in wanted:
        if name not in found:
            yield Problem(
                "unknown-column",
                f"{option} of {step.name} names a column {name!r} that {tables} has not",
                step.location,
                nearest(name, found, noun="column"),
            )


def _tell_error(step: StepSpec, error: SqlError, remembered: str = "") -> Problem:
    line = step.location.line  # its SQL begins there, behind the comments above it
    if error.location and error.location.line:
        line = (line or 1) + error.location.line - 1
    hint = error.hint
    if remembered:
        doubt = f"if {remembered} makes new columns now: segue run {remembered} first"
        hint = f"{hint}; {doubt}" if hint else doubt
    return Problem("sql-binds-not", error.message, Location(step.location.path, line), hint)
