"""What processes use: read from ``/proc``, or asked of psutil where there is none."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Use:
    """What some processes use.

    Attributes:
        pids: Their ids.
        memory: Resident bytes.
        cpu: CPU seconds so far.
    """

    pids: tuple[int, ...] = ()
    memory: int = 0
    cpu: float = 0.0

    def __add__(self, other: Use) -> Use:
        """Return what both use."""
        return Use(self.pids + other.pids, self.memory + other.memory, self.cpu + other.cpu)


def measure_process(pid: int) -> Use:
    """Return what one process uses, and the CPU seconds of children that it has buried.

    It is nothing if the process has ended.

    Example:
        >>> measure_process(os.getpid()).memory > 1_000_000
        True
    """
    if not _has_proc():
        return _ask_psutil(pid)
    stat = _read_stat(pid)
    if stat is None:
        return Use()
    ticks = sum(int(field) for field in stat[11:15])
    return Use((pid,), int(stat[21]) * _PAGE, ticks / _TICKS)


def find_descendants(pid: int) -> list[int]:
    """Return the ids of all that a process has started."""
    children: dict[int, list[int]] = {}
    for each, parent in _list_parents():
        children.setdefault(parent, []).append(each)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.append(child)
            waiting.append(child)
    return found


def signal_tree(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process, its group, and all that it has started."""
    others = find_descendants(pid)
    signal_group(pid, number)
    for each in [pid, *others]:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(each, number)


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the group that a process leads, also after it has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _has_proc() -> bool:
    return (_PROC / "self" / "stat").exists()


def _ask_psutil(pid: int) -> Use:
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            spent = process.cpu_times()
            return Use((pid,), process.memory_info().rss, sum(spent[:4]))
    except psutil.Error:
        return Use()


def _list_parents() -> Iterator[tuple[int, int]]:
    if not _has_proc():
        import psutil

        for process in psutil.process_iter():
            with suppress(psutil.Error):
                yield process.pid, process.ppid()
        return
    for name in os.listdir(_PROC):  # noqa: PTH208  # names alone: this is done often
        if name.isdigit():
            stat = _read_stat(int(name))
            if stat is not None:
                yield int(name), int(stat[1])


def _read_stat(pid: int) -> list[bytes] | None:
    """Return the fields of ``/proc/PID/stat`` after the name, which can hold anything."""
    try:
        content = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    return content[content.rindex(b")") + 2 :].split()
