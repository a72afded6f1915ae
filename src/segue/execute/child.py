"""A step in a process of its own: ``python -m segue.execute.child FOLDER RUNNER``.

Two processes: a supervisor that runs nothing of the user's, and the worker that it
forks before anything is loaded. The supervisor keeps the limits, adopts what the worker
leaves behind, and ends all of it: when a limit is passed, when the worker is done, when
the runner asks for it or dies.
"""

from __future__ import annotations

import json
import math
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
    from collections.abc import Callable
    from types import FrameType

    from segue.execute.attempt import StepResult, StepTask
    from segue.protocols import Lake
    from segue.spec.step import PlaceSpec

TASK, RESULT, PROGRESS, ENDING, LIMITS = "task", "result", "progress", "ending", "limits"
PROGRESS_FORM = struct.Struct("qd")
"""Rows so far, and the share of the work that is done, negative if nothing tells."""
"""Files in the folder that runner and child share."""

POLL_SECONDS = 0.05
START_SECONDS = 60.0
"""What interpreter, libraries and the project's files may take on top, to be loaded."""

SQL_SHARE = 0.9
FUNCTION_SHARE = 0.4
"""Parts of a step's memory that the engine may take, with what it needs around itself; the rest is
room for the function, and for what no engine counts."""


@dataclass(slots=True)
class _Supervisor:
    """Keeps a worker within its limits.

    Attributes:
        worker: Its process id.
        folder: Shared with it; a file in it tells when the step itself began.
        timeout: Seconds that the step may take.
        memory: Bytes that it and its children may use.
        peak: Most bytes seen.
        asked: Whether the runner asked for the end, or died.
    """

    worker: int
    folder: Path
    timeout: float | None
    memory: int | None
    peak: int = 0
    asked: bool = False

    def watch(self) -> dict[str, Any]:
        """Wait for the end; return how it came: a reason, an exit code, memory used."""
        deadline = self.find_deadline(START_SECONDS)
        started = False
        while True:
            if not started and (self.folder / PROGRESS).exists():
                started, deadline = True, self.find_deadline(0)
            ended = reap_children()
            if self.worker in ended:
                return {"reason": "ended", "code": ended[self.worker], "peak": self.peak}
            used = measure_memory(os.getpid())
            self.peak = max(self.peak, used)
            if self.asked:
                return {"reason": "asked", "peak": self.peak}
            if self.memory is not None and used > self.memory:
                return {"reason": "memory", "used": used, "peak": self.peak}
            if time.monotonic() > deadline:
                return {"reason": "timeout", "peak": self.peak}
            _wait_for_signal()

    def find_deadline(self, grace: float) -> float:
        """Return when the time is up."""
        return time.monotonic() + (math.inf if self.timeout is None else self.timeout + grace)

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
    adopt_orphans()
    # blocked until there is somebody to tell: the worker unblocks them again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
    supervisor_id = os.getpid()
    worker = os.fork()
    if not worker:
        work(folder, supervisor_id)
    limits = json.loads((folder / LIMITS).read_text())
    supervisor = _Supervisor(worker, folder, limits["timeout"], limits["memory"])
    signal.signal(signal.SIGTERM, supervisor.hear)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    follow_parent(runner, signal.SIGTERM)
    ending = supervisor.watch()
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

    place = limit_place(task.place, task)
    try:
        with registry.load_local_engine().open(place, folder) as session:
            function = _load(task)
            # what is the step's own begins here, and so does its time
            with (folder / PROGRESS).open("wb", buffering=0) as file:

                def tell(rows: int, share: float | None = None) -> None:
                    told = PROGRESS_FORM.pack(rows, -1 if share is None else share)
                    os.pwrite(file.fileno(), told, 0)

                return run_step(task, session, lake, tell, function)
    except SegueError as error:
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)


def _load(task: StepTask) -> Callable[..., Any] | None:
    """Load a function and the libraries of its frames; None for SQL."""
    if task.step.function is None:
        return None
    from segue.declare.python import load_function
    from segue.frames.convert import load_adapter
    from segue.spec.step import FrameKind

    specs = [spec for _, spec in task.step.function.inputs] + [task.step.function.returns]
    for spec in specs:
        if spec.kind is not FrameKind.NOTHING:
            load_adapter(spec.kind)
    return load_function(task.project, task.step)


def limit_place(place: PlaceSpec, task: StepTask) -> PlaceSpec:
    """Return the place with as much of the step's memory as its engine may take."""
    limit = task.step.limits.memory
    if limit is None:
        return place
    share = int(limit * (FUNCTION_SHARE if task.step.sql is None else SQL_SHARE))
    return replace(place, memory=share if place.memory is None else min(place.memory, share))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
