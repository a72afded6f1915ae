"""The order of the stages, and nothing else.

``declare -> plan -> place -> execute -> judge -> publish -> record``: each stage is a
function of its own folder. `run` knows the order within a run, `work` the order within
one step of it, `workspace` what comes before: history and plan.

The functions are loaded when they are first used: most commands use few of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segue.conductor.history import restore_points
    from segue.conductor.judged import recall_report
    from segue.conductor.reading import bind_snapshot, check_tables
    from segue.conductor.run import run_plan
    from segue.conductor.series import read_series
    from segue.conductor.workspace import (
        Workspace,
        adopt_commit,
        check_plan,
        make_plan,
        read_history,
        recover_runs,
    )

__all__ = [
    "Workspace",
    "adopt_commit",
    "bind_snapshot",
    "check_plan",
    "check_tables",
    "make_plan",
    "read_history",
    "read_series",
    "recall_report",
    "recover_runs",
    "restore_points",
    "run_plan",
]

_HOMES = {
    "bind_snapshot": "reading",
    "check_tables": "reading",
    "read_series": "series",
    "recall_report": "judged",
    "restore_points": "history",
    "run_plan": "run",
}
"""Modules of names; the others are in `workspace`."""


def __getattr__(name: str) -> Any:
    """Load a name from its module (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_HOMES.get(name, 'workspace')}")
    value = globals()[name] = getattr(home, name)
    return value
