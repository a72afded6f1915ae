"""The worker as the supervisor holds it: started, watched, kept within limits, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.agent.backoff import Backoff
from segue.agent.heartbeat import PATIENCE, RECYCLE, WorkerReport, read_report
from segue.agent.processes import Use, find_descendants, measure_process, signal_group, signal_tree
from segue.agent.slots import add_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODULE = "segue.agent.worker"
LEAVE_SECONDS = 20.0
"""Seconds that a worker has to end by itself."""
WELL_SECONDS = 60.0
"""Seconds after which a worker that runs has recovered from what ended the one before."""
FULL_LOOK = 10.0
"""Seconds between looks at the whole tree; the worker itself is looked at each time."""
_PERIOD = 0.1


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to run.

    Attributes:
        slot: Folder of the unpacked bundle.
        generation: Generation of the deployment.
        memory: Bytes that it may use with all that it starts; 0 for no limit.
        cpu: Share of a core that it may use; 0 for no limit.
        once: Whether it ends when all sources are exhausted.
    """

    slot: Path
    generation: int = 0
    memory: int = 0
    cpu: float = 0.0
    once: bool = False


@dataclass(slots=True)
class WorkerProcess:
    """The worker of one job, and those that follow it when it dies.

    Attributes:
        home: The node's home.
        job: What it runs.
        module: Its program.
        restarts: How often it was started again.
        error: Why it was ended last; empty while it runs well.
        patience: Seconds without a beat after which it is taken for hung.
    """

    home: Path
    job: Job
    module: str = MODULE
    patience: float = PATIENCE
    steady: Callable[[], float] = time.monotonic
    backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0))
    restarts: int = 0
    error: str = ""
    _process: subprocess.Popen[bytes] | None = None
    _due: float = 0.0
    _started: float = 0.0
    _beat: int = -1
    _beaten: float = 0.0
    _looked: float = 0.0
    _others: Use = field(default_factory=Use)
    _cpu_seen: float = 0.0
    _cpu_room: float = 0.0
    _cpu_at: float = 0.0

    @property
    def pid(self) -> int:
        """Its process id; 0 while it is down."""
        process = self._process  # another thread may end it meanwhile
        return process.pid if process is not None else 0

    @property
    def report(self) -> WorkerReport | None:
        """What it says of itself; None before its first word."""
        return read_report(self.home, pid) if (pid := self.pid) else None

    def start(self) -> None:
        """Start it, now."""
        options = ["--home", str(self.home), "--slot", str(self.job.slot)]
        options += ["--generation", str(self.job.generation), *(["--once"] * self.job.once)]
        bounds = [str(self.job.memory), str(os.getpid())]
        launched = [sys.executable, "-m", "segue.agent.launch", self.module, *bounds, *options]
        self._process = subprocess.Popen(
            launched,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd=self.home,
            env=add_site(self.job.slot, os.environ),
        )
        now = self.steady()
        self._started = self._beaten = self._cpu_at = now
        self._beat, self._looked, self._others = -1, 0.0, Use()
        self._cpu_seen, self._cpu_room = 0.0, 0.0

    def tend(self) -> int | None:
        """Look after it: start it again if it is time, end it if it must.

        Returns:
            0 once a job that is done once is done; None otherwise.
        """
        now = self.steady()
        if self._process is None:
            if now >= self._due:
                self.restarts += 1
                self.start()
            return None
        code = self._process.poll()
        if code is not None:
            return self._note_end(code, now)
        if now - self._started > WELL_SECONDS:
            self.backoff.succeed()
            self.error = ""
        if reason := self._find_fault(now):
            self._end(reason)
        return None

    def use(self) -> Use:
        """Return what it uses with all that it has started; what others use is a little old."""
        pid = self.pid
        if not pid:
            return Use()
        now = self.steady()
        if now - self._looked >= FULL_LOOK or not self._looked:
            self._looked = now
            others = Use()
            for each in find_descendants(pid):
                others += measure_process(each)
            self._others = others
        return measure_process(pid) + self._others

    def stop(self) -> None:
        """Let it end by itself, and end it if it does not."""
        if self._process is None:
            return
        self._process.terminate()
        # It may be stopped by its CPU limit.
        signal_tree(self.pid, signal.SIGCONT)
        try:
            self._process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self.error = f"the worker did not end within {LEAVE_SECONDS:g} s, and was killed"
        self.kill()

    def kill(self) -> None:
        """End it at once, with all that it has started."""
        if self._process is not None:
            signal_tree(self.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def throttle(self) -> float:
        """Stop and continue it such that it keeps to its share of a core.

        Returns:
            Seconds until this is due again; without a limit, a long time.
        """
        if not self.job.cpu or self._process is None:
            return FULL_LOOK
        now = self.steady()
        used = self.use().cpu
        passed, self._cpu_at = now - self._cpu_at, now
        # What was not used within a second is gone: no long burst follows a long rest.
        room = self._cpu_room + passed * self.job.cpu - (used - self._cpu_seen)
        self._cpu_room, self._cpu_seen = min(room, self.job.cpu), used
        signal_group(self.pid, signal.SIGCONT if room > 0 else signal.SIGSTOP)
        return _PERIOD

    def _note_end(self, code: int, now: float) -> int | None:
        """Take note that it has ended; what it has left behind ends too."""
        signal_group(self.pid, signal.SIGKILL)
        said = self.report
        self._process = None
        if self.job.once and code == 0:
            return 0
        if code == RECYCLE:
            # It has had rows, and wants to be small again.
            self.start()
            return None
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        why = f": {said.error}" if said is not None and said.error else ""
        self.error = self.error or f"the worker {how}{why}"
        self._due = now + self.backoff.next()
        return None

    def _find_fault(self, now: float) -> str:
        report = self.report
        if report is not None and report.beat != self._beat:
            self._beat, self._beaten = report.beat, now
        if now - self._beaten > self.patience:
            return f"the worker gave no sign for {self.patience:g} s, and was killed"
        memory = self.use().memory if self.job.memory else 0
        if memory > self.job.memory > 0:
            return (
                f"the worker used {memory:,} bytes of memory where {self.job.memory:,} are allowed,"
                " and was killed"
            )
        return ""

    def _end(self, reason: str) -> None:
        self.error = reason
        self.kill()
        self._due = self.steady() + self.backoff.next()
