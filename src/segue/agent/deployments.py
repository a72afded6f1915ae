"""Deployments of a node: fetch what it shall run, let it prove itself, go back if it does not."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from segue.agent.identity import read_identity
from segue.agent.slots import (
    FOLDER,
    Slots,
    find_slot,
    read_slots,
    remove_rubbish,
    write_slots,
)
from segue.errors import BundleError, DeploymentError, SegueError
from segue.wire.client import HubClient
from segue.wire.fetch import fetch_from_hub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from segue.agent.probation import Probation, Verdict
    from segue.wire.deployment import Deployment
    from segue.wire.messages import DesiredState, Status
    from segue.wire.trust_folder import Fetch

HOLD = 30.0
LONGEST_HOLD = 900.0
"""Seconds before a deployment that was refused is looked at again: doubling, and the most."""

IDLE_STARTS = 10
"""Starts in a row without proof after which a deployment is taken to end the agent itself."""

KEEP_EVERY = 5.0
"""Seconds of probation after which they are written down."""


class Deployments:
    """What a node runs. One thread may fill a slot while another judges and asks what runs.

    Attributes:
        slots: Which deployments it has.
        refused: Generation that was refused, and why; ``(0, "")`` if none is.
    """

    def __init__(
        self,
        home: Path,
        client: HubClient | Fetch,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read what the node has; that needs no network.

        Args:
            home: Home of the node.
            client: Connection to the hub, or what else brings its files.
            now: A clock that only rises.
        """
        self.home = home
        self.refused: tuple[int, str] = (0, "")
        self._fetch = fetch_from_hub(client) if isinstance(client, HubClient) else client
        self._now = now
        self._hold = (0.0, HOLD)
        self._looked: float | None = None
        self._lock = threading.RLock()
        self._filling = False
        self.slots = self._start(read_slots(home))
        remove_rubbish(home, self.slots)
        self._probation = self._resume()

    def _start(self, slots: Slots) -> Slots:
        """Return the slots at a start: a candidate that lets no agent live is given up."""
        if slots.current and find_slot(self.home, slots.current) is None:
            # Somebody removed its folder, or the disk lost it.
            if slots.candidate:
                slots = slots.give_up("its folder is gone")
            elif slots.last_good != slots.current and find_slot(self.home, slots.last_good):
                slots = replace(slots, current=slots.last_good)
            else:
                # It may be fetched again: nothing here proves that it was bad.
                slots = replace(slots, current=0, last_good=0, highest=slots.current - 1)
        if not slots.candidate:
            return slots
        idle = slots.starts + 1 if slots.proven <= slots.proven_at_start else 0
        if idle >= IDLE_STARTS:
            slots = slots.give_up(f"the agent ended {idle} times without running it")
        else:
            slots = replace(slots, starts=idle, proven_at_start=slots.proven)
        write_slots(self.home, slots)
        return slots

    def _resume(self) -> Probation | None:
        deployment = self.slots.read_deployment(self.slots.candidate)
        if deployment is None:
            return None
        from segue.agent.probation import Probation

        self._looked = None
        return Probation(deployment.read_rollout(), self.slots.proven)

    def current(self) -> Path | None:
        """Return the folder of what shall run now; None if there is nothing yet."""
        return find_slot(self.home, self.slots.current)

    @property
    def generation(self) -> int:
        """Generation of what shall run now; 0 for none."""
        return self.slots.current

    @property
    def healthy(self) -> bool:
        """Whether what runs has proven itself."""
        return bool(self.slots.current) and not self.slots.candidate

    def wants(self, desired: DesiredState) -> bool:
        """Return whether what the hub desires is newer than what runs, and was not given up."""
        slots, number = self.slots, desired.generation
        return number > slots.current and slots.find_failure(number) is None

    def apply(self, desired: DesiredState) -> bool:
        """Go to what the hub desires, if it is newer and signed; keep what runs if not.

        Args:
            desired: What the hub desires.

        Returns:
            Whether `current` is another one now: the worker must be started anew.

        Raises:
            DeploymentError: It is refused; `fill_status` says so until there is another.
            BundleError: The same, for something odd in its bundle.
            HubError: The hub can't be reached; try again later.
            StorageError: The disk can't hold it; likewise.
        """
        if not self.wants(desired):
            return False
        if desired.generation == self.refused[0] and self._now() < self._hold[0]:
            raise DeploymentError(self.refused[1])
        try:
            deployment = self._fill(desired)
        except (DeploymentError, BundleError) as error:
            self._refuse(desired.generation, error)
            raise
        with self._lock:
            self.refused, self._hold = (0, ""), (0.0, HOLD)
            self._change(self.slots.begin(deployment))
        return True

    def _refuse(self, generation: int, error: SegueError) -> None:
        wait = self._hold[1] if generation == self.refused[0] else HOLD
        self.refused = (generation, f"{error.message} ({error.hint})" if error.hint else str(error))
        self._hold = (self._now() + wait, min(2 * wait, LONGEST_HOLD))

    def _change(self, slots: Slots) -> None:
        write_slots(self.home, slots)
        self.slots = slots
        self._probation = self._resume()
        if not self._filling:
            remove_rubbish(self.home, slots)

    def judge(self, status: Status, error: str = "", *, up: bool = True) -> bool:
        """Look at how a candidate does: keep it, give it up, or wait.

        Args:
            status: The node's status, with what its worker did since it began.
            error: The worker's last error, for people.
            up: Whether the worker does its work now.

        Returns:
            Whether the candidate was given up: the worker must be started anew with `current`.
        """
        with self._lock:
            if self._probation is None or status.applied != self.slots.candidate:
                return False
            now = self._now()
            elapsed = now - self._looked if self._looked is not None else 0.0
            self._looked = now
            verdict = self._probation.judge(status, error or status.error, elapsed, up=up)
            return self._conclude(verdict)

    def _conclude(self, verdict: Verdict) -> bool:
        if verdict.error:
            self._change(self.slots.give_up(verdict.error))
            return True
        if verdict.done:
            self._change(self.slots.promote())
        elif abs(verdict.proven - self.slots.proven) >= KEEP_EVERY:
            self.slots = replace(self.slots, proven=verdict.proven)
            write_slots(self.home, self.slots)
        return False

    def fill_status(self, status: Status, desired: int) -> Status:
        """Return a status with what it has to say of deployments.

        Args:
            status: A status; `applied` is the generation whose worker it tells of.
            desired: Generation that the hub has told; 0 if it has told none.
        """
        if status.applied != self.slots.current:
            # What the worker before has done is nothing that the new one must answer for.
            status = replace(status, rows={}, rejects={}, batches=0, errors=0, restarts=0)
        # Once it may be looked at again, the hub must offer it again.
        failed, error = self.refused if self._now() < self._hold[0] else (0, "")
        told = self.slots.find_failure(desired)
        if told is not None:
            failed, error = desired, told
        elif not failed and self.slots.failed:
            last = self.slots.failed[-1]
            if last["generation"] > self.slots.current:
                failed, error = int(last["generation"]), str(last["error"])
        return replace(
            status,
            desired=desired,
            applied=self.slots.current,
            failed=failed,
            error=error or status.error,
            healthy=self.healthy,
        )

    def _fill(self, desired: DesiredState) -> Deployment:
        from segue.agent.fill_process import run_fill
        from segue.agent.order import Order

        identity = read_identity(self.home)
        order = Order(
            home=str(self.home),
            node=identity.node,
            project=identity.project,
            generation=desired.generation,
            target=desired.target,
            highest=self.slots.highest,
            labels=identity.labels,
        )
        (self.home / FOLDER).mkdir(exist_ok=True)
        with self._lock:
            # What is being filled is in no slot yet, and must not be taken for rubbish.
            self._filling = True
        try:
            return run_fill(order, self._fetch)
        finally:
            with self._lock:
                self._filling = False
