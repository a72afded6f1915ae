"""Letters of stream alerts that are on their way: kept in the spool until they arrived.

They enter it in the transaction of the rows that made them, and leave it by one of their own.
Each channel has a thread, so that one that hangs holds up no other.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING

from segue.agent.backoff import Backoff
from segue.agent.channels import send_letter
from segue.agent.work.watch import Letter
from segue.errors import ChannelError, SegueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Save = Callable[[Callable[[], Mapping[str, bytes | None]]], None]
    """Writes what a function returns into the spool, in a transaction of its own.

    No other commit is made between the call of the function and the end of the transaction.
    """

STATE = "outbox"
MOST = 1_000
"""Letters that wait at most; then the oldest go, and the status tells."""

_LONGEST_WAIT = 60.0


class Outbox:
    """Letters that wait, and the threads that take them to their channels.

    Args:
        packed: State of the spool.
        save: Writes states into the spool.
        environ: Where the secrets of channels are.
    """

    def __init__(
        self, packed: bytes | None, save: Save, environ: Mapping[str, str] = os.environ
    ) -> None:
        """Take up what an earlier process has left."""
        self._save = save
        self._environ = environ
        self._lock = threading.Lock()
        self._waiting = [Letter(**each) for each in json.loads(packed or b"[]")]
        self._threads: dict[str, threading.Thread] = {}
        self._news = threading.Condition(self._lock)
        self._stopped = threading.Event()
        self._problems: dict[tuple[str, str], str] = {}
        self.dropped = 0

    def enclose(self, letters: Sequence[Letter]) -> dict[str, bytes | None]:
        """Return the state with letters that are to be committed; `post` them after that."""
        if not letters:
            return {}
        with self._lock:
            return {STATE: _pack([*self._waiting, *letters][-MOST:])}

    def post(self, letters: Sequence[Letter]) -> None:
        """Send letters: they are in the spool."""
        with self._news:
            known = {letter.key for letter in self._waiting}
            self._waiting += [letter for letter in letters if letter.key not in known]
            self.dropped += max(0, len(self._waiting) - MOST)
            del self._waiting[:-MOST]
            self._news.notify_all()
        self.start()

    def start(self) -> None:
        """Have a thread for each channel that a letter waits for."""
        with self._lock:
            for channel in dict.fromkeys(letter.channel for letter in self._waiting):
                if channel not in self._threads and not self._stopped.is_set():
                    # a daemon: a channel that hangs must not keep the process
                    thread = threading.Thread(
                        target=self._serve, args=(channel,), daemon=True, name="segue-letters"
                    )
                    self._threads[channel] = thread
                    thread.start()

    @property
    def problems(self) -> list[str]:
        """Why letters have not arrived: of which alert, at which channel."""
        with self._lock:
            return [f"alert {name}: {told}" for (name, _), told in sorted(self._problems.items())]

    def _note(self, letter: Letter, problem: str) -> None:
        with self._lock:
            if problem:
                self._problems[letter.alert, letter.channel] = problem
            else:
                self._problems.pop((letter.alert, letter.channel), None)

    @property
    def waiting(self) -> int:
        """Letters that have not arrived."""
        with self._lock:
            return len(self._waiting)

    def wait(self, timeout: float) -> bool:
        """Wait until all letters arrived; return whether they have."""
        with self._news:
            return self._news.wait_for(lambda: not self._waiting, timeout)

    def stop(self) -> None:
        """Send no more; what waits stays in the spool."""
        self._stopped.set()
        with self._news:
            self._news.notify_all()

    def _serve(self, channel: str) -> None:
        backoff = Backoff(first=1.0, longest=_LONGEST_WAIT)
        while (letter := self._next(channel)) is not None:
            try:
                send_letter(letter, self._environ)
            except ChannelError as error:
                self._note(letter, error.message)
                self._stopped.wait(backoff.next())
                continue
            backoff.succeed()
            self._note(letter, "")
            self._remove(letter)

    def _next(self, channel: str) -> Letter | None:
        """Return the oldest letter of a channel, once there is one; None at the end."""
        with self._news:
            while not self._stopped.is_set():
                for letter in self._waiting:
                    if letter.channel == channel:
                        return letter
                self._news.wait()
        return None

    def _remove(self, letter: Letter) -> None:
        def without() -> dict[str, bytes | None]:
            with self._news:
                self._waiting = [each for each in self._waiting if each.key != letter.key]
                self._news.notify_all()
                return {STATE: _pack(self._waiting)}

        try:
            self._save(without)
        except SegueError as error:  # it arrived; the spool hears of it with the next letter
            self._note(letter, error.message)


def _pack(letters: Sequence[Letter]) -> bytes | None:
    return json.dumps([asdict(letter) for letter in letters]).encode() if letters else None
