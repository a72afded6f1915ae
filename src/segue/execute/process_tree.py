"""A process and all that it starts: held together, measured and ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_KILL_SECONDS = 10.0


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that none gets away."""
    _control_process(_PR_SET_CHILD_SUBREAPER, 1)


def follow_parent(parent: int, number: signal.Signals) -> None:
    """Get a signal when the parent dies, and now if it is dead already.

    Args:
        parent: Process id of the parent.
        number: The signal.
    """
    _control_process(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def _control_process(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def measure_memory(root: int) -> int:
    """Return the resident memory of all that a process has started, in bytes."""
    import psutil

    total = 0
    for process in psutil.Process(root).children(recursive=True):
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    return total


def kill_descendants(root: int) -> None:
    """Kill all that a process has started, until nothing is left.

    What was forked meanwhile turns up in the next round: orphans come to `root` if it
    adopts them.
    """
    import psutil

    deadline = time.monotonic() + _KILL_SECONDS
    while time.monotonic() < deadline:
        alive = psutil.Process(root).children(recursive=True)
        for process in alive:
            try:
                process.kill()
            except psutil.Error:
                continue
        reap_children()
        if not alive:
            return
        psutil.wait_procs(alive, timeout=0.05)


def reap_children() -> dict[int, int]:
    """Collect ended children; return their exit codes (a signal's number below zero) by id."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if not pid:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)
