"""Which steps a user means: names, globs, tags, and what lies before and behind them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from segue.errors import SelectionError
from segue.plan.graph import find_maker, find_source, follow, map_needs, map_readers
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.step import ProjectSpec

TAG = "tag:"


def select_steps(project: ProjectSpec, terms: Sequence[str]) -> tuple[str, ...]:
    """Return the steps that terms select, in the order of the graph.

    Args:
        project: The project.
        terms: Each is a name, a glob such as ``stg_*``, or ``tag:word``; a leading ``+`` adds
            what it needs, a trailing ``+`` what depends on it. All steps if there is none.

    Raises:
        SelectionError: A term selects nothing.
    """
    if not terms:
        return tuple(project.steps)
    needs = map_needs(project)
    readers = map_readers(needs)
    chosen: set[str] = set()
    for term in terms:
        core = term.strip().removeprefix("+").removesuffix("+")
        before, behind = term.strip().startswith("+"), term.strip().endswith("+")
        named = _match(project, core, term, behind=behind)
        chosen |= named & set(project.steps)
        if before:
            chosen |= follow(needs, named)
        if behind:
            chosen |= follow(readers, named) | _source_readers(project, readers, named)
    return tuple(name for name in project.steps if name in chosen)


def _match(project: ProjectSpec, core: str, term: str, *, behind: bool) -> set[str]:
    """Return the steps that the middle of a term names, or the one source of ``source+``."""
    if core.startswith(TAG):
        return _match_tag(project, core.removeprefix(TAG))
    if any(mark in core for mark in "*?["):
        named = {name for name in project.steps if fnmatchcase(name, core)}
        if not named:
            raise SelectionError(
                f"no step's name matches {core!r}",
                hint=nearest(core, tuple(project.steps), noun="step"),
            )
        return named
    maker = find_maker(project, core)
    if maker is not None:
        return {maker}
    if find_source(project, core) == core:
        if behind:
            return {core}
        raise SelectionError(
            f"{core!r} is a source: it comes from outside and has no step to run",
            hint=f"select the steps that depend on it with {core + '+'!r}",
        )
    raise SelectionError(
        f"there is no step called {core!r}" if core else f"{term!r} names no step",
        hint=nearest(core, tuple(project.steps), noun="step"),
    )


def _match_tag(project: ProjectSpec, tag: str) -> set[str]:
    named = {name for name, step in project.steps.items() if tag in step.tags}
    if not named:
        tags = tuple(sorted({tag for step in project.steps.values() for tag in step.tags}))
        raise SelectionError(f"no step has the tag {tag!r}", hint=nearest(tag, tags, noun="tag"))
    return named


def _source_readers(
    project: ProjectSpec, readers: dict[str, tuple[str, ...]], named: set[str]
) -> set[str]:
    sources = named - set(project.steps)
    direct = {
        name
        for name, step in project.steps.items()
        if any(find_source(project, table) in sources for table in step.reads)
    }
    return direct | follow(readers, direct)
