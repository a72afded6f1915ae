"""Columns of a fleet's tables, found by binding its steps to empty ones; and what does not fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.declare.edge_graph import find_streams
from segue.errors import Location, OutputError, Problem, ProjectError, SqlError
from segue.place.edge import inline_views, map_fleets
from segue.registry import load_check, nearest
from segue.spec.edge import MESSAGE_COLUMN, NODE_COLUMN, PROVENANCE
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier
from segue.spec.types import Column, TableSchema, parse_schema, parse_type
from segue.spec.windows import write_windows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from segue.judge.compile import CompiledCheck
    from segue.place.edge import Cut
    from segue.protocols import LocalSession
    from segue.spec.edge import EdgeSource, StreamAlert
    from segue.spec.output import StepMemory
    from segue.spec.step import ProjectSpec, StepSpec

_NODE = Column(NODE_COLUMN, parse_type(PROVENANCE[NODE_COLUMN]))


@dataclass(slots=True)
class Described:
    """Columns of a fleet's tables.

    Attributes:
        schemas: Columns by table, as its nodes have them, in the order of the graph.
        problems: What does not fit.
    """

    schemas: dict[str, TableSchema] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def check(self) -> None:
        """Stop if something does not fit.

        Raises:
            ProjectError: With all problems.
        """
        if self.problems:
            raise ProjectError(tuple(self.problems))


def describe_edge(
    project: ProjectSpec,
    cut: Cut,
    session: LocalSession,
    memories: Mapping[str, StepMemory],
    missing: Collection[str] = (),
) -> Described:
    """Find the columns of a fleet's tables by binding its steps to empty ones.

    Args:
        project: The project as declared.
        cut: Where it is cut.
        session: An engine in which its reference tables are bound.
        memories: What is remembered of steps: a function without declared columns has those
            that the same code made here.
        missing: Reference tables that are not there yet: what reads them is left out.
    """
    described = Described()
    for name in cut.sources:
        described.schemas[name] = find_edge(project, name).schema
    describer = _Describer(project, session, memories, described, missing)
    for name in cut.steps:
        describer.add(project.steps[name])
    describer.check_contracts(cut)
    describer.check_alerts(cut)
    return described


def without_provenance(schema: TableSchema) -> TableSchema:
    """Return the columns that are a table's own."""
    return TableSchema(tuple(column for column in schema if column.name not in PROVENANCE))


class _Describer:
    """Goes through a fleet's steps, and learns the columns of each as it goes."""

    def __init__(
        self,
        project: ProjectSpec,
        session: LocalSession,
        memories: Mapping[str, StepMemory],
        described: Described,
        missing: Collection[str],
    ) -> None:
        self.project = project
        self.session = session
        self.memories = memories
        self.schemas = described.schemas
        self.problems = described.problems
        self.tables = map_fleets(project)
        self.missing = frozenset(missing)

    def add(self, step: StepSpec) -> None:
        """Describe one step; what is behind one that does not bind is left out."""
        streams = (find_streams(self.project.steps, self.tables, name) for name in step.reads)
        reads = [name for found in streams for name in found]
        if self.missing & {*step.reads} or any(name not in self.schemas for name in reads):
            return
        sql = None
        if step.sql is not None:
            sql = inline_views(self.project, step, self.tables)
        try:
            self._bind(step, reads)
            self._check_columns(step)
            schema = self.session.describe(sql) if sql is not None else None
            schema = self._shape(step, schema)
        except (SqlError, OutputError, ValueError) as error:
            self.report(step, error)
            return
        if schema is not None:
            self.schemas[step.name] = schema

    def _bind(self, step: StepSpec, reads: Iterable[str]) -> None:
        for name in reads:
            self.session.bind(name, self._empty(name))
        if step.window is not None:
            first = step.reads[0]
            self._check_window(step, first)
            rows = f"{first}: rows"
            if first in self.schemas:
                self.session.bind(rows, self._empty(first))
                self.session.bind(first, write_windows(step.window, rows))

    def _empty(self, table: str) -> Scan:
        """Return how to read no rows of a table as nodes have it: a source's have their node."""
        schema = self.schemas[table]
        if table in self.project.sources:
            schema = TableSchema((*schema.columns, _NODE))
        return Scan("parquet", (), schema=schema)

    def _check_window(self, step: StepSpec, table: str) -> None:
        window, schema = step.window, self.schemas.get(table)
        if window is None or schema is None:
            return
        for name in (window.column, *window.by):
            if schema.find(name) is None and name != NODE_COLUMN:
                hint = nearest(name, schema.names, noun="column")
                raise SqlError(
                    f"the window of {step.name!r} names a column {name!r} that {table} has not",
                    hint=hint,
                )
        found = schema.find(window.column)
        if found is not None and found.type.kind != "timestamp":
            raise SqlError(
                f"the window of {step.name!r} is over {window.column!r}, which is no timestamp but"
                f" {found.type}"
            )

    def _check_columns(self, step: StepSpec) -> None:
        wanted = [("by", each) for each in step.by]
        wanted += [("sort", each.removeprefix("-")) for each in step.sort]
        if not wanted:
            return
        read = [self.session.describe(f"select * from {quote_identifier(t)}") for t in step.reads]
        names = [name for schema in read for name in schema.names]
        for option, name in wanted:
            if name not in names:
                raise SqlError(
                    f"{option} of {step.name!r} names a column {name!r} that"
                    f" {' or '.join(step.reads)} has not",
                    hint=nearest(name, names, noun="column"),
                )

    def _shape(self, step: StepSpec, found: TableSchema | None) -> TableSchema | None:
        """Return the columns of a result: declared, described, or remembered.

        Raises:
            ValueError: The declared ones can't be read.
            OutputError: Nobody knows them, or a SELECT has others than declared.
        """
        if step.schema is None and found is not None:
            return found
        if step.schema is None:
            memory = self.memories.get(step.name)
            if (
                memory is not None
                and memory.schema
                and memory.fingerprint == step.fingerprint.digest
            ):
                return memory.schema
            raise OutputError(
                f"step {step.name!r} runs at nodes, and nobody knows its columns",
                hint='declare them: schema="name: type, ..."',
            )
        first = self.session.describe(f"select * from {quote_identifier(step.reads[0])}")
        declared = parse_schema(step.schema, first if found is None else found)
        if step.model is None and found is not None and set(declared.names) != set(found.names):
            odd = ", ".join(map(repr, sorted(set(declared.names) ^ set(found.names))))
            raise OutputError(f"step {step.name!r}: its schema and its SELECT differ in {odd}")
        return declared

    def report(self, step: StepSpec, error: Exception) -> None:
        """Add what is wrong with a step, at its own line."""
        hint, line = getattr(error, "hint", ""), step.location.line
        found = getattr(error, "location", None)
        if isinstance(error, SqlError) and found and found.line and step.sql is not None:
            line = (step.location.line or 1) + found.line - 1
        message = getattr(error, "message", str(error))
        where = Location(step.location.path, line)
        self.problems.append(Problem("bad-fleet-step", message, where, hint))

    def check_contracts(self, cut: Cut) -> None:
        """Add columns that contracts speak of and tables have not."""
        for name in (*cut.sources, *cut.steps):
            contract, schema = self.project.contracts.get(name), self.schemas.get(name)
            if contract is None or schema is None:
                continue
            for one in compile_table(self.project, name, schema):
                if one.problem:
                    message = f"the contract of {name}: {one.problem}"
                    where = one.check.location
                    self.problems.append(Problem("unknown-column", message, where))

    def check_alerts(self, cut: Cut) -> None:
        """Add alerts whose conditions and columns do not fit their tables."""
        for each in self.project.fleets.alerts:
            alert = each.spec
            schema = self.schemas.get(alert.table)
            if alert.table not in (*cut.sources, *cut.steps) or schema is None:
                continue
            try:
                self._check_alert(alert, TableSchema((*schema.columns, _NODE)))
            except SqlError as error:
                message = f"alert {alert.name!r}: {error.message}"
                found = Problem("bad-value", message, each.location, error.hint)
                self.problems.append(found)

    def _check_alert(self, alert: StreamAlert, schema: TableSchema) -> None:
        names = tuple(dict.fromkeys(schema.names))
        for name in filter(None, (alert.distinct, alert.column)):
            if name not in names:
                hint = nearest(name, names, noun="column")
                raise SqlError(f"{alert.table} has no column {name!r}", hint=hint)
        for name in MESSAGE_COLUMN.findall(alert.message):
            if name not in names:
                hint = nearest(name, names, noun="column")
                raise SqlError(f"its message names {name!r}, no column of {alert.table}", hint=hint)
        self.session.bind(alert.table, self._empty(alert.table))
        # the line end closes a comment
        query = f"select * from {quote_identifier(alert.table)} where ({alert.condition}\n)"
        self.session.describe(query)


def find_edge(project: ProjectSpec, name: str) -> EdgeSource:
    """Return what a node has to know of a source that it reads."""
    edge = project.sources[name].edge
    assert edge is not None  # noqa: S101  # only sources of fleets are asked for
    return edge


def compile_table(
    project: ProjectSpec, table: str, schema: TableSchema
) -> tuple[CompiledCheck, ...]:
    """Return the SQL of the checks of a table's contract."""
    from segue.judge.compile import compile_checks

    return compile_checks(project.contracts[table], schema, load_check)
