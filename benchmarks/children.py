"""Measures other processes: how long, how much work, how much memory."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".venvs" / "peers" / "bin" / "python"
LOOK_EVERY = 0.05
"""Seconds between two looks at a process tree's memory."""

# ru_maxrss counts kilobytes, but bytes on macOS.
_UNIT = 1 if sys.platform == "darwin" else 1024


class ChildError(Exception):
    """A measured process failed; the message is what it said last."""


@dataclass(frozen=True)
class Sample:
    """One measured process.

    Attributes:
        wall: Seconds from its start to its end.
        cpu: Seconds of work, in all threads and children, user and system.
        peak: Bytes of resident memory of the process and its children, at their most.
        told: What it printed as a line of JSON, the last; ``seconds`` is its own measure.
    """

    wall: float
    cpu: float
    peak: int
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """The time that counts: the process's own measure, else from start to end."""
        return float(self.told.get("seconds", self.wall))


@dataclass(frozen=True)
class Measure:
    """The medians of several samples of one thing."""

    seconds: float
    cpu: float
    peak: int
    samples: tuple[Sample, ...]

    @property
    def told(self) -> Mapping[str, Any]:
        """What the first process printed."""
        return self.samples[0].told

    def median(self, name: str) -> float:
        """Return the median of a number that each process printed."""
        return statistics.median(sample.told[name] for sample in self.samples)


@dataclass(frozen=True)
class Child:
    """A process to measure, each time anew.

    Attributes:
        command: Program and arguments.
        cwd: Its working folder.
        env: Environment variables on top of this process's own.
        prepare: Called before each start, outside of what is measured.
    """

    command: Sequence[str | Path]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], object] | None = None


def subject(name: str, *arguments: object, python: Path | str = sys.executable) -> list[str]:
    """Return the command that runs a script of ``benchmarks/subjects``."""
    script = ROOT / "benchmarks" / "subjects" / f"{name}.py"
    return [str(python), str(script), *map(str, arguments)]


def measure_all(children: Mapping[str, Child], repeats: int) -> dict[str, Measure]:
    """Measure several things by turns, so that noise hits them all, and return medians."""
    samples: dict[str, list[Sample]] = {name: [] for name in children}
    for _ in range(repeats):
        for name, child in children.items():
            samples[name].append(run_child(child))
    return {name: summarize(found) for name, found in samples.items()}


def summarize(samples: Sequence[Sample]) -> Measure:
    """Return the medians of samples, and the highest of their peaks."""
    return Measure(
        statistics.median(sample.seconds for sample in samples),
        statistics.median(sample.cpu for sample in samples),
        max(sample.peak for sample in samples),
        tuple(samples),
    )


def run_child(child: Child) -> Sample:
    """Run one process to its end and measure it.

    Raises:
        ChildError: It failed.
    """
    if child.prepare is not None:
        child.prepare()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in child.command],
            cwd=child.cwd,
            env=plain_environment() | dict(child.env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        watcher = TreeWatcher(process.pid)
        status, usage = wait_for(process)
        wall = time.perf_counter() - began
        tree = watcher.stop()
        out.seek(0)
        err.seek(0)
        if status:
            said = (err.read().strip() or out.read().strip())[-1500:]
            raise ChildError(f"{' '.join(map(str, child.command))}\n{said}")
        told = read_told(out.read())
    return Sample(wall, usage.ru_utime + usage.ru_stime, max(tree, usage.ru_maxrss * _UNIT), told)


def plain_environment() -> dict[str, str]:
    """Return this process's environment, without what keeps Python from using compiled files."""
    hidden = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    return {name: value for name, value in os.environ.items() if name not in hidden}


def wait_for(process: subprocess.Popen[bytes]) -> tuple[int, resource.struct_rusage]:
    """Wait for a process; its exit code, and what it and its children used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage


def read_told(text: str) -> dict[str, Any]:
    """Return the last line that is a JSON object, nothing if none is.

    Ray prints what its workers say behind what the driver said.
    """
    for line in reversed(text.splitlines()):
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            return told
    return {}


class TreeWatcher:
    """Looks now and then how much memory a process and its children hold together."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """End the watch and return the most bytes seen at once."""
        self._over.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            self._peak = max(self._peak, count_memory(self._pid))


def count_memory(pid: int) -> int:
    """Return the resident bytes of a process and its children."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
