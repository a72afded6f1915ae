"""Which steps follow which source, and which sent tables come of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.edge import EdgePart, EdgeSource, EdgeStep


@dataclass(frozen=True, slots=True)
class Tree:
    """A source with all steps that see its micro-batches, each after the one it follows.

    Attributes:
        source: The source.
        steps: The steps.
    """

    source: EdgeSource
    steps: tuple[EdgeStep, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of all tables of the tree."""
        return (self.source.name, *(step.name for step in self.steps))


def plant_trees(part: EdgePart) -> tuple[Tree, ...]:
    """Return a tree for each source: a step sees the micro-batches of one table."""
    trees = []
    for source in part.sources:
        known = {source.name}
        steps = []
        for step in part.steps:
            if step.stream in known:
                known.add(step.name)
                steps.append(step)
        trees.append(Tree(source, tuple(steps)))
    return tuple(trees)


def find_descendants(part: EdgePart) -> Mapping[str, tuple[str, ...]]:
    """Return for each table the sent tables that it is, or that come of it.

    What is set aside or lost at a table is missing from all of these, so that each of them
    hears of it: a sent table, its rejects and its gaps are together what its source gave.
    """
    sent = {each.table for each in part.sent}
    found: dict[str, list[str]] = {source.name: [] for source in part.sources}
    parents = {step.name: step.stream for step in part.steps}
    found |= {step.name: [] for step in part.steps}
    for table in (each.table for each in part.sent if each.table in found):
        at: str | None = table
        while at is not None and at in found:
            found[at].append(table)
            at = parents.get(at)
    return {table: tuple(name for name in names if name in sent) for table, names in found.items()}
