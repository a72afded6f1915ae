"""What a plan says of fleets: what nodes do, what crosses, and how much of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.declare.problems import REJECTS
from segue.errors import Problem, ProjectError, SegueError
from segue.place.edge import ARRIVING
from segue.project.local import open_fleet
from segue.registry import load_source
from segue.spec.edge import GAPS_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.conductor import Workspace
    from segue.place.edge import Cut
    from segue.spec.step import ProjectSpec

_THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Crossing:
    """A table that nodes send to the lake, and how much of it; None where nothing tells.

    Attributes:
        table: Name of the table.
        read_by: Steps that read it here.
        destinations: Names of the further destinations that get it.
        rows: Rows that have arrived.
        bytes: Bytes of their files.
        rows_per_day: Rows that cross in a day, by what arrived lately.
        bytes_per_day: Bytes of files, likewise.
        newest: When rows arrived last, as ISO text in UTC.
    """

    table: str
    read_by: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    rows: int | None = None
    bytes: int | None = None
    rows_per_day: float | None = None
    bytes_per_day: float | None = None
    newest: str = ""


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What the nodes of a fleet do, and what comes from them.

    Attributes:
        fleet: Name of the fleet.
        address: Where its hub is.
        sources: What nodes read, and the kind of each.
        steps: What they run, each after what it reads.
        references: Tables that are pushed to them.
        crossing: Tables that the lake gets.
        further: Tables that only other destinations get, and the names of these.
        alerts: Conditions that they watch.
    """

    fleet: str
    address: str
    sources: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    references: tuple[str, ...]
    crossing: tuple[Crossing, ...]
    further: tuple[tuple[str, tuple[str, ...]], ...] = ()
    alerts: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What it says in words, for people."""
        return tuple(_tell_fleet(self))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        told = asdict(self)
        told["sources"] = [{"table": name, "kind": kind} for name, kind in self.sources]
        told["further"] = [{"table": t, "destinations": list(to)} for t, to in self.further]
        return told


def plan_fleets(spec: ProjectSpec, workspace: Workspace) -> tuple[FleetPlan, ...]:
    """Return what each fleet does, once its steps are found to fit their columns.

    Args:
        spec: The project as declared.
        workspace: One for the part that runs here.

    Raises:
        ProjectError: With every step, contract and alert of a fleet that does not fit.
    """
    problems: list[Problem] = []
    plans = []
    for name in spec.fleets.places:
        with open_fleet(spec, workspace, name) as opened:
            problems += (*opened.described.problems, *_find_unsent(spec, opened.cut))
            plans.append(_plan_fleet(spec, opened.cut))
    if problems:
        raise ProjectError(tuple(problems))
    return tuple(plans)


def _find_unsent(spec: ProjectSpec, cut: Cut) -> Iterator[Problem]:
    """Yield steps here that read rejects or gaps of a table that does not leave the nodes.

    What is set aside there goes with the next table that does.
    """
    own = {*cut.sources, *cut.steps}
    sent = {*cut.crossing, *cut.further}
    for step in spec.steps.values():
        for table in step.reads:
            base = table.removesuffix(REJECTS).removesuffix(GAPS_SUFFIX)
            if base != table and base in own - sent:
                ending = table.removeprefix(base)
                yield Problem(
                    "bad-fleet-step",
                    f"{step.name!r} reads {table!r}, and {base!r} does not leave the nodes",
                    step.location,
                    f"read those of the table that does: {cut.crossing[-1]}{ending}",
                )


def _plan_fleet(spec: ProjectSpec, cut: Cut) -> FleetPlan:
    own = {*cut.sources, *cut.steps}
    return FleetPlan(
        cut.fleet,
        spec.fleets.places[cut.fleet].address,
        tuple((name, spec.sources[name].kind) for name in cut.sources),
        cut.steps,
        cut.references,
        tuple(_measure(spec, cut, table) for table in cut.crossing),
        tuple((table, _find_destinations(spec, table)) for table in cut.further),
        tuple(each.spec.name for each in spec.fleets.alerts if each.spec.table in own),
    )


def _measure(spec: ProjectSpec, cut: Cut, table: str) -> Crossing:
    made = Crossing(table, cut.readers.get(table, ()), _find_destinations(spec, table))
    kind: Any = load_source(ARRIVING)
    try:
        flow = kind.measure(Path(spec.lake) / table)
    except (SegueError, OSError):  # a plan does not need it, and who reads the table is told
        return made
    return (
        made if flow is None else Crossing(table, made.read_by, made.destinations, **asdict(flow))
    )


def _find_destinations(spec: ProjectSpec, table: str) -> tuple[str, ...]:
    return tuple(each.spec.name for each in spec.fleets.destinations if table in each.tables)


def _tell_fleet(plan: FleetPlan) -> Iterator[str]:
    yield f"At the nodes of {plan.fleet}" + (f" ({plan.address})" if plan.address else "") + ":"
    sources = ", ".join(f"{name} ({kind})" for name, kind in plan.sources)
    told = {
        "read": sources or "nothing",
        "run": ", ".join(plan.steps) or "nothing",
        "are given": ", ".join(plan.references),
        "watch for": ", ".join(plan.alerts),
    }
    for verb, what in told.items():
        if what:
            yield f"  {verb:<9}  {what}"
    for each in plan.crossing:
        more = f" and {', '.join(each.destinations)}" if each.destinations else ""
        readers = f"; {', '.join(each.read_by)} read it here" if each.read_by else ""
        if len(each.read_by) == 1:
            readers = f"; {each.read_by[0]} reads it here"
        yield f"  send       {each.table} to the lake{more}: {_tell_flow(each)}{readers}"
    for table, destinations in plan.further:
        yield f"  send       {table} to {', '.join(destinations)}"


def _tell_flow(crossing: Crossing) -> str:
    """Return how much crosses, in words."""
    if crossing.rows is None:
        return "unknown, nothing has arrived yet"
    arrived = f"{crossing.rows:,} {'row' if crossing.rows == 1 else 'rows'} so far"
    if crossing.rows_per_day is None or crossing.bytes_per_day is None:
        return f"{arrived}, too few to tell what a day brings"
    size = _tell_size(crossing.bytes_per_day)
    return f"{arrived}, about {crossing.rows_per_day:,.0f} rows and {size} a day"


def _tell_size(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < _THOUSAND:
            return f"{number:.3g} {unit}"
        number /= _THOUSAND
    return f"{number:.3g} TB"
