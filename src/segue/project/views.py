"""What a project shows of its plans and tables."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segue.errors import SegueError
from segue.place.edge import ARRIVING
from segue.registry import load_source
from segue.settings import redact, redact_all
from segue.spec.contract import Report
from segue.spec.run import RunSummary
from segue.spec.shown import Shown
from segue.spec.step import Mode

if TYPE_CHECKING:
    from segue.project.cuts import FleetPlan
    from segue.spec.output import TableVersion
    from segue.spec.plan import Plan
    from segue.spec.run import Snapshot
    from segue.spec.step import ProjectSpec
    from segue.spec.types import TableSchema


@dataclass(frozen=True, slots=True)
class PlannedRun(Shown):
    """A plan that can be shown, compared and turned into JSON.

    Attributes:
        plan: The plan of what runs here.
        fleets: What nodes of fleets do besides, and what comes from them.
    """

    plan: Plan
    fleets: tuple[FleetPlan, ...] = ()

    @property
    def text(self) -> str:
        """The plan as a table of plain text."""
        from segue.plan.explain import plan_text

        text = plan_text(self.plan) if self.plan.steps or not self.fleets else ""
        parts = (*("\n".join(each.lines) for each in self.fleets), text)
        told = "\n\n".join(filter(None, parts))
        return redact(told, self.plan.project.secrets, os.environ)

    def show(self) -> None:
        """Print the plan."""
        print(self.text)  # noqa: T201  # what it is for

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        from segue.plan.explain import plan_to_json

        told = plan_to_json(self.plan)
        if self.fleets:
            told["fleets"] = [each.to_json() for each in self.fleets]
        document: dict[str, Any] = redact_all(told, self.plan.project.secrets, os.environ)
        return document


@dataclass(frozen=True, slots=True)
class TableInfo(Shown):
    """A table in the list of tables.

    Attributes:
        name: Name of the table.
        kind: ``source``, ``arriving``, ``table``, ``view``, ``effect`` or ``rejects``.
        rows: Rows of the published version; None where there is none.
        bytes: Size of its files, likewise.
        version: Number of the published version, likewise.
        published_at: UTC time as ISO text, likewise.
        run_id: Run that published it, likewise.
        columns: Its columns, likewise.
        owner: Who answers for it, from its contract.
        about: What it is, from its contract or its step.
    """

    name: str
    kind: str
    rows: int | None = None
    bytes: int | None = None
    version: int | None = None
    published_at: str = ""
    run_id: str = ""
    columns: TableSchema | None = None
    owner: str = ""
    about: str = ""


class Tables(tuple[TableInfo, ...], Shown):
    """Tables of a project, which a notebook shows as one list."""

    __slots__ = ()


class Reports(tuple[Report, ...], Shown):
    """Reports of several tables, likewise."""

    __slots__ = ()


class Runs(tuple[RunSummary, ...], Shown):
    """Runs, likewise."""

    __slots__ = ()


def list_tables(project: ProjectSpec, snapshot: Snapshot) -> Tables:
    """Return every table of a project: sources, steps in the order of the graph, rejects."""
    names = [
        (name, ARRIVING if source.kind == ARRIVING else "source")
        for name, source in project.sources.items()
    ]
    for step in project.steps.values():
        kind = step.mode.value if step.mode in (Mode.VIEW, Mode.EFFECT) else "table"
        names.append((step.name, kind))
    known = {name for name, _ in names}
    names += [(name, "rejects") for name in snapshot.versions if name not in known]
    versions = snapshot.versions
    return Tables(_describe(project, name, kind, versions.get(name)) for name, kind in names)


def _describe(
    project: ProjectSpec, name: str, kind: str, version: TableVersion | None
) -> TableInfo:
    contract, step = project.contracts.get(name), project.steps.get(name)
    info = TableInfo(
        name,
        kind,
        owner=contract.owner if contract else "",
        about=(contract.about if contract else "") or (step.about if step else ""),
    )
    if kind == ARRIVING:
        return _look_at(project, info)
    if version is None:
        return info
    return replace(
        info,
        rows=version.rows,
        bytes=version.bytes,
        version=version.number,
        published_at=version.published_at,
        run_id=version.run_id,
        columns=version.schema,
    )


def _look_at(project: ProjectSpec, info: TableInfo) -> TableInfo:
    """Add what has arrived in a table that nodes send."""
    kind, source = load_source(ARRIVING), project.sources[info.name]
    try:
        state = kind.observe(source, project.root)
        columns = kind.scan(source, project.root, project.root).schema
    except SegueError:  # whoever reads the table is told
        return info
    return replace(info, rows=state.rows, bytes=state.bytes, columns=columns)
