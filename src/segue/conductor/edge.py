"""The edge part of a project: what its plan, its contracts and an engine's types say together."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from segue.conductor.edge_columns import (
    compile_table,
    find_edge,
    without_provenance,
)
from segue.declare.edge_graph import find_streams
from segue.place.edge import inline_views, map_fleets
from segue.settings import find_secrets
from segue.spec.edge import PROJECT, EdgeCheck, EdgePart, EdgeStep, SentTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from segue.judge.compile import CompiledCheck
    from segue.place.edge import Cut
    from segue.spec.edge import ReferenceTable, StreamAlert
    from segue.spec.step import ProjectSpec
    from segue.spec.types import TableSchema

MASK = "***"


def cut_edge(
    project: ProjectSpec,
    cut: Cut,
    schemas: Mapping[str, TableSchema],
    references: Iterable[ReferenceTable] = (),
) -> EdgePart:
    """Return the part of a project that runs at the nodes of a fleet.

    Args:
        project: The project as declared.
        cut: Where it is cut.
        schemas: Columns of all of the fleet's tables, as nodes have them.
        references: Its reference tables, as files of the bundle.
    """
    place = project.fleets.places[cut.fleet]
    tables = map_fleets(project)
    steps = tuple(_make_step(project, name, schemas, tables) for name in cut.steps)
    checks = tuple(_make_checks(project, cut, schemas))
    alerts = tuple(_take_alerts(project, cut, schemas))
    own = {*cut.crossing, *cut.further}
    destinations = tuple(each.spec for each in project.fleets.destinations if own & {*each.tables})
    sources = tuple(find_edge(project, name) for name in cut.sources)
    return EdgePart(
        project=project.name,
        fleet=cut.fleet,
        sources=sources,
        steps=steps,
        sent=tuple(_send(project, cut, name, schemas[name]) for name in schemas if name in own),
        spool=place.spool,
        checks=checks,
        references=tuple(references),
        destinations=destinations,
        alerts=alerts,
        memory=place.memory,
        cpu=place.cpu,
        needs_sql=bool(checks or alerts) or any(step.sql is not None for step in steps),
        secrets=_find_secrets((sources, destinations, alerts)),
        private=tuple(_find_private(project, cut)),
    )


def _find_private(project: ProjectSpec, cut: Cut) -> Iterator[str]:
    """Yield the tables whose errors may quote sensitive values: their own, or of what they read."""
    for name in (*cut.sources, *cut.steps):
        reads = project.steps[name].reads if name in project.steps else ()
        if any(map(project.hidden, (name, *reads))):
            yield name


def _make_step(
    project: ProjectSpec,
    name: str,
    schemas: Mapping[str, TableSchema],
    tables: Mapping[str, str],
) -> EdgeStep:
    step = project.steps[name]
    streams = {table: find_streams(project.steps, tables, table) for table in step.reads}
    (stream,) = dict.fromkeys(each for found in streams.values() for each in found)
    return EdgeStep(
        name=name,
        stream=stream,
        references=tuple(table for table, found in streams.items() if not found),
        fingerprint=step.fingerprint.digest,
        reads=tuple(stream if streams[table] else table for table in step.reads),
        sql=None if step.sql is None else inline_views(project, step, tables),
        function=step.function,
        window=step.window,
        by=step.by,
        sort=step.sort,
        parameters=project.parameters_of(step),
        schema=schemas[name],
        model=f"{PROJECT}/{step.model}" if step.model else None,
        how=step.how,
    )


def _make_checks(
    project: ProjectSpec, cut: Cut, schemas: Mapping[str, TableSchema]
) -> Iterator[EdgeCheck]:
    """Yield the checks that a row breaks by itself; others are judged where a table is whole."""
    for name in (*cut.sources, *cut.steps):
        contract = project.contracts.get(name)
        for one in compile_table(project, name, schemas[name]) if contract else ():
            if contract is not None and _is_of_rows(one):
                aside = contract.rejects and one.check.fail is not None
                yield EdgeCheck(name, one.check.name, one.failing, aside)


def _is_of_rows(one: CompiledCheck) -> bool:
    kind, check = one.kind, one.check
    beyond = ("compares", "fragile", "complete")
    alone = not any(getattr(kind, name, False) for name in beyond)
    return bool(
        one.failing
        and kind.row_level
        and alone
        and not one.inspects
        and not check.tables
        and check.slice.sample is None
    )


def _take_alerts(
    project: ProjectSpec, cut: Cut, schemas: Mapping[str, TableSchema]
) -> Iterator[StreamAlert]:
    """Yield the alerts of a fleet; their messages name no values of sensitive columns."""
    own = {*cut.sources, *cut.steps}
    for each in project.fleets.alerts:
        table = each.spec.table
        if table in own:
            message = each.spec.message
            for name in project.hidden(table).among(schemas[table].names):
                message = message.replace(f"{{{name}}}", MASK)
            yield replace(each.spec, message=message)


def _send(project: ProjectSpec, cut: Cut, table: str, schema: TableSchema) -> SentTable:
    sent = without_provenance(schema)
    return SentTable(
        table,
        sent,
        sha256(str(sent).encode()).hexdigest()[:16],
        tuple(e.spec.name for e in project.fleets.destinations if table in e.tables),
        lake=table in cut.crossing,
    )


def _find_secrets(values: object) -> tuple[str, ...]:
    """Return the names of environment variables that stand in texts of `values`."""
    found: dict[str, None] = {}

    def walk(value: object) -> None:
        if isinstance(value, str):
            found.update(dict.fromkeys(find_secrets(value)))
        elif isinstance(value, dict):
            walk(tuple(value.values()))
        elif isinstance(value, list | tuple):
            for each in value:
                walk(each)
        else:
            for name in ("options", "format_options", "send"):
                walk(getattr(value, name, ""))

    walk(values)
    return tuple(sorted(found))
