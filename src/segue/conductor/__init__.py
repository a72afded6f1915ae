"""The order of the stages, and nothing else.

``declare -> plan -> place -> execute -> judge -> publish -> record``: each stage is a
function of its own folder. `run` knows the order within a run, `work` the order within
one step of it, `workspace` what comes before: history and plan.
"""

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
