"""The supervisor's sending: a thread that looks at the spool, and a process for long backlogs.

Packing rows into Parquet needs Arrow, which the supervisor never loads. Where much is unsent,
a child does the sending until little is left, and ends (`segue.agent.drain`).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from segue.agent.identity import SPOOL
from segue.agent.processes import Use, measure_process
from segue.agent.send import IDLE, PACK_FROM, READER, Sender, SendLimits
from segue.agent.spool import Spool
from segue.agent.status import LinkState, SpoolState
from segue.errors import SegueError

if TYPE_CHECKING:
    from pathlib import Path

    from segue.spec.edge import SpoolSettings
    from segue.wire.client import HubClient

DRAIN = "segue.agent.drain"
LOOK = 0.2
"""Seconds between looks at whether anybody has touched the spool."""
STATE_SECONDS = 2.0
CHILD_SECONDS = 0.1
CHILD_REST = 30.0
"""Seconds for which no second child is started after one that failed."""
ASK_SECONDS = 600.0
"""Longest time in which the hub is not asked what it has, though nothing is to be sent."""


@dataclass(slots=True)
class Sending:
    """Sends what is in the spool; `round` and `watch` have a thread each, the rest is for any.

    Attributes:
        home: The node's home.
        client: The hub; of the same thread as `round`.
        instance: Random name of this start of the agent.
        pack_from: Unsent rows of a stream from which a child packs them.
        state: What was seen of the spool at the last look.
        done: Whether all was sent after `finish` that the hub takes.
    """

    home: Path
    client: HubClient
    instance: str
    pack_from: int = PACK_FROM
    state: SpoolState = field(default_factory=SpoolState)
    done: bool = False
    _settings: SpoolSettings | None = None
    _opened: SpoolSettings | None = None
    _spool: Spool | None = None
    _sender: Sender | None = None
    _finishing: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)
    _child: subprocess.Popen[bytes] | None = None
    _child_from: float = 0.0
    _next: float = 0.0
    _ask_at: float = field(default_factory=lambda: time.monotonic() + _draw_ask())
    _sent_stamp: tuple[int, ...] | None = None
    _seen_stamp: tuple[int, ...] | None = None
    _seen_at: float = 0.0
    _looking: threading.Lock = field(default_factory=threading.Lock)
    _error: str = ""

    def use(self, settings: SpoolSettings) -> None:
        """Take the limits of the spool; nothing is sent before."""
        self._settings = settings

    def finish(self) -> None:
        """Learn that nothing more comes into the spool: `done` once all was sent."""
        self._finishing = True

    def stop(self) -> None:
        """End soon, and the child with it, if there is one."""
        self._stop.set()

    def use_of_child(self) -> Use:
        """Return what the child uses."""
        return measure_process(self._child.pid) if self._child is not None else Use()

    @property
    def alerts(self) -> list[str]:
        """What somebody should know."""
        told = [self._error] if self._error else []
        return [*told, *(self._sender.alerts if self._sender is not None else ())]

    @property
    def link(self) -> LinkState:
        """How sending goes."""
        sender = self._sender
        if sender is None:
            return LinkState()
        sent = sender.sent
        silent = self.client.silent
        return LinkState(sender.linked, sender.error, sent.requests, sent.rows, sender.hint, silent)

    def round(self) -> float:
        """Look at the spool, and send if there is something; return the seconds to wait."""
        try:
            return self._round()
        except SegueError as error:
            # A spool that can't be used now is looked at again; the worker goes on by itself.
            self._error = error.message
            return STATE_SECONDS

    def _round(self) -> float:
        sender = self._open()
        now = time.monotonic()
        if sender is None or now < self._next:
            return LOOK
        stamp = self._read_stamp()
        self._look(stamp)
        if now >= self._ask_at:
            # A hub that was restored from a backup lacks rows, and nothing new may come for days.
            self._ask_at = now + _draw_ask()
            self._sent_stamp = None
            sender.forget()
        if stamp == self._sent_stamp and not self._finishing:
            return LOOK
        wait = sender.round()
        self._error = ""
        self._next = now + wait
        if wait == IDLE and not sender.held:
            # All was sent that was there when this stamp was read.
            self._sent_stamp, self._next = stamp, now
        elif sender.backlog >= self.pack_from and now >= self._child_from and not sender.error:
            self._run_child(sender)
        if self._finishing and wait == IDLE:
            self.done = True
        return min(max(0.0, self._next - time.monotonic()), LOOK)

    def _open(self) -> Sender | None:
        if self._settings is not None and self._settings != self._opened:
            settings, self._sender = self._settings, None
            with self._looking:
                if self._spool is not None:
                    self._spool.close()
                    self._spool = self._opened = None
                self._spool = Spool(self.home / SPOOL, settings)
            self._opened = settings
            self._sender = Sender(
                self._spool,
                self.client,
                self.instance,
                limits=SendLimits(pack_from=self.pack_from),
            )
        return self._sender

    def watch(self) -> float:
        """Look at the spool while the hub keeps a request; return the seconds to wait."""
        with suppress(SegueError):  # who sends from it says what is wrong with it
            self._look(self._read_stamp())
        return STATE_SECONDS

    def _look(self, stamp: tuple[int, ...]) -> None:
        """Look at the spool for the status, if it has changed or something waits; seldom."""
        with self._looking:
            now = time.monotonic()
            due = now - self._seen_at >= STATE_SECONDS or self._finishing
            if self._spool is None or not due:
                return
            if stamp != self._seen_stamp or any(each.waits for each in self.state.standings):
                self._seen_at, self._seen_stamp = now, stamp
                self.state = SpoolState(self._spool.usage(), tuple(self._spool.streams(READER)))

    def _read_stamp(self) -> tuple[int, ...]:
        """Return what changes whenever somebody writes to the spool."""
        found: list[int] = []
        for name in (SPOOL, f"{SPOOL}-wal"):
            with suppress(OSError):
                told = os.stat(self.home / name)  # noqa: PTH116  # done five times a second
                found += [told.st_ino, told.st_size, told.st_mtime_ns]
        return tuple(found)

    def _run_child(self, sender: Sender) -> None:
        """Let a child send until little is left; only one of both sends at a time."""
        settings = json.dumps(asdict(self._opened)) if self._opened else "{}"
        command = [sys.executable, "-m", "segue.agent.launch", DRAIN, "0", str(os.getpid())]
        command += [str(self.home), settings, str(self.pack_from), self.instance]
        before = self._list_places()
        child = self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=self.home)
        while child.poll() is None:
            if self._stop.wait(CHILD_SECONDS):
                child.terminate()
                child.wait()
        self._child = None
        # A child that came to nothing, however it ended, rests: this process goes on meanwhile.
        idle = child.returncode != 0 or self._list_places() == before
        self._child_from = time.monotonic() + (CHILD_REST if idle else 0.0)
        sender.forget()

    def _list_places(self) -> list[tuple[str, str, int]]:
        """Return where each lane stands."""
        lanes = self._spool.streams(READER) if self._spool is not None else []
        return [(each.stream, each.epoch, each.acknowledged) for each in lanes]


def _draw_ask() -> float:
    """Return when the hub is asked again: spread, for many nodes are started at once."""
    return ASK_SECONDS * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
