"""What a step is expected to read and make, from sources' statistics and earlier runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.plan.graph import find_maker
from segue.spec.plan import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.plan import History, PlannedStep
    from segue.spec.step import ProjectSpec


def estimate_step(
    planned: PlannedStep,
    history: History,
    project: ProjectSpec,
    decided: Mapping[str, PlannedStep],
) -> Estimate:
    """Return what a step is expected to read and make; unknown parts stay None.

    Args:
        planned: The step.
        history: What the plan rests on.
        project: The project.
        decided: Steps before it, by name, with their own estimates.
    """
    memory = history.memories.get(planned.name)
    version = history.versions.get(planned.name)
    sizes = [_size(planned, name, history, project, decided) for name in planned.inputs]
    rows, bytes_ = [size[0] for size in sizes], [size[1] for size in sizes]
    return Estimate(
        rows=memory.rows if memory else None,
        bytes=version.bytes if version else None,
        seconds=memory.seconds if memory else None,
        input_rows=None if not rows or None in rows else sum(filter(None, rows)),
        input_bytes=None if not bytes_ or None in bytes_ else sum(filter(None, bytes_)),
    )


def _size(
    planned: PlannedStep,
    table: str,
    history: History,
    project: ProjectSpec,
    decided: Mapping[str, PlannedStep],
) -> tuple[int | None, int | None]:
    """Return rows and bytes of what a step reads of one table."""
    new = planned.new_files.get(table)
    if (state := history.sources.get(table)) is not None:
        if new is None:
            return state.rows, state.bytes
        wanted = {path.partition("\t")[0] for path in new}
        return None, sum(file.bytes for file in state.files if file.path in wanted)
    maker = decided.get(find_maker(project, table) or "")
    if maker is not None and not planned.inputs[table]:
        return maker.estimate.rows, maker.estimate.bytes
    version = history.versions.get(table)
    if version is None:
        return None, None
    if new is None:
        return version.rows, version.bytes
    wanted = set(new)
    files = [file for file in version.files if file.path in wanted]
    return sum(file.rows for file in files), sum(file.bytes for file in files)
