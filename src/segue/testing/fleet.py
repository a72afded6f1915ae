"""A fleet on one machine: a hub and agents as real processes, driven by segue's own commands.

For demonstrations, benchmarks and tests that need more than one part of it. Nothing of it is
simulated but the distance: put a `segue.testing.network.Proxy` between an agent and the hub.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from segue.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from segue.testing.network import Proxy

HUB = "hub"
_LOOK = 0.25
_LEAVE = 30.0


@dataclass
class LocalFleet:
    """A project's hub, and agents, each with a home and a log.

    Attributes:
        project: Folder of the project; `place` writes the hub's address into its settings.
        folder: Where homes, logs and the operator's key are.
        tls: Whether the hub makes an authority and serves with TLS.
        cores: How many cores all processes share; 0 for all.
        port: Where the hub listens.
        processes: What runs, by name.
    """

    project: Path
    folder: Path
    tls: bool = True
    cores: int = 0
    port: int = 0
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _environment: dict[str, str] = field(default_factory=dict)
    _variables: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.port = self.port or find_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        config = {"PYTHONWARNINGS": "ignore", "XDG_CONFIG_HOME": str(self.folder / "operator")}
        self._environment = {**os.environ, **config}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the hub is."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def home(self, node: str) -> Path:
        """Return the home of a node."""
        return self.folder / node

    def start_hub(self) -> None:
        """Start the hub, or start it again, and wait until it answers."""
        tls = ("--tls",) if self.tls else ()
        self._start(HUB, "hub", "--project", self.project, "--port", self.port, *tls)
        self.wait("the hub answers", self._answers)

    def allow(self, name: str = "operator") -> None:
        """Let somebody deploy: a token for the hub, and a key whose signatures count."""
        told = self.call("hub", "operator", name, "--project", self.project)
        self._environment["SEGUE_HUB_TOKEN"] = told.split()[-1]
        self.call("deploy", "init", "--project", self.project)

    def enrol(
        self, node: str, labels: Mapping[str, str] | None = None, through: Proxy | None = None
    ) -> None:
        """Make a node: a token at the hub, a key at the node.

        Args:
            node: Its name.
            labels: Its labels.
            through: A proxy by which it reaches the hub.
        """
        stated = [f"--label={name}={value}" for name, value in (labels or {}).items()]
        told = self.ask("hub", "token", "--project", self.project, "--node", node, *stated)
        self.call("agent", "enrol", told["token"], "--home", self.home(node))
        if through is not None:
            path = self.home(node) / "identity.json"
            identity = json.loads(path.read_text())
            identity["hub"] = f"{self.url.rpartition(':')[0]}:{through.address[1]}"
            path.write_text(json.dumps(identity))

    def start_agent(self, node: str, *arguments: object, **variables: str) -> None:
        """Start a node's agent, or start it again; variables are remembered."""
        self._variables.setdefault(node, {}).update(variables)
        home = self.home(node)
        self._start(node, "agent", "run", "--home", home, *arguments, **self._variables[node])

    def kill(self, name: str) -> None:
        """Kill a process with -9 and wait for its end."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait(_LEAVE)

    def deploy(self, *options: object) -> int:
        """Sign and deploy what the project's files say; return the generation."""
        return int(self.ask("deploy", "--project", self.project, *options)["generation"])

    def stage(self, generation: int) -> str:
        """Return how far the rollout of a generation has come."""
        told = self.ask("deployments", "--project", self.project)
        return str({each["generation"]: each["stage"] for each in told["deployments"]}[generation])

    def statuses(self) -> dict[str, dict[str, Any]]:
        """Return what nodes last told of themselves, by name; empty for those that never did."""
        told = self.ask("nodes", "--project", self.project)
        return {node["name"]: node["status"] or {} for node in told["nodes"]}

    def query(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query over what has arrived and what was published."""
        told = self.call("query", query, "--project", self.project, "--json")
        return [json.loads(line) for line in told.splitlines()]

    def ask(self, *arguments: object) -> Any:
        """Return what a command answers as JSON.

        Raises:
            FleetError: It failed.
        """
        return json.loads(self.call(*arguments, "--json"))

    def call(self, *arguments: object) -> str:
        """Return what a command prints.

        Raises:
            FleetError: It failed.
        """
        command = [sys.executable, "-m", "segue", *map(str, arguments)]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            shown = " ".join(map(str, arguments))
            raise FleetError(f"segue {shown} failed: {(done.stdout + done.stderr)[-2000:]}")
        return done.stdout

    def wait(self, what: str, holds: Callable[[], bool], patience: float = 180.0) -> float:
        """Wait for something that must come about; return the seconds that it took.

        Raises:
            FleetError: It did not come about in time, or the hub ended.
        """
        began = time.monotonic()
        while not holds():
            hub = self.processes.get(HUB)
            if hub is not None and hub.poll() is not None:
                log = (self.folder / f"{HUB}.log").read_text()
                raise FleetError(f"the hub ended while it was waited for: {what}: {log[-2000:]}")
            if time.monotonic() - began > patience:
                raise FleetError(f"did not come about in {patience:.0f} s: {what}")
            time.sleep(_LOOK)
        return time.monotonic() - began

    def stop(self) -> None:
        """End what was started."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LEAVE)
            process.kill()
            process.wait(_LEAVE)

    def _start(self, name: str, *arguments: object, **variables: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "segue", *map(str, arguments)],
                env={**self._environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if self.cores:
            cores = sorted(os.sched_getaffinity(0))[: self.cores]
            os.sched_setaffinity(self.processes[name].pid, cores)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def find_port() -> int:
    """Return a port that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
