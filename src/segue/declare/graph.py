"""The graph that the names make: every table known, every step after what it reads."""

from __future__ import annotations

import re
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from segue.declare.problems import REJECTS
from segue.errors import Location
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from segue.declare.problems import Problems
    from segue.spec.contract import Contract
    from segue.spec.step import SourceSpec, StepSpec


def index_steps(
    steps: Iterable[StepSpec], sources: Mapping[str, SourceSpec], problems: Problems
) -> dict[str, StepSpec]:
    """Return steps by name; a name that two of them share, or a source has, is reported.

    Names that differ only by case are the same to SQL, and so to this function.
    """
    seen: dict[str, tuple[str, Location, str]] = {
        name.lower(): (name, source.location, "source") for name, source in sources.items()
    }
    if len(seen) < len(sources):
        _report_folded_sources(sources, problems)
    named: dict[str, StepSpec] = {}
    for step in steps:
        folded = step.name.lower()
        if folded not in seen:
            seen[folded] = (step.name, step.location, "step")
            named[step.name] = step
            continue
        name, location, noun = seen[folded]
        alike = "" if name == step.name else f" {name!r}, which SQL takes for the same name,"
        message = f"{step.name!r} is declared twice:{alike} the {noun} at {location}"
        problems.add("duplicate-name", message, step.location, "rename one of them")
    return named


def _report_folded_sources(sources: Mapping[str, SourceSpec], problems: Problems) -> None:
    first: dict[str, str] = {}
    for name, source in sources.items():
        other = first.setdefault(name.lower(), name)
        if other != name:
            message = f"{name!r} and {other!r} differ only by case, which SQL does not see"
            problems.add("duplicate-name", message, source.location, "rename one of them")


def resolve_reads(
    steps: Mapping[str, StepSpec],
    sources: Mapping[str, SourceSpec],
    contracts: Mapping[str, Contract],
    broken: AbstractSet[str],
    problems: Problems,
    more: Iterable[str] = (),
) -> dict[str, StepSpec]:
    """Give each step's inputs the names that their tables have, and report unknown ones.

    Args:
        steps: Steps by name.
        sources: Source tables by name.
        contracts: Contracts by table: those that set rejects aside make a second table.
        broken: Names that are declared and could not be read: no fault of their readers.
        problems: Takes what is wrong.
        more: Further tables that there are.
    """
    tables = [*steps, *sources]
    tables += [name + REJECTS for name in tables if name in contracts and contracts[name].rejects]
    tables += more
    known = set(tables)
    folded = {name.lower(): name for name in tables}
    excused = {name.lower() for name in broken}
    resolved = {}
    for name, step in steps.items():
        reads = step.reads
        if not known.issuperset(reads):
            found = [folded.get(table.lower(), table) for table in reads]
            reads = tuple(dict.fromkeys(found))
            for table in reads:
                if table not in known and table.lower().removesuffix(REJECTS) not in excused:
                    _report_unknown(table, step, tables, problems)
        resolved[name] = step if reads == step.reads else replace(step, reads=reads)
    return resolved


def _report_unknown(table: str, step: StepSpec, tables: Sequence[str], problems: Problems) -> None:
    where = _find_mention(table, step)
    base = table.removesuffix(REJECTS)
    if table != base and base in tables:
        hint = f"write rejects: true in the contract of {base}"
        message = f"{table!r} does not exist: {base!r} sets no rows aside"
        problems.add("unknown-table", message, where, hint)
        return
    near = nearest(table, list(tables), noun="table")
    declare = f"declare it: steps/{table}.sql, or [tables.{table}] in segue.toml"
    hint = f"{near} Or {declare}" if near.endswith("?") else f"{near}; or {declare}"
    problems.add("unknown-table", f"there is no table {table!r}", where, hint)


def _find_mention(table: str, step: StepSpec) -> Location:
    """Return the line of a step's SQL that names a table."""
    found = re.search(rf"(?<!--)\b{re.escape(table)}\b", step.sql or "")
    if step.sql is None or found is None:
        return step.location
    below = step.sql.count("\n", 0, found.start())
    return Location(step.location.path, (step.location.line or 1) + below)


def order_steps(
    steps: Mapping[str, StepSpec], contracts: Mapping[str, Contract], problems: Problems
) -> tuple[str, ...]:
    """Return the names of all steps, a table before its readers; cycles are reported.

    A contract that looks into another table makes its step wait for that table, too; that of
    a source makes the source's readers wait, but for those that the table is made from.
    """
    # sorted, so that the order is the same in every process
    needs = {name: sorted(_needs(step, steps, contracts)) for name, step in steps.items()}
    for name, step in steps.items():
        reads = (table.removesuffix(REJECTS) for table in step.reads)
        behind = (contracts[table].references for table in reads if table in contracts)
        for table in sorted({table for tables in behind for table in tables} & steps.keys()):
            if name not in _find_before(needs, table):
                needs[name].append(table)
    while True:
        try:
            return tuple(TopologicalSorter(needs).static_order())
        except CycleError as error:
            # graphlib gives predecessors: reversed, the path reads "a needs b"
            path = list(reversed(error.args[1]))
            _report_cycle(path, steps, problems)
            needs[path[0]].remove(path[1])


def _find_before(needs: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """Return a step, and all that must be done before it."""
    found, ahead = set(), [name]
    while ahead:
        if (step := ahead.pop()) not in found:
            found.add(step)
            ahead += needs[step]
    return found


def _needs(
    step: StepSpec, steps: Mapping[str, StepSpec], contracts: Mapping[str, Contract]
) -> set[str]:
    contract = contracts.get(step.name)
    references = contract.references if contract else ()
    needs = {table.removesuffix(REJECTS) for table in step.reads}
    needs |= {table for table in references if table != step.name}
    return needs & steps.keys()


def _report_cycle(path: list[str], steps: Mapping[str, StepSpec], problems: Problems) -> None:
    start = path.index(min(path[:-1]))
    path = [*path[start:-1], *path[:start], path[start]]
    shown = " -> ".join(path)
    places = ", ".join(f"{name} at {steps[name].location}" for name in path[:-1])
    message = f"steps read each other in a circle: {shown} ({places})"
    hint = "take one of these reads out, or split a step in two"
    problems.add("cycle", message, steps[path[0]].location, hint)
