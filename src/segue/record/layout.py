"""Where the boxes of a drawn lineage stand: in columns from left to right, with few crossings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.record.lineage import Lineage

SWEEPS = 8
"""Passes that reorder columns; more change next to nothing."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where nodes stand, and which way edges take.

    Attributes:
        columns: Names of nodes by column, from top to bottom; the empty string followed by a
            number stands for an edge that passes through a column.
        routes: For each edge, the names that it passes in each column, ends included.
    """

    columns: tuple[tuple[str, ...], ...]
    routes: Mapping[tuple[str, str], tuple[str, ...]]


def lay_out(lineage: Lineage) -> Layout:
    """Return columns of nodes: a node stands right of all that it is made from."""
    ranks = _rank(lineage)
    columns: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for node in lineage.nodes:
        columns[ranks[node.name]].append(node.name)
    routes: dict[tuple[str, str], tuple[str, ...]] = {}
    for edge in lineage.edges:
        passed = []
        for rank in range(ranks[edge.start] + 1, ranks[edge.end]):
            # a passing edge takes a place of its own, so that it runs around boxes
            name = f"\0{len(routes)}:{rank}"
            columns[rank].append(name)
            passed.append(name)
        routes[edge.start, edge.end] = (edge.start, *passed, edge.end)
    _uncross(columns, list(routes.values()))
    return Layout(tuple(map(tuple, columns)), routes)


def _rank(lineage: Lineage) -> dict[str, int]:
    """Return each node's column: one more than the last of what it is made from."""
    before: dict[str, list[str]] = {node.name: [] for node in lineage.nodes}
    after: dict[str, list[str]] = {node.name: [] for node in lineage.nodes}
    for edge in lineage.edges:
        before[edge.end].append(edge.start)
        after[edge.start].append(edge.end)
    waiting = {name: len(starts) for name, starts in before.items()}
    ready = [name for name, count in waiting.items() if not count]
    ranks = dict.fromkeys(before, 0)
    for name in ready:
        for end in after[name]:
            ranks[end] = max(ranks[end], ranks[name] + 1)
            waiting[end] -= 1
            if not waiting[end]:
                ready.append(end)
    # Sources move right to their first reader, so that arrows stay short.
    for name in reversed(ready):
        if not before[name] and after[name]:
            ranks[name] = min(ranks[end] for end in after[name]) - 1
    return ranks


def _uncross(columns: list[list[str]], routes: Sequence[tuple[str, ...]]) -> None:
    """Order each column by the middle of its neighbours, forth and back a few times."""
    left: dict[str, list[str]] = {}
    right: dict[str, list[str]] = {}
    for route in routes:
        for start, end in pairwise(route):
            left.setdefault(end, []).append(start)
            right.setdefault(start, []).append(end)
    places = {name: place for column in columns for place, name in enumerate(column)}
    for sweep in range(SWEEPS):
        neighbours = left if sweep % 2 == 0 else right
        for column in columns if sweep % 2 == 0 else reversed(columns):
            middles = {
                name: sum(places[n] for n in near) / len(near)
                if (near := neighbours.get(name))
                else float(places[name])
                for name in column
            }
            column.sort(key=middles.__getitem__)
            places.update({name: place for place, name in enumerate(column)})
