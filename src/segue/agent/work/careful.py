"""Runs steps in a child process, for a batch that has ended workers before.

What ends the child, hangs in it or lets it grow is an error of the rows that it was given, so
that they are found as the rows are on which a step raises.
"""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from segue.agent.processes import measure_process
from segue.agent.work.child import ANSWER, GOOD, SIZES
from segue.agent.work.payload import read_payload, write_payload
from segue.errors import StepCrashedError, StepError, StepMemoryError, StepTimeoutError
from segue.spec.failure import unseal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

    from segue.agent.work.bench import Run

PATIENCE = 10.0
"""Seconds that a step may take on the rows of one try."""
START = 30.0
"""Seconds that it may take besides to start the child, with all that the step imports."""
_LOOK = 0.05
_MOST_AT_ONCE = 2**16


class CarefulSteps:
    """Steps in a child that is started again when it dies.

    Args:
        slot: Folder of the unpacked bundle.
        memory: Bytes that the child may use; None for no limit.
        patience: Seconds for one try.
        touch: Called before each try, so that the worker's heart goes on.
    """

    def __init__(
        self,
        slot: Path,
        memory: int | None,
        patience: float = PATIENCE,
        touch: Callable[[], None] = lambda: None,
    ) -> None:
        """Start nothing yet."""
        self._slot = slot
        self._memory = memory
        self._patience = patience
        self._touch = touch
        self._child: subprocess.Popen[bytes] | None = None

    def find(self, step: str) -> Run:
        """Return what runs a step."""
        return lambda rows: self._run(step, rows)

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()

    def _run(self, step: str, rows: pa.Table) -> pa.Table:
        self._touch()
        if self._child is None:
            self._start(step)
        payload = memoryview(write_payload(rows))
        name = step.encode()
        question = b"".join((SIZES.pack(len(name), payload.nbytes), name, payload))
        deadline = time.monotonic() + self._patience
        self._write(step, question, deadline)
        return read_payload(self._take(step, deadline))

    def _start(self, step: str) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "segue.agent.work.child", str(self._slot)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._take(step, time.monotonic() + START)

    def _take(self, step: str, deadline: float) -> bytes:
        """Return an answer.

        Raises:
            SegueError: It is an error, or none comes.
        """
        kind, size = ANSWER.unpack(self._read(step, ANSWER.size, deadline))
        answer = self._read(step, size, deadline)
        if kind != GOOD:
            raise unseal(answer.decode()) or StepError(f"step {step!r} failed", step=step)
        return answer

    def _write(self, step: str, question: bytes, deadline: float) -> None:
        assert self._child is not None  # noqa: S101  # it was started
        assert self._child.stdin is not None  # noqa: S101  # a pipe
        view = memoryview(question)
        while view:
            self._watch(step, deadline)
            _, ready, _ = select.select((), (self._child.stdin,), (), _LOOK)
            if ready:
                try:
                    # a pipe that is ready takes this much without waiting
                    written = self._child.stdin.write(view[: select.PIPE_BUF])
                except BrokenPipeError:
                    raise self._tell_end(step) from None
                view = view[written:]

    def _read(self, step: str, size: int, deadline: float) -> bytes:
        assert self._child is not None  # noqa: S101  # it was started
        assert self._child.stdout is not None  # noqa: S101  # a pipe
        parts, left = [], size
        while left:
            ready, _, _ = select.select((self._child.stdout,), (), (), _LOOK)
            if ready:
                part = self._child.stdout.read(min(left, _MOST_AT_ONCE))
                if not part:
                    raise self._tell_end(step)
                parts.append(part)
                left -= len(part)
            else:
                self._watch(step, deadline)
        return b"".join(parts)

    def _watch(self, step: str, deadline: float) -> None:
        """Keep the child within its limits.

        Raises:
            StepTimeoutError: The time is up.
            StepMemoryError: It has grown too large.
        """
        assert self._child is not None  # noqa: S101  # it was started
        if time.monotonic() > deadline:
            self.close()
            raise StepTimeoutError(
                f"step {step!r} did not end within {self._patience:g} s", step=step
            )
        used = measure_process(self._child.pid).memory
        if self._memory is not None and used > self._memory:
            self.close()
            raise StepMemoryError(f"step {step!r} used more than {self._memory:,} bytes", step=step)

    def _tell_end(self, step: str) -> StepCrashedError:
        child = self._child
        assert child is not None  # noqa: S101  # it was started
        code = child.wait()
        self.close()
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return StepCrashedError(f"step {step!r}: its process was {how}", step=step)
