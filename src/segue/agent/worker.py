"""The worker process: ``python -m segue.agent.worker --home HOME --slot SLOT --generation N``.

It runs a slot until SIGTERM, reports to its supervisor about once a second, and stays small
until rows come: Arrow, DuckDB and the project's modules are loaded with the first of them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from segue.agent.heartbeat import RECYCLE, WorkerReport, write_atomically, write_report
from segue.agent.lean import leave_out_unused
from segue.agent.spool import Spool
from segue.agent.work.commit import Committer
from segue.agent.work.flow import Flow, Worksite
from segue.agent.work.lineage import plant_trees
from segue.agent.work.once import SPOOL, BenchKeeper
from segue.agent.work.slot import Slot, open_slot
from segue.agent.work.tally import Tally
from segue.errors import DestinationError, SegueError
from segue.spec.secrets import fill_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segue.agent.destinations.deliveries import Deliveries
    from segue.spec.edge import DestinationSpec

TICK = 0.5
"""Seconds between two looks of the main thread, and two reports."""
STUCK = 5.0
"""Seconds of work on one batch after which the heart stops until it is done."""
IDLE = 60.0
"""Seconds without rows after which a worker that had some ends, to begin small again."""
LEAVE = 15.0
"""Seconds that flows have to commit what is under way."""
_IDENTITY = "identity.json"


@dataclass(slots=True)
class Worker:
    """One worker; `run` is its life.

    Attributes:
        home: The node's home.
        slot: The unpacked bundle.
        node: Name of the node.
        labels: Labels of the node.
        once: Whether it ends when all sources are exhausted.
        idle: Seconds without rows after which it begins afresh.
    """

    home: Path
    slot: Slot
    node: str
    labels: dict[str, str] = field(default_factory=dict)
    once: bool = False
    idle: float = IDLE
    _stop: threading.Event = field(default_factory=threading.Event)
    _tally: Tally = field(default_factory=Tally)
    _flows: list[Flow] = field(default_factory=list)
    _beat: int = 0
    _fatal: BaseException | None = None

    def run(self) -> int:
        """Run until SIGTERM; return the exit code.

        Raises:
            SegueError: The slot can't be run.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._report(ready=False)
        self._check_slot()
        spool = Spool(self.home / SPOOL, self.slot.part.spool)
        keeper = BenchKeeper(self.slot, self.home / "scratch")
        committer = Committer(self.slot, spool)
        site = self._make_site(committer, keeper)
        deliveries: Deliveries | None = None
        try:
            self._flows = [Flow(tree, site) for tree in plant_trees(self.slot.part)]
            deliveries = self._start_deliveries()
            committer.outbox.start()
            threads = self._start()
            code = self._watch(threads, committer, keeper, deliveries)
            site.stopping.set()
            self._join(threads)
        finally:
            committer.outbox.stop()
            if deliveries is not None:
                deliveries.close()
            keeper.close()
            spool.close()
        self._report(ready=True, committer=committer)
        if self._fatal is not None:
            raise self._fatal
        return code

    def _make_site(self, committer: Committer, keeper: BenchKeeper) -> Worksite:
        part, path = self.slot.part, self.slot.path
        return Worksite(
            self.home,
            self.node,
            part.spool,
            committer,
            self._tally,
            keeper.find,
            path,
            part.memory,
        )

    def tell_end(self, error: Exception) -> None:
        """Tell the supervisor why it ends."""
        known = isinstance(error, SegueError)
        self._report(ready=False, error=str(error) if known else f"{type(error).__name__}: {error}")

    def _check_slot(self) -> None:
        """Try the slot in a process of its own, once, so that this one stays small.

        Raises:
            SegueError: Something of it can't work at all.
        """
        marker = self.home / "work" / f"checked-{self.slot.generation}"
        wanted = str(self.slot.path)
        part = self.slot.part
        if not (part.steps or part.checks or part.alerts):
            return
        if marker.is_file() and marker.read_text() == wanted:
            return
        from segue.agent.work.child import check_apart

        check_apart(self.slot.path, self._keep_alive)
        marker.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(marker, wanted.encode())

    def _keep_alive(self) -> bool:
        """Report, and return whether to go on."""
        self._report(ready=False)
        return not self._stop.is_set()

    def _start(self) -> list[threading.Thread]:
        threads = []
        for flow in self._flows:
            run = flow.run_once if self.once else flow.run
            thread = threading.Thread(
                target=self._run_flow, args=(run,), name=f"segue-{flow.tree.source.name}"
            )
            thread.start()
            threads.append(thread)
        return threads

    def _run_flow(self, run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001  # it is raised again, in the main thread
            self._fatal = self._fatal or error
            self._stop.set()

    def _watch(
        self,
        threads: Sequence[threading.Thread],
        committer: Committer,
        keeper: BenchKeeper,
        deliveries: Deliveries | None,
    ) -> int:
        """Report until it is time to end; return the exit code."""
        while not self._stop.wait(TICK):
            if deliveries is not None:
                deliveries.wake()
            ready = all(flow.started for flow in self._flows)
            self._report(ready=ready, committer=committer, deliveries=deliveries)
            if self.once and not any(thread.is_alive() for thread in threads):
                committer.outbox.wait(LEAVE)
                self._drain(deliveries)
                return 0
            if keeper.made and self._is_idle(committer):
                return RECYCLE
        return 0

    def _drain(self, deliveries: Deliveries | None) -> None:
        """Give further destinations time to take what there is; the rest goes with the next run."""
        deadline = time.monotonic() + LEAVE
        while deliveries is not None and time.monotonic() < deadline:
            deliveries.wake()
            if self._stop.wait(TICK):
                return
            if not any(each["unsent"] and not each["error"] for each in deliveries.status()):
                return

    def _is_idle(self, committer: Committer) -> bool:
        """Return whether nothing has come for so long that a fresh worker is better.

        Sources that would miss something meanwhile keep the worker that they have.
        """
        now = time.monotonic()
        return (
            not self.once
            and all(flow.replayable for flow in self._flows)
            and all(flow.busy_since is None for flow in self._flows)
            and all(now - flow.last_rows > self.idle for flow in self._flows)
            and not committer.outbox.waiting
            and not self.slot.part.destinations
        )

    def _join(self, threads: Sequence[threading.Thread]) -> None:
        deadline = time.monotonic() + LEAVE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            # what hangs can't be waited for; what it works on is read again
            os._exit(1)

    def _start_deliveries(self) -> Deliveries | None:
        specs = self.slot.part.destinations
        if not specs:
            return None
        from segue.agent.destinations.deliveries import Deliveries
        from segue.agent.destinations.parcels import Origin

        settings = self.slot.part.spool
        deliveries = Deliveries(
            lambda: Spool(self.home / SPOOL, settings),
            self.home / "destinations",
            Origin(self.node, self.labels),
        )
        deliveries.start([_fill(each) for each in specs])
        return deliveries

    def _report(
        self,
        *,
        ready: bool,
        committer: Committer | None = None,
        deliveries: Deliveries | None = None,
        error: str = "",
    ) -> None:
        """Tell the supervisor how it stands; the heart beats unless a batch takes too long."""
        now = time.monotonic()
        busy = [flow.busy_since for flow in self._flows]
        if not any(since is not None and now - since > STUCK for since in busy):
            self._beat += 1
        done = self._tally.summary
        alerts = list(done.alerts)
        if committer is not None:
            alerts += committer.outbox.problems
        if deliveries is not None:
            alerts += deliveries.alerts()
        write_report(
            self.home,
            WorkerReport(
                os.getpid(),
                self._beat,
                self.slot.generation,
                ready,
                done.batches,
                done.errors,
                error or done.error,
                done.rows,
                done.rejects,
                deliveries.status() if deliveries is not None else [],
                alerts,
            ),
        )


def _fill(spec: DestinationSpec) -> DestinationSpec:
    """Return a destination with its secrets filled in.

    Raises:
        DestinationError: One is not set.
    """
    try:
        return replace(spec, options=fill_secrets(dict(spec.options), os.environ))
    except KeyError as error:
        raise DestinationError(
            f"destination {spec.name!r}: the environment variable {error.args[0]} is not set"
        ) from None


def read_node(home: Path) -> tuple[str, dict[str, str]]:
    """Return a node's name and labels; a home that was not enrolled is the node ``node``.

    The rest of its identity, and what reads it, is not for workers.
    """
    try:
        identity = json.loads((home / _IDENTITY).read_bytes())
    except FileNotFoundError:
        return "node", {}
    return str(identity["node"]), dict(identity.get("labels", {}))


def read_arguments(arguments: Sequence[str]) -> dict[str, str]:
    """Return the arguments by name: only the supervisor types them, and argparse takes 0.4 MB.

    Example:
        >>> read_arguments(["--home", "h", "--slot", "s", "--once"])
        {'--home': 'h', '--slot': 's', '--once': '1'}
    """
    asked: dict[str, str] = {}
    words = iter(arguments)
    for word in words:
        if word not in ("--home", "--slot", "--generation", "--idle", "--once"):
            raise SystemExit(f"segue.agent.worker: what is {word!r}?")
        asked[word] = "1" if word == "--once" else next(words)
    return asked


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a worker; return its exit code."""
    asked = read_arguments(sys.argv[1:] if arguments is None else arguments)
    home, once = Path(asked["--home"]).resolve(), bool(asked.get("--once"))
    generation = int(asked["--generation"]) if "--generation" in asked else None
    try:
        slot = open_slot(Path(asked["--slot"]), generation)
    except SegueError as error:
        write_report(home, WorkerReport(os.getpid(), 1, generation or 0, error=str(error)))
        sys.stderr.write(f"{error}\n")
        return 1
    leave_out_unused(slot.part)
    idle = float(asked.get("--idle", IDLE))
    worker = Worker(home, slot, *read_node(home), once=once, idle=idle)
    try:
        return worker.run()
    except SegueError as error:
        worker.tell_end(error)
        sys.stderr.write(f"{error}\n")
        return 1
    except Exception as error:  # a fault of segue's own: the node's status tells it, too
        worker.tell_end(error)
        raise


if __name__ == "__main__":
    sys.exit(main())
