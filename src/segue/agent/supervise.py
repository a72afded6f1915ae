"""The supervisor: keeps a worker running, and the node in touch with its hub.

The worker is the child that loads Arrow and the user's code, and it is started from the slot on
the disk before anything is asked of the network. Three threads speak to the hub, each over a
connection of its own, so that none waits for another: one asks for the desired state, one tells
the status, one sends what is in the spool. Whatever goes wrong in them is told and tried again.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from segue.agent.clock import OK, ClockWatch
from segue.agent.deployments import Deployments
from segue.agent.heartbeat import PATIENCE
from segue.agent.homes import begin_epoch, catch_signals, hold_home
from segue.agent.identity import Identity, open_access
from segue.agent.journal import Journal
from segue.agent.link import POLL, Poller, Teller, read_generation, repeat
from segue.agent.processes import measure_process
from segue.agent.send import PACK_FROM
from segue.agent.sending import Sending
from segue.agent.slots import EDGE
from segue.agent.status import LinkState, Local, compose_status, write_status
from segue.agent.worker_process import MODULE, Job, WorkerProcess
from segue.errors import SegueError
from segue.spec.edge_codec import read_edge
from segue.wire.client import SECONDS, HubClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from segue.spec.edge import EdgePart
    from segue.wire.messages import DesiredState, Status

TICK = 0.5
WRITE_SECONDS = 5.0
LEAVE_SECONDS = 5.0
FAULT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How an agent runs.

    Attributes:
        home: The node's home.
        slot: A slot to run in place of what is deployed; None for what is deployed.
        once: Whether the agent ends when all sources are exhausted and all was sent.
        module: The worker's program.
        poll: Seconds for which the hub may keep a question about the desired state.
        pack_from: Unsent rows of a stream from which a process packs them.
        patience: Seconds without a word after which the hub, or a connection to it, is given up.
        worker_patience: Seconds without a beat after which the worker is taken for hung.
    """

    home: Path
    slot: Path | None = None
    once: bool = False
    module: str = MODULE
    poll: float = POLL
    pack_from: int = PACK_FROM
    patience: float = SECONDS
    worker_patience: float = PATIENCE


@dataclass(slots=True)
class Supervisor:
    """One agent; `run` is its life.

    Attributes:
        settings: How it runs.
        identity: Who the node is.
        clock: How far the node's clock can be trusted.
    """

    settings: Settings
    identity: Identity
    clock: ClockWatch = field(default_factory=ClockWatch)
    _stop: threading.Event = field(default_factory=threading.Event)
    _deployments: Deployments | None = None
    _poller: Poller | None = None
    _sending: Sending = field(init=False)
    _worker: WorkerProcess | None = None
    _slot: Path | None = None
    _error: str = ""
    _fault: str = ""
    _written: float = 0.0
    _finished: bool = False
    _journal: Journal = field(default_factory=lambda: Journal(_say))

    def run(self) -> int:
        """Run until a signal comes, or all is done once.

        Returns:
            0; 1 if what is to be done once was not done.

        Raises:
            FleetError: Another agent runs in this home, or the node is not enrolled as it must.
            StorageError: The home can't be used.
        """
        home = self.settings.home
        with hold_home(home), catch_signals(self._stop):
            begin_epoch(home)
            threads = self._prepare()
            try:
                self._follow_slot()
                for thread in threads:
                    thread.start()
                while not self._stop.wait(self._tick()):
                    pass
            finally:
                self._end(threads)
        return 1 if self.settings.once and not self._finished else 0

    def stop(self) -> None:
        """End it soon; any thread may ask for that."""
        self._stop.set()

    def _prepare(self) -> list[threading.Thread]:
        home, settings = self.settings.home, self.settings
        check = self.clock.quality() == OK
        access = open_access(home, self.identity, check_time=check, patience=settings.patience)
        client = HubClient(access)
        instance = os.urandom(8).hex()
        self._sending = Sending(home, client.another(), instance, settings.pack_from)
        teller = Teller(client.another(), self.compose)
        work: list[tuple[HubClient | None, Callable[[], float]]] = [
            (self._sending.client, self._sending.round),
            (None, self._sending.watch),
            (teller.client, teller.round),
        ]
        if settings.slot is None:
            self._deployments = Deployments(home, client)
            self._poller = Poller(client, self._apply, poll=settings.poll)
            work.append((client, self._poller.round))
        return [
            threading.Thread(target=repeat, args=(partial(self._guard, *each), self._stop))
            for each in work
        ]

    def _guard(self, client: HubClient | None, work: Callable[[], float]) -> float:
        """Do a thread's work once, such that nothing ends the thread."""
        if client is not None and self.clock.quality() != OK:
            client.distrust_clock()
        try:
            return work()
        except Exception as error:  # noqa: BLE001  # a fault of segue: collecting goes on
            import traceback

            traceback.print_exc()
            self._fault = f"segue itself failed: {type(error).__name__}: {error}"
            return FAULT_SECONDS

    def _end(self, threads: list[threading.Thread]) -> None:
        self._stop.set()
        self._sending.stop()
        if self._worker is not None:
            self._worker.stop()
        deadline = time.monotonic() + LEAVE_SECONDS
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        self._write_status()

    def _apply(self, desired: DesiredState) -> None:
        if self._deployments is not None:
            self._deployments.apply(desired)

    def _tick(self) -> float:
        """Do what is due; return the seconds until the next look."""
        self._follow_slot()
        wait = TICK
        if self._worker is not None:
            if self._worker.tend() == 0:
                self._worker = None
                self._sending.finish()
            else:
                wait = min(wait, self._worker.throttle())
        if self._sending.done:
            self._finished = not self._sending.alerts
            self._stop.set()
        if time.monotonic() - self._written > WRITE_SECONDS:
            self._write_status()
        return wait

    def _follow_slot(self) -> None:
        """Let the worker run what should run now."""
        slot = self._find_slot()
        if slot == self._slot:
            return
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
        self._slot = slot
        if slot is not None:
            self._start_worker(slot)

    def _find_slot(self) -> Path | None:
        if self._deployments is None:
            return self.settings.slot
        return self._deployments.current()

    def _start_worker(self, slot: Path) -> None:
        try:
            part = read_edge((slot / EDGE).read_bytes())
        except (OSError, ValueError, SegueError) as error:
            self._error = f"{slot / EDGE} can't be read: {error}"
            return
        self._error = ""
        self._sending.use(part.spool)
        self._worker = WorkerProcess(
            self.settings.home,
            self._describe_job(slot, part),
            self.settings.module,
            self.settings.worker_patience,
        )
        self._worker.start()

    def _describe_job(self, slot: Path, part: EdgePart) -> Job:
        generation = read_generation(slot)
        return Job(slot, generation, part.memory or 0, part.cpu or 0.0, self.settings.once)

    def compose(self) -> Status:
        """Return the status of now; any thread may ask."""
        worker, sending = self._worker, self._sending
        report = worker.report if worker is not None else None
        use = measure_process(os.getpid()) + sending.use_of_child()
        if worker is not None:
            use += worker.use()
        status = compose_status(
            sending.state,
            report,
            use,
            clock=self.clock.quality(),
            restarts=worker.restarts if worker is not None else 0,
            error=self._error or (worker.error if worker is not None else ""),
            alerts=(*sending.alerts, *filter(None, [self._fault])),
        )
        status = replace(status, instance=sending.instance)
        up = worker is not None and report is not None and report.ready
        if self._deployments is None:
            applied = read_generation(self._slot) if self._slot is not None else 0
            return replace(status, desired=applied, applied=applied, healthy=up)
        running = worker.job.generation if worker is not None else 0
        return self._judge(self._deployments, status, running, up=up)

    def _judge(self, deployments: Deployments, status: Status, running: int, *, up: bool) -> Status:
        """Let a deployment that is new prove itself, and say how deployments stand."""
        poller = self._poller
        desired = poller.desired.generation if poller is not None and poller.desired else 0
        # A given-up candidate is seen by the next look at the slot.
        deployments.judge(replace(status, applied=running), up=up)
        return deployments.fill_status(replace(status, applied=running), desired)

    def _write_status(self) -> None:
        self._written = time.monotonic()
        worker = self._worker
        local = Local(
            node=self.identity.node,
            hub=self.identity.hub,
            status=self.compose(),
            link=self._describe_link(),
            pid=os.getpid(),
            worker=worker.pid if worker is not None else 0,
        )
        write_status(self.settings.home, local)
        self._journal.note(local)

    def _describe_link(self) -> LinkState:
        link, poller = self._sending.link, self._poller
        if poller is None:
            return link
        told = (poller.error, poller.hint) if poller.error else (link.error, link.hint)
        linked = poller.linked and (link.linked or not link.error)
        silent = max(link.silent, poller.client.silent)
        return replace(link, linked=linked, error=told[0], hint=told[1], silent=silent)


def _say(text: str) -> None:
    """Write a line for whoever looks; nobody has to."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201  # a service speaks so
