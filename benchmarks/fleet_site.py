"""A hub and agents on two cores, as real processes, and what they use."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from benchmarks.children import ROOT, ChildError
from benchmarks.kit import segue_command

CORES = 2
"""Cores on which all processes of a fleet share; the benchmark itself looks on from others."""

PATIENCE = 600.0
_LOOK = 0.25


@dataclass(slots=True)
class Use:
    """What a process and its children used."""

    cpu: float = 0.0
    peak: int = 0


@dataclass
class Site:
    """A project's hub, and the homes of its nodes.

    Attributes:
        folder: Where all of it is made.
        nodes: Names of the nodes.
        uses: What each process used, by ``hub`` and names of nodes.
    """

    folder: Path
    nodes: Sequence[str]
    uses: dict[str, Use] = field(default_factory=dict)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _closed: threading.Event = field(default_factory=threading.Event)

    @property
    def project(self) -> Path:
        """Folder of the project."""
        return self.folder / "project"

    @property
    def url(self) -> str:
        """Where the hub is."""
        return f"http://127.0.0.1:{self._port}"

    def home(self, node: str) -> Path:
        """Return the home of a node."""
        return self.folder / "homes" / node

    def __enter__(self) -> Self:
        self._port = _free_port()
        (self.folder / "homes").mkdir(parents=True, exist_ok=True)
        self.start("hub", "hub", "--project", self.project, "--port", self._port)
        self.wait(lambda: self.figures() is not None, "the hub answers")
        call("enrol", self.project, self.url, self.folder / "homes", *self.nodes)
        self._watch = threading.Thread(target=self._look_on, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._watch.join()
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()

    def start(self, name: str, *arguments: object, **variables: str) -> None:
        """Start a command of segue on the cores of the fleet."""
        log = (self.folder / f"{name}.log").open("ab")
        self._running[name] = subprocess.Popen(
            segue_command(*map(str, arguments)),
            env={**os.environ, **variables},
            stdout=log,
            stderr=log,
            preexec_fn=_pin,
        )
        self.uses[name] = Use()

    def start_agents(self, slot: Path, **variables: str) -> None:
        """Start the agents of all nodes."""
        for node in self.nodes:
            home = self.home(node)
            self.start(node, "agent", "run", "--home", home, "--slot", slot, HERE=str(home))

    def figures(self) -> dict[str, float] | None:
        """Return the hub's figures by name and labels, None if it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return None
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def arrived(self) -> int:
        """Return how many rows the hub has committed since it started."""
        found = self.figures() or {}
        return int(sum(value for name, value in found.items() if name.startswith(ROWS)))

    def wait_for_rows(self, count: int) -> float:
        """Wait until that many rows have arrived; return the monotonic time."""
        self.wait(lambda: self.arrived() >= count, f"{count:,} rows")
        return time.monotonic()

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for something that must come about."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            ended = [name for name, each in self._running.items() if each.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = "".join((self.folder / f"{each}.log").read_text() for each in ended)
                raise ChildError(f"{what}: did not come about; ended: {ended} {logs[-600:]}")
            time.sleep(_LOOK)

    def cpu(self, names: Iterable[str]) -> float:
        """Return the CPU seconds of processes and their children, those that ended included."""
        return sum(_measure(self._running[name].pid)[0] for name in names)

    def memory(self, name: str) -> int:
        """Return the resident bytes of a process and its children now."""
        return _measure(self._running[name].pid)[1]

    def _look_on(self) -> None:
        while not self._closed.wait(1.0):
            for name, process in list(self._running.items()):
                with suppress(psutil.Error):
                    cpu, held = _measure(process.pid)
                    use = self.uses[name]
                    use.cpu, use.peak = max(use.cpu, cpu), max(use.peak, held)


ROWS = "segue_hub_rows_total"
"""Figure of the hub that counts rows, by table."""


def make_slot(project: Path, target: Path, fleet: str) -> Path:
    """Write the edge part of a project as a slot, without signatures."""
    call("slot", project, target, fleet)
    return target


def call(name: str, *arguments: object) -> Any:
    """Run a script of ``benchmarks/subjects/fleet``; return its last line as JSON, if any."""
    script = ROOT / "benchmarks" / "subjects" / "fleet" / f"{name}.py"
    command = [sys.executable, str(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChildError(f"{name}: {(done.stdout + done.stderr)[-1000:]}")
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else None


def write_fleet(folder: Path, files: dict[str, str]) -> Path:
    """Write a project anew."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def _measure(pid: int) -> tuple[float, int]:
    """Return CPU seconds and resident bytes of a process with all its children."""
    family = [psutil.Process(pid)]
    family += family[0].children(recursive=True)
    cpu, held = 0.0, 0
    for process in family:
        with suppress(psutil.Error):
            times = process.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            held += process.memory_info().rss
    return cpu, held


def _pin() -> None:
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
