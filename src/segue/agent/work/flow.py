"""One source and all that follows it, in a thread of its own: read, work, commit, acknowledge."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.agent.backoff import Backoff
from segue.agent.work.attempts import Attempts
from segue.agent.work.intake import Intake
from segue.errors import SourceError, SpoolFullError
from segue.failpoints import pass_point

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from segue.agent.work.bench import Bench
    from segue.agent.work.commit import Batch, Committer
    from segue.agent.work.intake import RawBatch
    from segue.agent.work.lineage import Tree
    from segue.agent.work.tally import Tally
    from segue.agent.work.tree import Made, TreeWork
    from segue.spec.edge import SpoolSettings

_WAIT = 1.0
"""Seconds that a source is asked to wait; a stop is heard after that at the latest."""
_FULL_WAIT = 0.25
"""Seconds between two looks whether a full spool has room again."""


@dataclass(slots=True)
class Worksite:
    """What all flows of a worker share.

    Attributes:
        home: The node's home.
        node: Name of the node.
        settings: How large a micro-batch is.
        committer: Writes into the spool.
        tally: Counts.
        find_bench: Returns what steps need; it is made with the first rows.
        slot: Folder of the unpacked bundle.
        memory: Bytes that a step may use in a process of its own; None for no limit.
        stopping: Set when all flows have to end.
    """

    home: Path
    node: str
    settings: SpoolSettings
    committer: Committer
    tally: Tally
    find_bench: Callable[[], Bench]
    slot: Path
    memory: int | None = None
    stopping: threading.Event = field(default_factory=threading.Event)


class Flow:
    """A source and the steps that follow it.

    Args:
        tree: The source and its steps.
        site: What all flows share.

    Attributes:
        busy_since: When the work under way began, by the monotonic clock; None between works.
        last_rows: When rows came last, by the monotonic clock; 0 if none have.
        started: Whether it has looked for rows once, or found that it can't now.
    """

    def __init__(self, tree: Tree, site: Worksite) -> None:
        """Find the source's kind and format.

        Raises:
            SegueError: There is none, or its options can't be meant so.
        """
        self.tree = tree
        self._site = site
        self._name = tree.source.name
        work = site.home / "work"
        work.mkdir(parents=True, exist_ok=True)
        self._intake = Intake(tree.source, site.settings, site.home / "sources" / self._name)
        self._cursor = site.committer.cursor(self._name)
        self._attempts = Attempts(work / f"{self._name}.json", self._cursor)
        self._steps: TreeWork | None = None
        self._close_careful: Callable[[], None] | None = None
        self._backoff = Backoff(first=0.5, longest=30.0)
        self.busy_since: float | None = None
        self.last_rows = 0.0
        self.started = False

    @property
    def replayable(self) -> bool:
        """Whether reading goes on exactly at a cursor."""
        return self._intake.replayable

    def run(self) -> None:
        """Work until all flows have to end."""
        try:
            while not self._site.stopping.is_set():
                self._turn(_WAIT)
            self._attempts.leave()
        finally:
            self._close()

    def run_once(self) -> None:
        """Work until all that is there now was read, then close the windows.

        Raises:
            SourceError: The source can't be read.
        """
        try:
            self._intake.open(self._cursor)
            while True:
                raw = self._intake.gather(0.0, lambda: True)
                if raw is not None:
                    self._work(raw)
                elif self._intake.exhausted() or self._site.stopping.is_set():
                    break
            if not self._site.stopping.is_set():
                self._flush()
            self._attempts.leave()
        finally:
            self._close()

    def _turn(self, wait: float) -> None:
        """Read one micro-batch, if there is one, and work on it."""
        try:
            if not self._intake.opened:
                self._intake.open(self._cursor)
            raw = self._intake.gather(wait, self._site.stopping.is_set)
        except SourceError as error:
            self._site.tally.warn(f"source {self._name}", error.message)
            self.started = True
            self._intake.close()
            self._site.stopping.wait(self._backoff.next())
            return
        self.started = True
        if raw is None:
            return
        self._backoff.succeed()
        self._site.tally.relieve(f"source {self._name}")
        self._work(raw)

    def _work(self, raw: RawBatch) -> None:
        pass_point("agent.read")
        self.busy_since = self.last_rows = time.monotonic()
        self._attempts.begin(self._cursor)
        made = self._make(raw)
        batch = self._site.committer.prepare(self.tree, made, raw.cursor, raw.lost)
        self.busy_since = None
        if not self._commit(batch):
            return
        self._cursor = raw.cursor
        self._attempts.succeed()
        self._site.tally.add(batch, sum(count for count, _ in raw.lost))
        self._intake.accept(raw)
        if self._close_careful is not None and not self._attempts.suspect:
            self._close_careful()
            self._close_careful = None
            self._forget_steps()
        self.last_rows = time.monotonic()

    def _make(self, raw: RawBatch) -> Made:
        """Take a batch through the steps; what nobody foresaw makes rejects of its rows."""
        from segue.agent.work.tree import Made

        made = Made()
        rows = self._intake.parse(raw, made.rejects)
        if not rows.num_rows:
            return made
        steps = self._find_steps()
        try:
            steps.run(rows, made)
        except Exception as error:  # noqa: BLE001  # a batch must not stop its source for ever
            # what windows and alerts remember may be half of this batch: they are read again
            self._forget_steps()
            made = Made(error=steps.tell_odd(error))
            rows = self._intake.parse(raw, made.rejects)
            made.rejects.add(self._name, rows, [[made.error]] * rows.num_rows)
        return made

    def _flush(self) -> None:
        """Close the windows: nothing comes any more."""
        if not any(step.window is not None for step in self.tree.steps):
            return
        from segue.agent.work.tree import Made
        from segue.frames.arrow_types import to_arrow

        made = Made()
        self._find_steps().run(to_arrow(self.tree.source.schema).empty_table(), made, flush=True)
        batch = self._site.committer.prepare(self.tree, made, None)
        if self._commit(batch):
            self._site.tally.add(batch, 0)

    def _find_steps(self) -> TreeWork:
        """Return what runs the steps; in a child, once a batch has ended workers before."""
        if self._steps is None:
            from segue.agent.work.tree import TreeWork

            site, remote = self._site, None
            if self._attempts.suspect:
                from segue.agent.work.careful import CarefulSteps

                careful = CarefulSteps(site.slot, site.memory, touch=self._touch)
                remote, self._close_careful = careful.find, careful.close
                site.tally.warn(
                    f"source {self._name}", "a batch ended the worker: its rows are tried apart"
                )
            self._steps = TreeWork(
                self.tree, site.find_bench(), site.node, site.committer.load, remote
            )
        return self._steps

    def _touch(self) -> None:
        self.busy_since = time.monotonic()

    def _commit(self, batch: Batch) -> bool:
        """Write a batch, and wait while there is no room; return whether it is written."""
        site, told = self._site, False
        while True:
            try:
                site.committer.commit(batch)
            except SpoolFullError as error:
                site.tally.warn("spool", error.message)
                told = True
                if site.stopping.wait(_FULL_WAIT):
                    return False
            else:
                if told:
                    site.tally.relieve("spool")
                return True

    def _forget_steps(self) -> None:
        """Have them made anew for the next batch."""
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.close()

    def _close(self) -> None:
        self._intake.close()
        if self._close_careful is not None:
            self._close_careful()
