"""A step in a process of its own: ``python -m segue.execute.child FOLDER RUNNER``.

Two processes: a supervisor that runs nothing of the user's, and the worker that it
forks before anything is loaded. The supervisor keeps the limits, adopts what the worker
leaves behind, and ends all of it: when a limit is passed, when the worker is done, when
the runner asks for it or dies.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from segue.execute.process_tree import (
    adopt_orphans,
    follow_parent,
    kill_descendants,
    measure_memory,
    reap_children,
)

if TYPE_CHECKING:
    from types import FrameType

    from segue.execute.attempt import StepResult, StepTask
    from segue.protocols import Lake
    from segue.spec.step import PlaceSpec

TASK, RESULT, ROWS, ENDING, LIMITS = "task", "result", "rows", "ending", "limits"
"""Files in the folder that runner and child share."""

POLL_SECONDS = 0.05

SQL_SHARE = 0.6
FUNCTION_SHARE = 0.25
"""Parts of a step's memory that the engine may take; interpreter and function need the rest."""


@dataclass(slots=True)
class _Supervisor:
    """Keeps a worker within its limits.

    Attributes:
        worker: Its process id.
        runner: Process id of the runner.
        timeout: Seconds that it may take.
        memory: Bytes that it and its children may use.
        peak: Most bytes seen.
        asked: Whether the runner asked for the end, or died.
    """

    worker: int
    runner: int
    timeout: float | None
    memory: int | None
    peak: int = 0
    asked: bool = False

    def watch(self, began: float) -> dict[str, Any]:
        """Wait for the end; return how it came: a reason, an exit code, memory used."""
        while True:
            ended = reap_children()
            if self.worker in ended:
                return {"reason": "ended", "code": ended[self.worker], "peak": self.peak}
            used = measure_memory(os.getpid())
            self.peak = max(self.peak, used)
            if self.asked:
                return {"reason": "asked", "peak": self.peak}
            if self.memory is not None and used > self.memory:
                return {"reason": "memory", "used": used, "peak": self.peak}
            if self.timeout is not None and time.monotonic() - began > self.timeout:
                return {"reason": "timeout", "peak": self.peak}
            _wait_for_signal()

    def hear(self, _number: int, _frame: FrameType | None) -> None:
        """Note that the end is asked for."""
        self.asked = True


def _wait_for_signal() -> None:
    """Sleep until a child ends, at most for the time between two looks."""
    if hasattr(signal, "sigtimedwait"):
        signal.sigtimedwait({signal.SIGCHLD}, POLL_SECONDS)
    else:
        time.sleep(POLL_SECONDS)


def main(folder: Path, runner: int) -> int:
    """Fork the worker and supervise it.

    Args:
        folder: Holds the task, and gets the result.
        runner: Process id of the runner.
    """
    began = time.monotonic()
    adopt_orphans()
    # blocked until there is somebody to tell: the worker unblocks them again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
    supervisor_id = os.getpid()
    worker = os.fork()
    if not worker:
        work(folder, supervisor_id)
    limits = json.loads((folder / LIMITS).read_text())
    supervisor = _Supervisor(worker, runner, limits["timeout"], limits["memory"])
    signal.signal(signal.SIGTERM, supervisor.hear)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    follow_parent(runner, signal.SIGTERM)
    ending = supervisor.watch(began)
    kill_descendants(os.getpid())
    if os.getppid() == runner:
        (folder / ENDING).write_text(json.dumps(ending))
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def work(folder: Path, supervisor: int) -> NoReturn:
    """Do the task and leave the result, or the error, in the folder."""
    import faulthandler
    import pickle

    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, signal.SIGTERM})
    follow_parent(supervisor, signal.SIGKILL)
    faulthandler.enable()
    task, lake = pickle.loads((folder / TASK).read_bytes())  # noqa: S301  # the runner's own
    answer = _attempt(task, lake, folder)
    partial = folder / f"{RESULT}.part"
    partial.write_bytes(pickle.dumps(answer))
    partial.rename(folder / RESULT)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _attempt(task: StepTask, lake: Lake, folder: Path) -> StepResult | BaseException:
    from segue import registry
    from segue.errors import SegueError
    from segue.execute.attempt import run_step

    with (folder / ROWS).open("wb", buffering=0) as rows:

        def tell(count: int) -> None:
            os.pwrite(rows.fileno(), struct.pack("q", count), 0)

        place = limit_place(task.place, task)
        try:
            with registry.load_engine(place.engine).open(place, folder) as session:
                return run_step(task, session, lake, tell)
        except SegueError as error:
            error.__cause__ = error.__context__ = None
            return error.with_traceback(None)


def limit_place(place: PlaceSpec, task: StepTask) -> PlaceSpec:
    """Return the place with as much of the step's memory as its engine may take."""
    limit = task.step.limits.memory
    if limit is None:
        return place
    share = int(limit * (FUNCTION_SHARE if task.step.sql is None else SQL_SHARE))
    return replace(place, memory=share if place.memory is None else min(place.memory, share))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
