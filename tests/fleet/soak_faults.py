"""The faults of a soak: each lasts some seconds, and mends what it broke."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil

from segue.testing.faults import fill_disk
from segue.testing.fleet import HUB
from segue.testing.network import Weather
from tests.fleet.soak_plant import Feed, Member, Plant

REST = (2.0, 8.0)
CLOCKS = ("-2h", "+2h", "+10y", "@1970-01-01 00:00:10", "-3d")
BAD = (
    "error(value::varchar)::double",
    "case when n % 2 = 0 then error('even')::double else value end",
)
MOST_COPIES = 2
FAR = 10**9
"""Numbers of a clone's lines begin there, beyond all of the original's."""
DRAINED = 60.0
_SILENT = 0.5
_ASK = 5.0


class Faults:
    """Draws faults: one of networks, one of processes, and often both at once."""

    def __init__(self, plant: Plant, account: Callable[[], dict[str, dict[str, int]]]) -> None:
        self.plant, self.fleet, self.chance = plant, plant.fleet, plant.chance
        self.drawn: Counter[str] = Counter()
        self._account = account
        self._backup: Path | None = None
        self._networks = (self.cut, self.swallow, self.delay, self.slow, self.double, self.late)
        kinds = [self.kill_agent, self.kill_worker, self.kill_hub, self.freeze_hub]
        kinds += [self.freeze_agent, self.deploy, self.deploy_badly, self.restore_hub]
        kinds += [self.replace_node, self.clone_node]
        if any(each.clock for each in plant.members.values()):
            kinds += [self.turn_clocks]
        if any(each.disk for each in plant.members.values()):
            kinds += [self.fill_node_disk, self.fill_hub_disk]
        self._others = tuple(kinds)
        self._left: list[Callable[[Random], None]] = []

    def draw(self) -> None:
        """Let something happen."""
        draws = self.chance.choice(((0,), (1,), (0, 1), (0, 1)))
        kinds = [self.chance.choice(self._networks) if k == 0 else self._next() for k in draws]
        with ThreadPoolExecutor(len(kinds)) as pool:
            done = [pool.submit(kind, Random(self.chance.random())) for kind in kinds]
        self.drawn.update(kind.__name__ for kind in kinds)
        for each in done:
            each.result()

    def _next(self) -> Callable[[Random], None]:
        """Return each of the other kinds once, in some order, then again in another."""
        if not self._left:
            self._left = self.chance.sample(self._others, len(self._others))
        return self._left.pop()

    def mend(self) -> None:
        """Put everything right again."""
        self.plant.echo.calm()
        for member in self.plant.members.values():
            member.proxy.mend()
            if member.clock:
                member.clock.write_text("+0\n")
        for name in self.plant.agents():
            if self.fleet.processes[name].poll() is not None:
                self.fleet.start_agent(name)

    def cut(self, chance: Random) -> None:
        self._change(chance, Weather(down=True))

    def swallow(self, chance: Random) -> None:
        way = chance.choice(("swallow_requests", "swallow_answers"))
        self._change(chance, Weather(**{way: True}))

    def delay(self, chance: Random) -> None:
        self._change(chance, Weather(delay=chance.uniform(0.05, 2.0)))

    def slow(self, chance: Random) -> None:
        self._change(chance, Weather(rate=chance.choice((2_000, 50_000))))

    def double(self, chance: Random) -> None:
        self.plant.echo.doubled = chance.choice((0.2, 1.0))
        rest(chance)
        self.plant.echo.calm()

    def late(self, chance: Random) -> None:
        echo = self.plant.echo
        echo.seconds = chance.choice((1.0, 20.0, 180.0))
        echo.late, echo.overtaken = 0.5, 0.2
        rest(chance)
        echo.calm()

    def _change(self, chance: Random, weather: Weather) -> None:
        proxies = [each.proxy for each in self._choose(chance, len(self.plant.members))]
        for proxy in proxies:
            proxy.weather = weather
            if weather.down:
                proxy.reset()
        rest(chance)
        for proxy in proxies:
            proxy.mend()

    def _choose(self, chance: Random, most: int) -> list[Member]:
        members = list(self.plant.members.values())
        return chance.sample(members, chance.randint(1, min(most, len(members))))

    def kill_agent(self, chance: Random) -> None:
        names = [each.name for each in self._choose(chance, 3)]
        for name in names:
            self.fleet.kill(name)
        rest(chance)
        for name in names:
            self.plant.start(name)

    def kill_worker(self, chance: Random) -> None:
        for member in self._choose(chance, 3):
            children = psutil.Process(self.fleet.processes[member.name].pid).children(
                recursive=True
            )
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.send_signal(signal.SIGKILL)

    def kill_hub(self, chance: Random) -> None:
        self.fleet.kill(HUB)
        rest(chance)
        self.fleet.start_hub()

    def freeze_hub(self, chance: Random) -> None:
        self._freeze(HUB, chance)

    def freeze_agent(self, chance: Random) -> None:
        self._freeze(self._choose(chance, 1)[0].name, chance)

    def _freeze(self, name: str, chance: Random) -> None:
        pid = self.fleet.processes[name].pid
        os.kill(pid, signal.SIGSTOP)
        rest(chance)
        os.kill(pid, signal.SIGCONT)

    def deploy(self, _: Random) -> None:
        self.plant.deploy()

    def deploy_badly(self, chance: Random) -> None:
        self.plant.deploy(f"select n, file, {chance.choice(BAD)} as value from raw\n")
        rest(chance)
        self.plant.deploy()

    def restore_hub(self, chance: Random) -> None:
        """Set the hub back to what it was, and copy it for the next time."""
        self.fleet.kill(HUB)
        if self._backup is not None:
            empty(self.plant.lake)
            shutil.copytree(self._backup, self.plant.lake, symlinks=True, dirs_exist_ok=True)
            rest(chance)
        else:
            self._backup = self.plant.folder / "backup"
            shutil.copytree(self.plant.lake, self._backup, symlinks=True)
        self.fleet.start_hub()

    def replace_node(self, chance: Random) -> None:
        """Take a machine away whose rows have arrived, and enrol another under its name."""
        members = [each for each in self._choose(chance, 6) if not each.copies]
        if not members or not self._drained(members[0]):
            return
        member = members[0]
        self.fleet.kill(member.name)
        empty(self.fleet.home(member.name))
        folder = member.feed.folder.with_name(f"{member.feed.folder.name}-{member.feed.number}")
        member.feed = Feed(member.name, folder, member.feed.number)
        self.plant.enrol(member.name)
        self.plant.start(member.name)
        self.plant.writer.add(member.feed)
        # A hub that is set back to before this does not know the new key: people enrol it again.
        if self._backup is not None:
            shutil.rmtree(self._backup)
            self._backup = None

    def _drained(self, member: Member) -> bool:
        """Let a node send all that it has; return whether it did in time."""
        self.plant.writer.hush(member.feed)
        ends = time.monotonic() + DRAINED
        while time.monotonic() < ends:
            found = self._account().get(member.name, {})
            if found.get("once", 0) == self.plant.writer.written()[member.name]:
                return True
            time.sleep(_ASK)
        self.plant.writer.hush(member.feed, quiet=False)
        return False

    def clone_node(self, chance: Random) -> None:
        """Copy a node's home, and let both run.

        On this one machine the copy would go on with the file that the other reads, and lines that
        two machines have are two. So all is read before, and what comes goes into other files.
        """
        [member] = self._choose(chance, 1)
        if sum(len(each.copies) for each in self.plant.members.values()) >= MOST_COPIES:
            return
        if member.copies or member.disk or not self._drained(member):
            return
        member.feed.parts += 1
        self.fleet.kill(member.name)
        name = f"{member.name}-copy"
        shutil.copytree(self.fleet.home(member.name), self.fleet.home(name))
        feed = Feed(member.name, self.fleet.folder / f"{name}-lines", FAR)
        self.plant.start(member.name)
        self.fleet.start_agent(name, READINGS=str(feed.folder))
        self.plant.writer.add(feed)
        self.plant.writer.hush(member.feed, quiet=False)
        member.copies.append(name)

    def turn_clocks(self, chance: Random) -> None:
        clocks = [each.clock for each in self.plant.members.values() if each.clock]
        for clock in clocks:
            clock.write_text(f"{chance.choice(CLOCKS)}\n")
        rest(chance)
        for clock in clocks:
            clock.write_text("+0\n")

    def fill_node_disk(self, chance: Random) -> None:
        member = chance.choice([each for each in self.plant.members.values() if each.disk])
        with fill_disk(self.fleet.home(member.name), chance.choice((0, 20_000))):
            rest(chance)

    def fill_hub_disk(self, chance: Random) -> None:
        with fill_disk(self.plant.lake, chance.choice((0, 100_000))):
            rest(chance)


def empty(folder: Path) -> None:
    """Remove all that is in a folder, which may be a disk, while a dead agent's worker ends."""
    for _ in range(20):
        for path in folder.iterdir():
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not any(folder.iterdir()):
            return
        time.sleep(_SILENT)
    raise OSError(f"{folder} does not become empty")


def rest(chance: Random) -> None:
    """Let a fault last."""
    time.sleep(chance.uniform(*REST))
