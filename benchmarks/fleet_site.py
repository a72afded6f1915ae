"""A hub and agents that share two cores, as real processes, and what they use."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from benchmarks.children import ROOT, ChildError
from segue.testing.fleet import HUB, LocalFleet

CORES = 2
PATIENCE = 900.0
ROWS = "segue_hub_rows_total"
"""Figure of the hub that counts committed rows, by table."""


@dataclass(slots=True)
class Use:
    """What a process and its children used: CPU seconds, and bytes of memory at their most."""

    cpu: float = 0.0
    peak: int = 0


class Site(LocalFleet):
    """A hub without TLS, on loopback, and the homes of nodes; a context manager.

    Attributes:
        nodes: Names of the nodes.
        uses: What each process used, by ``hub`` and names of nodes.
    """

    def __init__(self, folder: Path, nodes: Sequence[str]) -> None:
        super().__init__(folder / "project", folder / "homes", tls=False, cores=CORES)
        self.nodes = tuple(nodes)
        self.uses: dict[str, Use] = {}
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> Self:
        self.start_hub()
        call("enrol", self.project, self.url, self.folder, *self.nodes)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._watch.join()
        self.stop()

    def start_agents(self, slot: Path) -> None:
        """Start the agents of all nodes."""
        for node in self.nodes:
            self.start_agent(node, "--slot", slot, HERE=str(self.home(node)))

    def arrived(self) -> int:
        """Return how many rows the hub has committed since it started."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return int(sum(float(line.split()[-1]) for line in lines if line.startswith(ROWS)))

    def wait_for_rows(self, count: int) -> float:
        """Wait until that many rows have arrived; return the monotonic time."""
        self.wait(f"{count:,} rows", lambda: self.arrived() >= count, PATIENCE)
        return time.monotonic()

    def cpu(self, names: Iterable[str]) -> float:
        """Return the CPU seconds of processes and their children, those that ended included."""
        return sum(_measure(self.processes[name].pid)[0] for name in names)

    def memory(self, name: str) -> int:
        """Return the resident bytes of a process and its children now."""
        return _measure(self.processes[name].pid)[1]

    def memory_shared_once(self, name: str) -> int:
        """Return the same, with each page counted once however many processes have it."""
        first = psutil.Process(self.processes[name].pid)
        family = [first, *first.children(recursive=True)]
        return sum(process.memory_full_info().pss for process in family)

    def describe(self) -> str:
        """Say what hub and agents used."""
        agents = [use for name, use in self.uses.items() if name != HUB]
        return (
            f"CPU hub {self.uses[HUB].cpu:.0f} s, agents {sum(use.cpu for use in agents):.0f} s; "
            f"memory hub {self.uses[HUB].peak / 1e6:,.0f} MB, "
            f"an agent {max(use.peak for use in agents) / 1e6:,.0f} MB"
        )

    def _look_on(self) -> None:
        while not self._closed.wait(1.0):
            for name, process in list(self.processes.items()):
                with suppress(psutil.Error):
                    cpu, held = _measure(process.pid)
                    use = self.uses.setdefault(name, Use())
                    use.cpu, use.peak = max(use.cpu, cpu), max(use.peak, held)


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
