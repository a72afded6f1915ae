"""What may stand where in a graph that is cut: steps at nodes, and what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.declare.problems import REJECTS
from segue.spec.edge import GAPS_SUFFIX
from segue.spec.step import Mode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from segue.declare.problems import Problems
    from segue.declare.toml import Config
    from segue.spec.step import SourceSpec, StepSpec

_KEPT = {
    Mode.MERGE: "a node sends rows and never looks at a table: merge them here, in the next step",
    Mode.EFFECT: "return a frame, or let a step that runs here do it",
}


def find_fleet_tables(
    steps: Mapping[str, StepSpec], sources: Mapping[str, SourceSpec], config: Config
) -> dict[str, str]:
    """Return the fleet of each table that nodes make, by name.

    Args:
        steps: Steps by name, with or without what ``[steps.<name>]`` says.
        sources: Source tables by name.
        config: What ``segue.toml`` says.
    """
    found = {name: source.on for name, source in sources.items() if source.edge is not None}
    for name, step in steps.items():
        stated = config.settings.steps.get(name)
        on = (stated.on if stated is not None else None) or step.on
        if on in config.fleets:
            found[name] = on
    return found


def name_companions(tables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tables of what was set aside of these, and of losses that were declared.

    Rows are set aside at nodes without a contract, too: lines that can't be read.
    """
    return tuple(f"{table}{ending}" for table in tables for ending in (REJECTS, GAPS_SUFFIX))


def check_fleet_steps(
    steps: Mapping[str, StepSpec],
    tables: Mapping[str, str],
    broken: Collection[str],
    problems: Problems,
) -> None:
    """Report steps that can't run at nodes.

    Args:
        steps: Steps by name, each where it is to run.
        tables: The fleet of each table that nodes make.
        broken: Names of what could not be read, which is reported already.
        problems: Takes what is wrong.
    """
    checker = _Checker(steps, tables, broken, problems)
    for name in steps.keys() & tables.keys():
        checker.check(steps[name])


def check_windows(steps: Mapping[str, StepSpec], problems: Problems) -> None:
    """Report steps whose windows would show in a view that they read besides.

    Args:
        steps: Steps by name.
        problems: Takes what is wrong.
    """
    for step in steps.values():
        if step.window is None or not step.reads:
            continue
        first, *others = step.reads
        for view in others:
            if first in _find_behind(steps, view):
                message = (
                    f"{step.name!r} has a window over {first!r}, and reads it without one by the"
                    f" view {view!r}"
                )
                hint = f"make {view!r} a table, or the window a step of its own"
                problems.add("bad-option", message, step.location, hint)


def _find_behind(steps: Mapping[str, StepSpec], view: str) -> set[str]:
    """Return what a view reads, straight or through other views; nothing for a table."""
    step = steps.get(view)
    if step is None or step.mode is not Mode.VIEW:
        return set()
    return {*step.reads}.union(*(_find_behind(steps, read) for read in step.reads))


def find_streams(
    steps: Mapping[str, StepSpec], tables: Mapping[str, str], table: str
) -> tuple[str, ...]:
    """Return the tables of fleets whose rows a table is: itself, or those behind a view."""
    if table in tables:
        return (table,)
    step = steps.get(table)
    if step is None or step.mode is not Mode.VIEW:
        return ()
    found = (stream for read in step.reads for stream in find_streams(steps, tables, read))
    return tuple(dict.fromkeys(found))


class _Checker:
    def __init__(
        self,
        steps: Mapping[str, StepSpec],
        tables: Mapping[str, str],
        broken: Collection[str],
        problems: Problems,
    ) -> None:
        self.steps = steps
        self.tables = tables
        self.broken = broken
        self.problems = problems

    def check(self, step: StepSpec) -> None:
        """Report what is wrong with one step of a fleet."""
        if step.mode in _KEPT:
            what = "has no table" if step.mode is Mode.EFFECT else "has mode merge"
            self.report(step, f"{step.name!r} can't run on a fleet: it {what}", _KEPT[step.mode])
        streams = self.find_own(step)
        if len(streams) > 1:
            self.report(
                step,
                f"{step.name!r} reads {' and '.join(map(repr, streams))}, which both come in at"
                f" the nodes of {step.on!r}: a step at a node reads one stream",
                "join them in a step that runs here, or push one of them as a reference table",
            )
        elif not streams and not any(table in self.broken for table in step.reads):
            self.report(
                step,
                f"{step.name!r} runs on {step.on!r} and reads no table of it",
                f"let it read a table with on = {step.on!r}, or leave its `on` out",
            )
        elif streams and step.window is not None and step.reads[0] != streams[0]:
            self.report(
                step,
                f"the window of {step.name!r} is over {step.reads[0]!r}, its first table, which"
                " is none that comes in at the nodes",
                f"let it read {streams[0]!r} first",
            )

    def find_own(self, step: StepSpec) -> tuple[str, ...]:
        """Return the streams that a step reads, and report what it can't read."""
        found: dict[str, None] = {}
        for table in step.reads:
            base = table.removesuffix(REJECTS).removesuffix(GAPS_SUFFIX)
            if base != table and base in self.tables:
                self.report(
                    step,
                    f"{step.name!r} reads {table!r}, which nodes do not have",
                    "let a step that runs here read it",
                )
                continue
            streams = self.look_through(table)
            others = [name for name in streams if self.tables[name] != step.on]
            if others:
                self.report(
                    step,
                    f"{step.name!r} runs on {step.on!r} and reads {others[0]!r}, which is of"
                    f" {self.tables[others[0]]!r}",
                    "nodes of one fleet do not see another's rows: join them in a step here",
                )
            elif streams and table not in self.tables and step.sql is None:
                self.report(
                    step,
                    f"{step.name!r} reads the view {table!r}, which only SQL steps can at a node",
                    f'place the view there as well: [steps.{table}] with on = "{step.on}"',
                )
            found |= dict.fromkeys(name for name in streams if name not in others)
        return tuple(found)

    def look_through(self, table: str) -> tuple[str, ...]:
        """Return the streams whose rows a table is."""
        return find_streams(self.steps, self.tables, table)

    def report(self, step: StepSpec, message: str, hint: str) -> None:
        """Report what is wrong with a step."""
        self.problems.add("bad-fleet-step", message, step.location, hint)
