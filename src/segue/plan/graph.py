"""The graph of a project's steps: who reads whom, straight and through others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.declare.problems import REJECTS
from segue.spec.step import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from segue.spec.step import ProjectSpec, StepSpec


def find_maker(project: ProjectSpec, table: str) -> str | None:
    """Return the step that makes a table, None for a source's table.

    Rejects are made by the step whose rows they are.
    """
    if table in project.steps:
        return table
    owner = table.removesuffix(REJECTS)
    return owner if owner in project.steps else None


def find_source(project: ProjectSpec, table: str) -> str | None:
    """Return the source that a table or its rejects come from, None for a step's table."""
    if table in project.sources:
        return table
    owner = table.removesuffix(REJECTS)
    return owner if owner in project.sources else None


def map_needs(project: ProjectSpec) -> dict[str, tuple[str, ...]]:
    """Return for each step the steps that must be done before it.

    These are the makers of what it reads, and of what its contract looks into.
    """
    needs = {}
    for name, step in project.steps.items():
        contract = project.contracts.get(name)
        tables = step.reads + (contract.references if contract else ())
        makers = (find_maker(project, table) for table in tables)
        needs[name] = tuple(dict.fromkeys(m for m in makers if m is not None and m != name))
    return needs


def map_readers(needs: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return for each step the steps that need it: `map_needs` turned round."""
    readers: dict[str, list[str]] = {name: [] for name in needs}
    for name, before in needs.items():
        for other in before:
            readers[other].append(name)
    return {name: tuple(after) for name, after in readers.items()}


def follow(edges: Mapping[str, tuple[str, ...]], starts: Iterable[str]) -> set[str]:
    """Return all that can be reached along `edges`, without the starts themselves.

    Example:
        >>> sorted(follow({"a": ("b",), "b": ("c",), "c": ()}, ["a"]))
        ['b', 'c']
    """
    reached: set[str] = set()
    ahead = [name for start in starts for name in edges.get(start, ())]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(edges.get(name, ()))
    return reached


def map_inputs(project: ProjectSpec) -> dict[str, tuple[str, ...]]:
    """Return for each step the stored tables and sources that it reads, through views.

    A view has no rows of its own: who reads it depends on what the view reads.
    """
    inputs: dict[str, tuple[str, ...]] = {}
    for name, step in project.steps.items():
        inputs[name] = tuple(dict.fromkeys(_see_through(step, project, inputs)))
    return inputs


def _see_through(
    step: StepSpec, project: ProjectSpec, inputs: Mapping[str, tuple[str, ...]]
) -> Iterable[str]:
    for table in step.reads:
        made = project.steps.get(table)
        if made is not None and made.mode is Mode.VIEW:
            yield from inputs[table]
        else:
            yield table
