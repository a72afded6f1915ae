"""What a soak is done to: a hub on a disk of its own, and nodes with their networks and clocks."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from segue.errors import FleetError
from segue.testing.faults import can_mount, mount_disk
from segue.testing.fleet import HUB, LocalFleet
from segue.testing.network import Proxy
from tests.fleet.soak_network import Echo

SETTINGS = """
[project]
name = "soak"
[places.plant]
engine = "fleet"
address = "https://127.0.0.1:{port}"
[places.plant.options]
spool = "64MB"
when_full = "block"
[tables.raw]
on = "plant"
kind = "tail"
path = "${{READINGS}}/*.jsonl"
format = "json"
columns = {{ n = "int64", file = "int64", value = "float64" }}
[steps.sound]
on = "plant"
"""
CONTRACT = "sound:\n  columns:\n    value: {between: [0, 1]}\n  rejects: true\n"
STEP = "select n, file, value from raw where {number} > 0\n"
PROBATION = ("--probation", "5s", "--health", "errors < 1%")
SLEEP = """import select, time
time.sleep = lambda seconds: select.select((), (), (), seconds) and None
"""
"""libfaketime takes the steady deadlines of Python's sleep for times of the wall clock."""
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
HUB_DISK, NODE_DISK = 1536 * 2**20, 128 * 2**20
ODD = 0.01
EVERY = 2.5
TRIES = 5
LINES = 2000
"""Lines after which a file is followed by the next, about."""


@dataclass
class Feed:
    """Lines that are written at one machine; each number once.

    Attributes:
        node: Whose lines they are.
        folder: Where.
        first: Number of the first line.
        number: Number of the next one.
        parts: Files that were left before they were full.
        quiet: Whether none is written for now.
    """

    node: str
    folder: Path
    first: int = 0
    number: int = 0
    parts: int = 0
    quiet: bool = False

    def __post_init__(self) -> None:
        self.number = self.first
        self.folder.mkdir(parents=True)

    @property
    def written(self) -> int:
        """Lines that were written."""
        return self.number - self.first

    def write(self, count: int, chance: random.Random) -> None:
        """Write some lines."""
        of = self.number // LINES
        with (self.folder / f"{of:09}-{self.parts}.jsonl").open("a") as file:
            for each in range(self.number, self.number + count):
                value = 7.0 if chance.random() < ODD else round(chance.random(), 3)
                file.write(json.dumps({"n": each, "file": of, "value": value}) + "\n")
        self.number += count


class Writer(threading.Thread):
    """Writes lines at every machine."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.feeds: list[Feed] = []
        self._chance = chance
        self._over = threading.Event()
        self._pen = threading.Lock()

    def run(self) -> None:
        while not self._over.wait(EVERY):
            count = self._chance.choice((1, 5, 20, 200))
            with self._pen:
                for feed in self.feeds:
                    if not feed.quiet:
                        feed.write(count, self._chance)

    def hush(self, feed: Feed, *, quiet: bool = True) -> None:
        """Write no more to a feed; what is under way is written when it returns."""
        with self._pen:
            feed.quiet = quiet

    def add(self, feed: Feed) -> None:
        """Write to one more."""
        with self._pen:
            self.feeds.append(feed)

    def written(self) -> dict[str, int]:
        """Return how many lines each node has got."""
        counts: dict[str, int] = {}
        for feed in self.feeds:
            counts[feed.node] = counts.get(feed.node, 0) + feed.written
        return counts

    def stop(self) -> None:
        """Write no more."""
        self._over.set()
        self.join()


@dataclass
class Member:
    """A node, and what can happen to it.

    Attributes:
        name: Its name.
        proxy: Between it and the hub.
        echo: Whether its requests can be sent twice.
        clock: File that sets its clock; None if that stays right.
        disk: Whether its home is on a disk of its own.
        feed: What is written there.
        copies: Clones that run.
    """

    name: str
    proxy: Proxy
    feed: Feed
    echo: bool = False
    clock: Path | None = None
    disk: bool = False
    copies: list[str] = field(default_factory=list)


class Plant:
    """The hub and its nodes; a context manager."""

    def __init__(self, folder: Path, count: int, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.fleet = LocalFleet(folder / "project", folder / "nodes")
        self.writer = Writer(random.Random(chance.random()))
        self.members: dict[str, Member] = {}
        self.lake = self.fleet.project / "lake"
        self.generation = 0
        self._count = count
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        fleet, stack = self.fleet, self._stack
        (fleet.project / "steps").mkdir(parents=True)
        (fleet.project / "segue.toml").write_text(SETTINGS.format(port=fleet.port))
        (fleet.project / "contracts.yml").write_text(CONTRACT)
        (fleet.project / "steps" / "sound.sql").write_text(STEP.format(number=1))
        (self.folder / "python").mkdir()
        (self.folder / "python" / "sitecustomize.py").write_text(SLEEP)
        if can_mount():
            stack.enter_context(mount_disk(self.lake, HUB_DISK))
        stack.enter_context(fleet)
        self.echo = stack.enter_context(Echo(fleet.port, random.Random(self.chance.random())))
        for number in range(1, self._count + 1):
            self._join(number)
        return self

    def __exit__(self, *_: object) -> None:
        if self.writer.is_alive():
            self.writer.stop()
        self._stack.close()

    def _join(self, number: int) -> None:
        name = f"node-{number:02d}"
        echo = number % 2 == 0
        server = self.echo.address if echo else ("127.0.0.1", self.fleet.port)
        proxy = self._stack.enter_context(Proxy(server))
        feed = Feed(name, self.fleet.folder / f"{name}-lines")
        self.writer.add(feed)
        member = self.members[name] = Member(name, proxy, feed, echo)
        if number % 3 == 0 and LIBRARY is not None:
            member.clock = self.folder / f"{name}-clock"
            member.clock.write_text("+0\n")
        if number % 4 == 1 and can_mount():
            member.disk = True
            self._stack.enter_context(mount_disk(self.fleet.home(name), NODE_DISK))

    def enrol(self, name: str) -> None:
        """Make a machine a node, or make it one anew."""
        member = self.members[name]
        self.fleet.enrol(name, {}, member.proxy)
        if member.echo:
            path = self.fleet.home(name) / "identity.json"
            path.write_text(path.read_text().replace("https://", "http://"))

    def start(self, name: str) -> None:
        """Start a node's agent."""
        member = self.members[name]
        variables = {"READINGS": str(member.feed.folder)}
        if member.clock is not None:
            variables |= {
                "LD_PRELOAD": str(LIBRARY),
                "FAKETIME_TIMESTAMP_FILE": str(member.clock),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1",
                "PYTHONPATH": os.pathsep.join(
                    filter(None, (str(self.folder / "python"), os.environ.get("PYTHONPATH", "")))
                ),
            }
        self.fleet.start_agent(name, **variables)

    def deploy(self, step: str = "") -> int:
        """Deploy a step, by default a new one that is good; return its generation."""
        self.generation += 1
        text = step or STEP.format(number=self.generation)
        (self.fleet.project / "steps" / "sound.sql").write_text(text)
        for _ in range(TRIES - 1):
            with suppress(FleetError):  # as people do when a busy hub did not answer in time
                return self.fleet.deploy(*PROBATION)
            time.sleep(EVERY)
        return self.fleet.deploy(*PROBATION)

    def running(self) -> list[str]:
        """Return the names of all processes that run."""
        return [name for name, each in self.fleet.processes.items() if each.poll() is None]

    def agents(self) -> list[str]:
        """Return the names of all agents, clones among them, whether they run or not."""
        return [name for name in self.fleet.processes if name != HUB]
