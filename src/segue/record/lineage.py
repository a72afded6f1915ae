"""Where tables and columns come from, and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.errors import UnknownNameError
from segue.plan.graph import find_maker, follow
from segue.record.columns import trace_columns
from segue.registry import nearest
from segue.spec.step import Mode
from segue.spec.windows import END, START

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from segue.spec.step import ProjectSpec, StepSpec
    from segue.spec.types import TableSchema

_KINDS = {Mode.VIEW: "view", Mode.EFFECT: "effect"}


@dataclass(frozen=True, slots=True)
class Node:
    """A table, or a column of one, in a lineage.

    Attributes:
        name: ``table``, or ``table.column``; ``table.*`` stands for all of its columns.
        kind: Kind of the table: ``source``, ``table``, ``view``, ``effect`` or ``rejects``.
    """

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One thing that another is made from.

    Attributes:
        start: What it is made from.
        end: What is made.
        how: ``reads``, ``rejects``, ``checks`` for a table that a contract looks into; for
            columns, also why they can't be told apart: ``all columns (Python)``.
    """

    start: str
    end: str
    how: str = "reads"


@dataclass(frozen=True, slots=True)
class Lineage:
    """What is made from what: nodes before those that are made from them.

    Attributes:
        nodes: Tables or columns.
        edges: What they are made from.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def _repr_html_(self) -> str:
        """Return the lineage as notebooks show it."""
        from segue.record.svg import draw_svg

        return f'<div style="overflow-x: auto">{draw_svg(self)}</div>'

    def upstream(self, name: str) -> Lineage:
        """Return the part that a node is made from, the node included."""
        return self._keep(follow(self._follow_back(), [name]) | {name})

    def downstream(self, name: str) -> Lineage:
        """Return the part that is made from a node, the node included."""
        return self._keep(follow(self._follow_on(), [name]) | {name})

    def around(self, name: str) -> Lineage:
        """Return all that a node is made from and all that is made from it.

        Raises:
            UnknownNameError: There is no such node.
        """
        names = tuple(node.name for node in self.nodes)
        if name not in names:
            raise UnknownNameError(
                f"there is no table called {name!r}", hint=nearest(name, names, noun="table")
            )
        before, after = follow(self._follow_back(), [name]), follow(self._follow_on(), [name])
        return self._keep(before | after | {name})

    def _keep(self, names: set[str]) -> Lineage:
        return Lineage(
            tuple(node for node in self.nodes if node.name in names),
            tuple(edge for edge in self.edges if edge.start in names and edge.end in names),
        )

    def _follow_back(self) -> dict[str, tuple[str, ...]]:
        return _group((edge.end, edge.start) for edge in self.edges)

    def _follow_on(self) -> dict[str, tuple[str, ...]]:
        return _group((edge.start, edge.end) for edge in self.edges)


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """Where a column comes from and where it goes.

    Attributes:
        column: ``table.column``.
        graph: It, and all columns that it is made from or that are made from it.
    """

    column: str
    graph: Lineage

    def _repr_html_(self) -> str:
        """Return the graph as notebooks show it."""
        return self.graph._repr_html_()

    @property
    def upstream(self) -> Lineage:
        """What the column is made from."""
        return self.graph.upstream(self.column)

    @property
    def downstream(self) -> Lineage:
        """What is made from the column."""
        return self.graph.downstream(self.column)


def _group(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in grouped.items()}


def table_lineage(project: ProjectSpec) -> Lineage:
    """Return which tables of a project come from which."""
    nodes = {name: Node(name, "source") for name in project.sources}
    edges: list[Edge] = []
    for name, step in project.steps.items():
        for table in step.reads:
            if table not in nodes:
                nodes[table] = Node(table, "rejects")
                edges.append(Edge(find_maker(project, table) or _owner(table), table, "rejects"))
            edges.append(Edge(table, name))
        nodes[name] = Node(name, _KINDS.get(step.mode, "table"))
        contract = project.contracts.get(name)
        looked_into = contract.references if contract else ()
        edges += (Edge(t, name, "checks") for t in looked_into if t not in (name, *step.reads))
    known = {edge for edge in edges if edge.start in nodes}
    return Lineage(tuple(nodes.values()), tuple(edge for edge in edges if edge in known))


def _owner(table: str) -> str:
    return table.rpartition("__")[0]


def column_lineage(
    project: ProjectSpec, schemas: Mapping[str, TableSchema], column: str
) -> ColumnLineage:
    """Return where a column comes from and where it goes, as far as SQL tells.

    A Python function does not say which column it makes from which: there the way ends
    with all columns of its inputs.

    Args:
        project: The project.
        schemas: Columns of tables, where they are known; views need none.
        column: ``table.column``.

    Raises:
        UnknownNameError: There is no such table or column.
    """
    tracer = _Tracer(project, schemas)
    table, _, name = column.partition(".")
    if table not in tracer.kinds:
        hint = nearest(table or column, tuple(tracer.kinds), noun="table")
        raise UnknownNameError(f"there is no table called {table or column!r}", hint=hint)
    known = tracer.columns(table)
    if known and name not in known:
        raise UnknownNameError(
            f"{table} has no column {name!r}", hint=nearest(name, known, noun="column")
        )
    edges = tracer.trace_back(table, name) + tracer.trace_on(table, name)
    return ColumnLineage(column, tracer.gather(column, edges))


class _Tracer:
    """Finds the columns that columns are made from; each step's SQL is looked at once."""

    def __init__(self, project: ProjectSpec, schemas: Mapping[str, TableSchema]) -> None:
        self.project = project
        self.schemas = schemas
        tables = table_lineage(project)
        self.kinds = {node.name: node.kind for node in tables.nodes}
        self.readers = _group((e.start, e.end) for e in tables.edges if e.how == "reads")
        self.made: dict[str, dict[str, list[Edge]]] = {}

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's columns, as far as they are known."""
        if table in self.schemas:
            return self.schemas[table].names
        step = self.project.steps.get(table)
        return tuple(self.origins(step)) if step is not None and step.sql is not None else ()

    def origins(self, step: StepSpec) -> dict[str, list[Edge]]:
        """Return by column of a step what it is made from."""
        if step.name not in self.made:
            names = self.schemas[step.name].names if step.name in self.schemas else ()
            if step.sql is None:
                self.made[step.name] = self._blur(step, names, "all columns (Python)")
            else:
                inputs = {table: self.columns(table) for table in step.reads}
                behind: dict[tuple[str, str], str] = {}
                if step.window is not None:
                    first = step.reads[0]
                    behind = {(first, name): step.window.column for name in (START, END)}
                    inputs[first] = (*inputs[first], START, END) if inputs[first] else ()
                told = {
                    name: [
                        Edge(f"{t}.{behind.get((t, c), c)}", f"{step.name}.{name}")
                        for t, c in origins
                    ]
                    for name, origins in trace_columns(step.sql, names, inputs).items()
                }
                untold = [name for name in names if name not in told]
                self.made[step.name] = {
                    **self._blur(step, untold, "all columns (not traceable)"),
                    **told,
                }
        return self.made[step.name]

    def _blur(self, step: StepSpec, names: Iterable[str], how: str) -> dict[str, list[Edge]]:
        """Make each column come from all columns of all inputs."""
        return {
            name: [Edge(f"{table}.*", f"{step.name}.{name}", how) for table in step.reads]
            for name in names
        }

    def trace_back(self, table: str, column: str) -> list[Edge]:
        """Return the edges that lead to a column."""
        found: dict[Edge, None] = {}
        ahead, met = [(table, column)], {(table, column)}
        while ahead:
            table, column = ahead.pop()
            step = self.project.steps.get(table)
            for edge in self.origins(step).get(column, ()) if step is not None else ():
                found[edge] = None
                # names of tables are words; those of columns may hold dots
                other, _, name = edge.start.partition(".")
                if name != "*" and (other, name) not in met:
                    met.add((other, name))
                    ahead.append((other, name))
        return list(found)

    def trace_on(self, table: str, column: str) -> list[Edge]:
        """Return the edges that lead from a column on."""
        found: dict[Edge, None] = {}
        ahead, met = [(table, column)], {(table, column)}
        while ahead:
            table, column = ahead.pop()
            for reader in self.readers.get(table, ()):
                step = self.project.steps.get(reader)
                for name, edges in (self.origins(step) if step else {}).items():
                    for edge in edges:
                        if edge.start not in (f"{table}.{column}", f"{table}.*"):
                            continue
                        found[Edge(f"{table}.{column}", edge.end, edge.how)] = None
                        if (reader, name) not in met:
                            met.add((reader, name))
                            ahead.append((reader, name))
        return list(found)

    def gather(self, column: str, edges: list[Edge]) -> Lineage:
        """Return a lineage of columns, in the order of the tables."""
        names = dict.fromkeys([column, *(name for e in edges for name in (e.start, e.end))])
        order = list(self.kinds)
        ordered = sorted(names, key=lambda name: order.index(name.partition(".")[0]))
        nodes = tuple(Node(name, self.kinds[name.partition(".")[0]]) for name in ordered)
        return Lineage(nodes, tuple(dict.fromkeys(edges)))
