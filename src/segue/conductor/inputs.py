"""What a step rests on, at the moment it runs: its inputs, and what contracts look into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.plan.growth import mark_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.execute.tables import RunTables
    from segue.spec.output import StepMemory
    from segue.spec.plan import History, PlannedStep
    from segue.spec.step import ProjectSpec
    from segue.spec.types import TableSchema


def identify_inputs(planned: PlannedStep, tables: RunTables) -> dict[str, str]:
    """Return what each input of a step is now."""
    states = {name: tables.find(name) for name in planned.inputs}
    return {
        name: state.identity if state else planned.inputs[name] for name, state in states.items()
    }


def identify_references(planned: PlannedStep, tables: RunTables) -> dict[str, str]:
    """Return what each table is now that contracts look into for a step's verdict."""
    return {
        name: identity or (state.identity if (state := tables.find(name)) else "")
        for name, identity in planned.references.items()
    }


def count_inputs(planned: PlannedStep, tables: RunTables) -> dict[str, int]:
    """Return the rows of each input, where they are known without counting."""
    states = {name: tables.find(name) for name in planned.inputs}
    return {
        name: state.rows
        for name, state in states.items()
        if state and state.rows is not None and name not in planned.new_files
    }


def find_made_files(
    planned: PlannedStep, project: ProjectSpec, tables: RunTables
) -> dict[str, tuple[str, ...]]:
    """Return the files of a step's inputs that this run has made."""
    return {
        name: tuple(file.path for file in state.files)
        for name in planned.inputs
        if (state := tables.made.get(name)) and name not in project.sources
    }


def find_new_files(name: str, history: History) -> tuple[tuple[str, ...], ...]:
    """Return the paths of a source's files that were judged before, and of those that were not.

    Args:
        name: Name of the source.
        history: What is remembered of it, and how it looks now.

    Returns:
        Nothing where no files were noted when it was judged last: all are new.
    """
    memory = history.memories.get(name)
    seen = set(memory.seen_files.get(name, ())) if memory else set()
    state = history.sources[name]
    if not seen or not state.grows or state.version is not None:
        return ()
    marked = (mark_files(name, history) or {}).items()
    old = tuple(path for mark, path in marked if mark in seen)
    return (old, tuple(path for mark, path in marked if mark not in seen)) if old else ()


def tell_changed_types(
    columns: Mapping[str, TableSchema], memories: Mapping[str, StepMemory]
) -> str:
    """Return which columns of sources have other types than when they were read last.

    One value is enough to make a column of numbers one of texts, and what fails then is far
    from it.

    Args:
        columns: Columns of sources as they are now.
        memories: What is remembered of sources.

    Returns:
        A hint; empty if nothing has changed.
    """
    told = [
        f"{name}.{column.name} is {column.type} now, and was {was.type} when it was read last"
        for name, schema in columns.items()
        if (memory := memories.get(name)) and memory.schema
        for column in schema
        if (was := memory.schema.find(column.name)) and was.type != column.type
    ]
    return "; ".join(told)
