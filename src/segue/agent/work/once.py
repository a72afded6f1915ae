"""All that a worker does, in this process: over all sources, until they are read to their end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from segue.agent.spool import Spool
from segue.agent.work.commit import Committer
from segue.agent.work.flow import Flow, Worksite
from segue.agent.work.lineage import plant_trees
from segue.agent.work.slot import open_slot
from segue.agent.work.tally import Summary, Tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from segue.agent.work.bench import Bench
    from segue.agent.work.slot import Slot

SPOOL = "spool.db"
_LETTERS_WAIT = 10.0
"""Seconds that letters of alerts may take to arrive at the end; later they go with the next run."""


class BenchKeeper:
    """Makes what steps need when somebody asks first, once for all threads.

    Args:
        slot: The unpacked bundle.
        scratch: Folder for what DuckDB can't hold in memory.
    """

    def __init__(self, slot: Slot, scratch: Path) -> None:
        """Make nothing yet."""
        self._slot = slot
        self._scratch = scratch
        self._lock = threading.Lock()
        self._bench: Bench | None = None

    @property
    def made(self) -> bool:
        """Whether anybody has asked."""
        return self._bench is not None

    def find(self) -> Bench:
        """Return what steps need."""
        with self._lock:
            if self._bench is None:
                from segue.agent.work.bench import Bench

                self._bench = Bench(self._slot, self._scratch)
            return self._bench

    def close(self) -> None:
        """Give back what was made."""
        with self._lock:
            if self._bench is not None:
                self._bench.close()
                self._bench = None


def run_once(slot: Path, home: Path, node: str = "node", generation: int | None = None) -> Summary:
    """Read all sources of a bundle to their end, close the windows, and commit it all.

    Args:
        slot: Folder of the unpacked bundle.
        home: The node's home; the spool is there.
        node: Name of the node.
        generation: Generation of the deployment; that of the folder's name if not stated.

    Raises:
        SegueError: The bundle can't be run, or a source can't be read.
    """
    opened = open_slot(slot, generation)
    spool = Spool(home / SPOOL, opened.part.spool)
    keeper = BenchKeeper(opened, home / "scratch")
    tally = Tally()
    try:
        committer = Committer(opened, spool)
        site = Worksite(
            home, node, opened.part.spool, committer, tally, keeper.find, slot, opened.part.memory
        )
        committer.outbox.start()
        _run_all([Flow(tree, site).run_once for tree in plant_trees(opened.part)])
        if not committer.outbox.wait(_LETTERS_WAIT):
            for problem in committer.outbox.problems:
                tally.warn(*problem.split(": ", 1))  # which alert, and why
        committer.outbox.stop()
    finally:
        keeper.close()
        spool.close()
    return tally.summary


def _run_all(works: list[Callable[[], None]]) -> None:
    """Run works side by side, and raise the first error that one of them ends with."""
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # it is raised again, in the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
