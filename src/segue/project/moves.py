"""Steps that moved between nodes and here, where the lake has rows of before under their names.

A table has one writer. So what the other one wrote goes aside first, by a command that is told.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import Problem, ProjectError
from segue.place.edge import ARRIVING, find_cut, list_steps_here, map_fleets
from segue.registry import load_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from segue.spec.plan import Plan
    from segue.spec.step import ProjectSpec

CODE = "moved-table"


def refuse_moved(spec: ProjectSpec, plan: Plan) -> Plan:
    """Return a plan, unless steps have moved and the lake has what the other side wrote.

    Args:
        spec: The project as declared.
        plan: What would run here.

    Raises:
        ProjectError: There are such steps; what to type stands with each.
    """
    lake = Path(spec.lake)
    come = _find_come(spec, lake, [each.name for each in plan.work])
    if problems := (*come, *_find_gone(spec, lake)):
        raise ProjectError(problems)
    return plan


def _find_come(spec: ProjectSpec, lake: Path, steps: Iterable[str]) -> Iterator[Problem]:
    """Yield steps that run here, and whose tables hubs have written."""
    if not (lake / "_hub").is_dir():  # no hub has ever been here
        return
    kind: Any = load_source(ARRIVING)
    here = set(list_steps_here(spec, map_fleets(spec)))
    for name in steps:
        if name in here and kind.is_sent(lake / name):
            yield Problem(
                CODE,
                f"{name!r} runs here now, and the lake has what nodes sent under this name",
                spec.steps[name].location,
                "once no node runs it any more (segue deploy, then look at segue nodes), move"
                f" that aside: {_tell_move(lake / name)}",
            )


def _find_gone(spec: ProjectSpec, lake: Path) -> Iterator[Problem]:
    """Yield tables that nodes send now, and that runs here have written."""
    kind: Any = load_source(ARRIVING)
    for fleet in spec.fleets.places:
        for table in find_cut(spec, fleet).crossing:
            if kind.is_sent(lake / table) is False:
                where = spec.steps[table] if table in spec.steps else spec.sources[table]
                yield Problem(
                    CODE,
                    f"nodes of {fleet!r} make {table!r} now, and the lake has what a run here"
                    " published under this name",
                    where.location,
                    f"move that aside: {_tell_move(lake / table)}",
                )


def _tell_move(folder: Path) -> str:
    before = folder.with_name(f"{folder.name}_before")
    number = 2
    while before.exists():
        before = folder.with_name(f"{folder.name}_before{number}")
        number += 1
    return shlex.join(["mv", str(folder), str(before)])
