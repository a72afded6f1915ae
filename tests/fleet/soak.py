"""Let faults happen to a fleet at random for as long as asked, and count every row.

``make soak MINUTES=60``. Real processes: a hub, agents, and between them a network each that can
be cut, swallow, delay, slow down, double and reorder. The seed is printed; the same one draws the
same faults. Every line that is written carries (node, n): in the end published rows, rejects and
declared losses are what was written, as a multiset, each file in its order within an epoch, and
all nodes run the newest deployment.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from segue.errors import FleetError
from segue.testing.fleet import HUB
from tests.fleet.soak_faults import Faults
from tests.fleet.soak_plant import Plant

ACCOUNT = """
with found as (
  select _node, n, 1 as "row" from sound
  union all
  select _node, ("row" ->> '$.n')::bigint, 0 from sound__rejects
), counted as (
  select _node as node, count(*) as "rows", count(distinct n) as once,
    sum("row")::bigint as published
  from found group by all
), lost as (
  select _node as node, sum("rows")::bigint as lost from sound__gaps group by all
)
select coalesce(counted.node, lost.node) as node, coalesce("rows", 0) as "rows",
  coalesce(once, 0) as once, coalesce(published, 0) as published, coalesce(lost, 0) as lost
from counted full join lost using (node)
"""
DISORDER = """
select count(*) as many from (
  select first_n, lag(last_n) over (partition by _node, _epoch, file order by _sequence) as before
  from (
    select _node, _epoch, file, _sequence, min(n) as first_n, max(n) as last_n
    from sound group by all
  )
) where first_n <= before
"""
PATIENCE = 900.0
SLOPE = 1.5
"""Times that processes of a kind may hold of memory in the last quarter of what they held in the
second one, on average."""
LOOKS = 120
SETTLED = 5.0
"""Minutes from which memory is judged: before, processes are still warming up."""


class Memory(threading.Thread):
    """Looks at the memory of all processes again and again."""

    def __init__(self, plant: Plant, every: float) -> None:
        super().__init__(daemon=True)
        self.looks: list[tuple[float, float, float]] = []
        self._plant, self._every = plant, every
        self._over = threading.Event()

    def run(self) -> None:
        began = time.monotonic()
        while not self._over.wait(self._every):
            hub, agents = self.look()
            self.looks.append((time.monotonic() - began, hub, agents))

    def look(self) -> tuple[float, float]:
        """Return the bytes of the hub, and of an agent with its worker on average."""
        hub, agents = 0, []
        for name, each in list(self._plant.fleet.processes.items()):
            try:
                process = psutil.Process(each.pid)
                family = [process, *process.children(recursive=True)]
                held = sum(one.memory_info().rss for one in family)
            except psutil.Error:
                continue
            if name == HUB:
                hub = held
            else:
                agents.append(held)
        return float(hub), sum(agents) / max(1, len(agents))

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()

    def tell(self) -> tuple[str, float]:
        """Return a line about it, and the largest growth."""
        if len(self.looks) < 8:  # two for each quarter
            return "memory was hardly looked at", 1.0
        quarter = len(self.looks) // 4
        early, late = self.looks[quarter : 2 * quarter], self.looks[-quarter:]
        told, most = [], 0.0
        for place, what in ((1, "hub"), (2, "an agent with its worker")):
            before, after = (sum(look[place] for look in part) / quarter for part in (early, late))
            hours = (late[0][0] - early[0][0]) / 3600
            slope = (after - before) / 1e6 / hours
            told.append(
                f"{what} {before / 1e6:.0f} -> {after / 1e6:.0f} MB ({slope:+.1f} MB an hour)"
            )
            most = max(most, after / max(before, 1.0))
        return f"memory, second quarter and last: {'; '.join(told)}", most


def main() -> int:
    """Run it, and say what came of it."""
    options = read_options()
    chance = random.Random(options.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what runs is ended
    print(f"seed {options.seed}: {options.nodes} agents, {options.minutes:g} minutes", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="segue-soak-") as folder,
        Plant(Path(folder), options.nodes, chance) as plant,
    ):
        try:
            code = soak(plant, options.minutes)
        except (FleetError, OSError) as error:
            print(f"{error}\nseed {options.seed}", file=sys.stderr)
            code = 1
        if code:
            keep_logs(plant, options.logs)
        return code


def soak(plant: Plant, minutes: float) -> int:
    """Start the fleet, hurt it, let it heal, count."""
    fleet = plant.fleet
    fleet.start_hub()
    fleet.allow()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(plant.enrol, plant.members))
    plant.writer.start()
    for name in plant.members:
        plant.start(name)
    plant.deploy()
    fleet.wait("all nodes run", lambda: all(map(runs, fleet.statuses().values())), PATIENCE)
    fleet.wait("something of all arrives", lambda: len(account(plant)) >= len(plant.members))
    faults = Faults(plant, lambda: account(plant))
    memory = Memory(plant, max(1.0, minutes * 60 / LOOKS))
    memory.start()
    ends = time.monotonic() + minutes * 60
    while time.monotonic() < ends:
        faults.draw()
    memory.stop()
    plant.writer.stop()
    faults.mend()
    last = plant.deploy()
    healed = time.monotonic()
    fleet.wait("every line is accounted for", lambda: not list_missing(plant), PATIENCE)
    seconds = time.monotonic() - healed
    fleet.wait("all nodes run the newest", lambda: all_run(plant, last), PATIENCE)
    told, grown = memory.tell()
    wrong = judge(plant, faults, seconds)
    print(told)
    return int(wrong or (minutes >= SETTLED and grown > SLOPE))


def runs(status: dict[str, object]) -> bool:
    return bool(status.get("applied"))


def all_run(plant: Plant, generation: int) -> bool:
    told = plant.fleet.statuses()
    return all(told[name].get("applied") == generation for name in plant.members)


def account(plant: Plant) -> dict[str, dict[str, int]]:
    """Return what has become of each node's lines."""
    return {row.pop("node"): row for row in plant.fleet.query(ACCOUNT)}


def list_missing(plant: Plant) -> dict[str, int]:
    """Return lines that are in no place yet, by node."""
    found = account(plant)
    none = {"once": 0, "lost": 0}
    left = {
        node: count - found.get(node, none)["once"] - found.get(node, none)["lost"]
        for node, count in plant.writer.written().items()
    }
    return {node: count for node, count in left.items() if count > 0}


def judge(plant: Plant, faults: Faults, seconds: float) -> bool:
    """Print the account, and return whether a row is not in exactly one place."""
    found = list(account(plant).values())
    written = sum(plant.writer.written().values())
    rows, once, published, lost = (
        sum(each[name] for each in found) for name in ("rows", "once", "published", "lost")
    )
    missing, doubled = written - once - lost, rows - once
    [disorder] = plant.fleet.query(DISORDER)
    print(f"faults: {', '.join(f'{name} {count}' for name, count in sorted(faults.drawn.items()))}")
    print(
        f"written {written:,}, arrived {published:,}, rejected {rows - published:,}, "
        f"declared lost {lost:,}, doubled {doubled:,}, missing {missing:,}, "
        f"out of order {disorder['many']:,}; {plant.echo.repeats:,} requests came again; "
        f"{plant.generation} deployments; converged in {seconds:.0f} s"
    )
    return bool(doubled or missing or disorder["many"])


def keep_logs(plant: Plant, folder: Path | None) -> None:
    """Copy what processes have said, and how nodes stand, to where somebody can read it."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    names = [*plant.fleet.folder.glob("*.log"), *plant.fleet.folder.glob("*/*.json")]
    for path in names:
        own = "-".join(path.relative_to(plant.fleet.folder).parts)
        (folder / own).write_bytes(path.read_bytes())


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--logs", type=Path, help="where logs are kept if it fails")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
