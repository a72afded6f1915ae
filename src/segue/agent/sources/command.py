"""What a command writes: each line a record."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

from segue.agent.options import CheckedKind
from segue.agent.sources.lines import TOO_LONG, LineBuffer
from segue.errors import SourceError
from segue.protocols.edge import Chunk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.agent.options import Options
    from segue.protocols.edge import Cursor
    from segue.spec.edge import EdgeSource

_FIRST, _LONGEST = 1.0, 60.0
_LIVED = 60.0
"""Seconds that a command has to live for its next end to count as the first again."""
_STEP = 2**16
_TOLD = 2000
"""Characters of its last errors that are shown."""
_GRACE = 2.0


class CommandSource(CheckedKind):
    """Runs a command and reads what it writes; starts it again when it ends.

    What it wrote and was not in the spool when the agent died can't be asked for again.
    """

    replayable = False
    typed = False
    required = ("command",)
    optional: Mapping[str, Any] = {"every": 0, "folder": "", "environment": {}}
    shapes: Mapping[str, tuple[str, ...]] = {"every": ("seconds",)}

    def __init__(self) -> None:
        self._pauses = _Pauses()

    def open(self, source: EdgeSource, cursor: Cursor | None, scratch: Path) -> CommandReader:
        """Make ready to start it; see `segue.protocols.edge`."""
        del cursor, scratch
        options = self.fill_source(source)
        return CommandReader(options, self._pauses)


class _Pauses:
    """When a command may start again; kept while its source is opened again after an error."""

    def __init__(self) -> None:
        self.next = float("-inf")
        self._pause = _FIRST

    def ended(self, started: float, every: float, *, failed: bool) -> None:
        now = time.monotonic()
        if not failed and every:
            self._pause = _FIRST
            self.next = max(now, started + every)
            return
        if now - started > _LIVED:
            self._pause = _FIRST
        self.next = now + self._pause
        self._pause = min(self._pause * 2, _LONGEST)


class CommandReader:
    """A command that runs, or waits for its next start."""

    def __init__(self, options: Options, pauses: _Pauses) -> None:
        self._command = _read_command(options)
        self._every = options.seconds("every")
        self._folder = options.text("folder") or None
        more = options.values["environment"]
        self._environment = {**os.environ, **{str(k): str(v) for k, v in more.items()}}
        self._pauses = pauses
        self._buffer = LineBuffer()
        self._errors = b""
        self._mute = False
        self._failed: SourceError | None = None
        self._started = 0.0
        self._ends = 0
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, most: int, wait: float) -> Chunk | None:
        """Return what is there; see `segue.protocols.edge`."""
        deadline = time.monotonic() + wait
        while True:
            chunk = self._take(most)
            if chunk is not None:
                return chunk
            if self._failed is not None:
                failed, self._failed = self._failed, None
                raise failed
            now = time.monotonic()
            if self._process is None and now >= self._pauses.next:
                self._start()
            left = max(0.0, deadline - now)
            if self._process is not None:
                self._receive(left)
            elif left:
                time.sleep(min(left, max(0.0, self._pauses.next - now)))
            if time.monotonic() >= deadline and self._failed is None:
                return self._take(most)

    def accept(self, receipts: Sequence[Any]) -> None:
        """Nobody waits for an answer."""

    def exhausted(self) -> bool:
        """Return whether the command has ended and all that it wrote was read."""
        return self._ends > 0 and self._process is None and not len(self._buffer)

    def close(self) -> None:
        """End the command with its children."""
        process, self._process = self._process, None
        if process is None:
            return
        _signal(process, signal.SIGTERM)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
        _close_pipes(process)

    def _take(self, most: int) -> Chunk | None:
        data = self._buffer.take(most)
        lost, self._buffer.lost = self._buffer.lost, 0
        if not data and not lost:
            return None
        return Chunk(None, data, lost=((lost, TOO_LONG),) if lost else ())

    def _start(self) -> None:
        self._errors, self._mute = b"", False
        self._started = time.monotonic()
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            self._ends += 1
            self._pauses.ended(self._started, self._every, failed=True)
            raise SourceError(
                f"the command {self._command[0]!r} can't be started: {error.strerror}"
            ) from None

    def _receive(self, wait: float) -> None:
        """Take in what it has written; end with it when it has ended."""
        process = self._process
        if process is None or process.stdout is None or process.stderr is None:
            return
        pipes = [process.stdout, *([] if self._mute else [process.stderr])]
        ready, _, _ = select.select(pipes, [], [], wait)
        if process.stderr in ready:
            said = os.read(process.stderr.fileno(), _STEP)
            self._errors = (self._errors + said)[-_TOLD:]
            self._mute = not said
        if process.stdout in ready:
            data = os.read(process.stdout.fileno(), _STEP)
            self._buffer.feed(data)
            if not data:
                self._end(process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Take leave of a command that has closed its output."""
        self._process = None
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
        if process.stderr is not None:
            os.set_blocking(process.stderr.fileno(), False)
            self._errors = (self._errors + (process.stderr.read() or b""))[-_TOLD:]
        _close_pipes(process)
        self._buffer.end(whole=True)
        self._ends += 1
        failed = process.returncode != 0
        self._pauses.ended(self._started, self._every, failed=failed)
        self._failed = self._failure(process.returncode) if failed else None

    def _failure(self, code: int) -> SourceError:
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        said = self._errors.decode(errors="replace").strip()
        return SourceError(
            f"the command {self._command[0]!r} ended with {how}" + (f": {said}" if said else "")
        )


def _read_command(options: Options) -> Sequence[str]:
    """Return the words of a command, which is stated as a text or as a list of them."""
    stated = options.values["command"]
    try:
        words = shlex.split(stated) if isinstance(stated, str) else options.texts("command")
    except ValueError as error:  # a quote that is not closed
        raise options.wrong("command", f"a command ({error})") from None
    if not words:
        raise options.wrong("command", "a command")
    return words


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
