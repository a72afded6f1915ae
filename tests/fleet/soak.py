"""Let faults happen to a fleet at random for as long as asked, and count every row.

``make soak MINUTES=60``. Real processes: a hub, agents, and between them a network each that can
be cut, swallow, delay and slow down. The seed is printed; the same one draws the same faults.
Every line that is written carries (node, n): in the end published rows, rejects and declared
losses are what was written, as a multiset.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from segue.errors import FleetError
from segue.testing.fleet import HUB, LocalFleet
from segue.testing.network import Proxy, Weather

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
columns = {{ n = "int64", value = "float64" }}
[steps.sound]
on = "plant"
"""
CONTRACT = "sound:\n  columns:\n    value: {between: [0, 1]}\n  rejects: true\n"
STEP = "select n, value from raw where {number} > 0\n"
ACCOUNT = """
select
  (select count(*) from sound) as rows,
  (select count(distinct (_node, n)) from sound) as once,
  (select count(*) from sound__rejects) as rejects,
  (select coalesce(sum("rows"), 0)::bigint from sound__gaps) as lost
"""
ODD = 0.01
EVERY = 0.2
REST = (2.0, 8.0)
PATIENCE = 900.0
SLOPE = 1.5
"""Times that a process may hold of memory at the end of what it held after the beginning."""


class Writer(threading.Thread):
    """Writes lines at every node, and begins a new file now and then."""

    def __init__(self, folders: dict[str, Path], chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.written = 0
        self._folders = folders
        self._chance = chance
        self._quiet = threading.Event()

    def run(self) -> None:
        number = 0
        for folder in self._folders.values():
            folder.mkdir(parents=True)
        while not self._quiet.wait(EVERY):
            count = self._chance.choice((1, 5, 20, 200))
            for folder in self._folders.values():
                with (folder / f"{number // 2000}.jsonl").open("a") as file:
                    for each in range(number, number + count):
                        odd = self._chance.random() < ODD
                        value = 7.0 if odd else round(self._chance.random(), 3)
                        file.write(json.dumps({"n": each, "value": value}) + "\n")
                self.written += count
            number += count

    def stop(self) -> None:
        self._quiet.set()
        self.join()


class Faults:
    """Draws faults, one after the other, and mends what it broke."""

    def __init__(
        self, fleet: LocalFleet, nodes: list[str], proxies: dict[str, Proxy], chance: random.Random
    ) -> None:
        self.fleet = fleet
        self.nodes = nodes
        self.proxies = proxies
        self.chance = chance
        self.drawn: Counter[str] = Counter()
        self._kinds = (
            self.cut, self.swallow, self.delay, self.slow, self.kill_agent, self.kill_worker,
            self.kill_hub, self.freeze_hub, self.freeze_agent, self.deploy,
        )  # fmt: skip
        self._deployed = 1

    def draw(self) -> None:
        """Let one thing happen."""
        kind = self.chance.choice(self._kinds)
        self.drawn[kind.__name__] += 1
        kind(self.chance.sample(self.nodes, self.chance.randint(1, len(self.nodes))))

    def mend(self) -> None:
        """Put everything right again."""
        for proxy in self.proxies.values():
            proxy.mend()
        for node in self.nodes:
            if self.fleet.processes[node].poll() is not None:
                self.fleet.start_agent(node)

    def cut(self, nodes: list[str]) -> None:
        self._change(nodes, Weather(down=True))

    def swallow(self, nodes: list[str]) -> None:
        way = self.chance.choice(("swallow_requests", "swallow_answers"))
        self._change(nodes, Weather(**{way: True}))

    def delay(self, nodes: list[str]) -> None:
        self._change(nodes, Weather(delay=self.chance.uniform(0.05, 2.0)))

    def slow(self, nodes: list[str]) -> None:
        self._change(nodes, Weather(rate=self.chance.choice((2_000, 50_000))))

    def kill_agent(self, nodes: list[str]) -> None:
        for node in nodes[:3]:
            self.fleet.kill(node)
        self.rest()
        for node in nodes[:3]:
            self.fleet.start_agent(node)

    def kill_worker(self, nodes: list[str]) -> None:
        for node in nodes[:3]:
            children = psutil.Process(self.fleet.processes[node].pid).children(recursive=True)
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.send_signal(signal.SIGKILL)

    def kill_hub(self, _: list[str]) -> None:
        self.fleet.kill(HUB)
        self.rest()
        self.fleet.start_hub()

    def freeze_hub(self, _: list[str]) -> None:
        self._freeze(HUB)

    def freeze_agent(self, nodes: list[str]) -> None:
        self._freeze(nodes[0])

    def deploy(self, _: list[str]) -> None:
        self._deployed += 1
        step = self.fleet.project / "steps" / "sound.sql"
        step.write_text(STEP.format(number=self._deployed))
        self.fleet.deploy()

    def rest(self) -> None:
        time.sleep(self.chance.uniform(*REST))

    def _change(self, nodes: list[str], weather: Weather) -> None:
        for node in nodes:
            self.proxies[node].weather = weather
        if weather.down:
            for node in nodes:
                self.proxies[node].reset()
        self.rest()
        for node in nodes:
            self.proxies[node].mend()

    def _freeze(self, name: str) -> None:
        pid = self.fleet.processes[name].pid
        os.kill(pid, signal.SIGSTOP)
        self.rest()
        os.kill(pid, signal.SIGCONT)


def main() -> int:
    """Run it, and say what came of it."""
    options = read_options()
    chance = random.Random(options.seed)
    print(f"seed {options.seed}: {options.nodes} agents, {options.minutes:g} minutes", flush=True)
    nodes = [f"node-{number:02d}" for number in range(1, options.nodes + 1)]
    with tempfile.TemporaryDirectory(prefix="segue-soak-") as folder, ExitStack() as stack:
        fleet = stack.enter_context(LocalFleet(Path(folder) / "project", Path(folder) / "nodes"))
        (fleet.project / "steps").mkdir(parents=True)
        (fleet.project / "segue.toml").write_text(SETTINGS.format(port=fleet.port))
        (fleet.project / "contracts.yml").write_text(CONTRACT)
        (fleet.project / "steps" / "sound.sql").write_text(STEP.format(number=1))
        hub = ("127.0.0.1", fleet.port)
        proxies = {node: stack.enter_context(Proxy(hub)) for node in nodes}
        try:
            return soak(fleet, Faults(fleet, nodes, proxies, chance), options.minutes, chance)
        except FleetError as error:
            print(f"{error}\nseed {options.seed}", file=sys.stderr)
            return 1


def soak(fleet: LocalFleet, faults: Faults, minutes: float, chance: random.Random) -> int:
    """Start the fleet, hurt it, let it heal, count."""
    fleet.start_hub()
    fleet.allow()
    folders = {node: fleet.folder / f"{node}-lines" for node in faults.nodes}
    with ThreadPoolExecutor(4) as pool:
        enrolled = [
            pool.submit(fleet.enrol, node, {}, faults.proxies[node]) for node in faults.nodes
        ]
        for each in enrolled:
            each.result()
    writer = Writer(folders, random.Random(chance.random()))
    writer.start()
    for node in faults.nodes:
        fleet.start_agent(node, READINGS=str(folders[node]))
    fleet.deploy()
    fleet.wait("all nodes run", lambda: all(map(runs, fleet.statuses().values())), PATIENCE)
    held = measure_memory(fleet)
    ends = time.monotonic() + minutes * 60
    while time.monotonic() < ends:
        faults.draw()
    writer.stop()
    faults.mend()
    healed = time.monotonic()
    fleet.wait("every line is accounted for", lambda: count(fleet) >= writer.written, PATIENCE)
    seconds = time.monotonic() - healed
    return judge(fleet, writer.written, faults, seconds, (held, measure_memory(fleet)))


def runs(status: dict[str, object]) -> bool:
    return bool(status.get("applied"))


def count(fleet: LocalFleet) -> int:
    (found,) = fleet.query(ACCOUNT)
    return found["rows"] + found["rejects"] + found["lost"]


def measure_memory(fleet: LocalFleet) -> dict[str, int]:
    """Return the resident bytes of each process that was started, its children left out."""
    return {
        name: psutil.Process(process.pid).memory_info().rss
        for name, process in fleet.processes.items()
        if process.poll() is None
    }


def judge(
    fleet: LocalFleet,
    written: int,
    faults: Faults,
    seconds: float,
    memory: tuple[dict[str, int], dict[str, int]],
) -> int:
    """Print the account, and return whether every row is in exactly one place."""
    (found,) = fleet.query(ACCOUNT)
    missing = written - found["once"] - found["rejects"] - found["lost"]
    doubled = found["rows"] - found["once"]
    before, after = memory
    grown = max(after[name] / before[name] for name in before if name in after)
    print(f"faults: {', '.join(f'{name} {count}' for name, count in sorted(faults.drawn.items()))}")
    print(
        f"written {written:,}, arrived {found['rows']:,}, rejected {found['rejects']:,}, "
        f"declared lost {found['lost']:,}, doubled {doubled:,}, missing {missing:,}; "
        f"converged in {seconds:.0f} s; memory grew {grown:.2f} times at most"
    )
    return int(bool(doubled or missing or grown > SLOPE))


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
