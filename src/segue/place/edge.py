"""Cuts a project in two: what runs at a fleet's nodes, and what runs here on what arrives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segue.declare.edge_graph import find_streams
from segue.declare.problems import REJECTS
from segue.spec.edge import GAPS_SUFFIX
from segue.spec.sql import quote_identifier
from segue.spec.step import Mode, SourceSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from segue.spec.contract import Contract
    from segue.spec.step import ProjectSpec, StepSpec

ARRIVING = "arriving"
"""Kind of the sources that stand here for tables which nodes send."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a project is cut for one fleet.

    Attributes:
        fleet: Name of the fleet.
        sources: Tables that its nodes read.
        steps: Steps that run at its nodes, each after what it reads.
        crossing: Tables that the hub gets, in the order of the graph.
        further: Tables that only destinations besides the lake get.
        references: Tables that are pushed to its nodes.
        readers: Steps here that read a table that crosses, by table.
    """

    fleet: str
    sources: tuple[str, ...]
    steps: tuple[str, ...]
    crossing: tuple[str, ...]
    further: tuple[str, ...]
    references: tuple[str, ...]
    readers: Mapping[str, tuple[str, ...]]


def map_fleets(project: ProjectSpec) -> dict[str, str]:
    """Return the fleet of each table that nodes make, sources first."""
    found = {name: source.on for name, source in project.sources.items() if source.edge is not None}
    places = project.fleets.places
    found |= {name: step.on for name, step in project.steps.items() if step.on in places}
    return found


def find_cut(project: ProjectSpec, fleet: str) -> Cut:
    """Return where a project is cut for a fleet: by what its steps say, and nothing else."""
    tables = map_fleets(project)
    own = tuple(name for name, on in tables.items() if on == fleet)
    steps = tuple(name for name in own if name in project.steps)
    read_there: dict[str, None] = {}
    references: dict[str, None] = {}
    for name in steps:
        for table in project.steps[name].reads:
            streams = find_streams(project.steps, tables, table)
            read_there |= dict.fromkeys(streams)
            references |= {} if streams else {table: None}
    read_here = find_read_here(project, tables)
    sent = {name for name in own if name in read_here or name not in read_there}
    # contracts of what crosses are judged here, with what they look into
    contracts = (project.contracts[name] for name in sent if name in project.contracts)
    sent |= {table for contract in contracts for table in contract.references if table in own}
    crossing = tuple(name for name in own if name in sent)
    wanted = {table for each in project.fleets.destinations for table in each.tables}
    return Cut(
        fleet,
        tuple(name for name in own if name in project.sources),
        steps,
        crossing,
        tuple(name for name in own if name in wanted and name not in crossing),
        tuple(references),
        {name: tuple(read_here[name]) for name in crossing if name in read_here},
    )


def find_read_here(project: ProjectSpec, tables: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the tables of fleets that are read here, each with the steps that do.

    What contracts here look into is read here, too.

    Args:
        project: The project.
        tables: The fleet of each table that nodes make.
    """
    read: dict[str, list[str]] = {}
    for name in list_steps_here(project, tables):
        contract = project.contracts.get(name)
        for table in (*project.steps[name].reads, *(contract.references if contract else ())):
            if table in tables:
                read.setdefault(table, []).append(name)
    return read


def list_steps_here(project: ProjectSpec, tables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the steps that do not run at nodes, without views that only nodes read."""
    readers: dict[str, set[str]] = {}
    for name, step in project.steps.items():
        for table in step.reads:
            readers.setdefault(table, set()).add(name)
    gone: set[str] = set()
    for name in reversed(tuple(project.steps)):
        view = project.steps[name].mode is Mode.VIEW and name in readers
        if name in tables or (
            view and readers[name] <= gone and find_streams(project.steps, tables, name)
        ):
            gone.add(name)
    return tuple(name for name in project.steps if name not in gone)


def inline_views(project: ProjectSpec, step: StepSpec, tables: Mapping[str, str]) -> str:
    """Return the SELECT of a fleet's step with the views in it that read the fleet's tables.

    Args:
        project: The project.
        step: A SQL step.
        tables: The fleet of each table that nodes make.
    """
    views: dict[str, str] = {}

    def add(names: Iterable[str]) -> None:
        for name in names:
            if name in tables or not find_streams(project.steps, tables, name):
                continue
            view = project.steps[name]
            add(view.reads)
            views[name] = view.sql or ""

    add(step.reads)
    if not views:
        return step.sql or ""
    # the line break ends a comment in a query's last line
    told = ",\n".join(f"{quote_identifier(name)} as (\n{sql}\n)" for name, sql in views.items())
    return f"with {told}\nselect * from (\n{step.sql}\n)"


def keep_local(
    project: ProjectSpec,
    is_there: Callable[[str], bool],
    tell_schema: Callable[[str], str],
) -> ProjectSpec:
    """Return the project without what runs at nodes; what arrives from them are sources.

    Args:
        project: The project as declared.
        is_there: Whether the lake has an arriving table yet.
        tell_schema: Columns of one that is not there yet, as an expression; empty if unknown.
    """
    tables = map_fleets(project)
    if not tables and not project.fleets.places:
        return project
    crossing = {
        name for fleet in project.fleets.places for name in find_cut(project, fleet).crossing
    }
    here = list_steps_here(project, tables)
    read = {table for name in here for table in project.steps[name].reads}
    arriving = {
        name: _arrive(project, name, is_there, tell_schema) for name in tables if name in crossing
    }
    for name in tables:
        for more in (f"{name}{REJECTS}", f"{name}{GAPS_SUFFIX}"):
            if name in crossing or more in read or is_there(more):
                arriving[more] = _arrive(project, more, is_there, tell_schema)
    own = {name: source for name, source in project.sources.items() if source.edge is None}
    return replace(
        project,
        sources=own | arriving,
        steps={name: project.steps[name] for name in here},
        contracts=_keep_contracts(project, tables, crossing),
        places={n: place for n, place in project.places.items() if n not in project.fleets.places},
    )


def _arrive(
    project: ProjectSpec,
    table: str,
    is_there: Callable[[str], bool],
    tell_schema: Callable[[str], str],
) -> SourceSpec:
    """Return the source that stands for an arriving table, its rejects or its gaps."""
    base = table.removesuffix(REJECTS).removesuffix(GAPS_SUFFIX)
    made = project.sources.get(base) or project.steps[base]
    options = {"path": f"{project.lake}/{table}"}
    if not is_there(table):
        options["columns"] = tell_schema(table)
    return SourceSpec(table, made.location, ARRIVING, options)


def _keep_contracts(
    project: ProjectSpec, tables: Mapping[str, str], crossing: Iterable[str]
) -> dict[str, Contract]:
    """Return the contracts that are judged here: those of arriving tables set nothing aside."""
    arriving = set(crossing)
    kept = {}
    for name, contract in project.contracts.items():
        if name not in tables:
            kept[name] = contract
        elif name in arriving:
            kept[name] = replace(contract, rejects=False)
    return kept
