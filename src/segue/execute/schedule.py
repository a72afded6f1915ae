"""Runs a graph's nodes side by side, each as soon as what it needs is done."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

from segue.errors import SegueError

LAST_SECONDS = 3.0
"""How long work under way may take to end, once it was told to."""
TELL_EVERY = 0.1
"""Seconds between two calls of `on_settled`: a transaction costs as much as a small step."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


def run_graph(
    needs: Mapping[str, Iterable[str]],
    work: Callable[[str], bool],
    workers: int,
    on_settled: Callable[[Sequence[str]], None],
    on_interrupt: Callable[[], None] | None = None,
) -> tuple[str, ...]:
    """Do the work of every node whose needs are done, and go on where a branch fails.

    Args:
        needs: Names of nodes, and of the nodes that each one needs; others count as done.
        work: Does one node's work in one of the threads; False if its readers must not go on.
        workers: Most nodes at work at the same time.
        on_settled: Hears in this thread of nodes that are through: at once, or with all that
            follow within `TELL_EVERY`, so that it can note them together.
        on_interrupt: Called when work must end early (Ctrl-C, or an exception of `work` or
            `on_settled`), so that it can end what is running.

    Returns:
        Nodes that were not done because one that they need failed, in the order of `needs`.

    Example:
        >>> run_graph({"a": [], "b": ["a"], "c": ["b"]}, lambda name: name != "b", 2, print)
        ['a']
        ['b']
        ('c',)
    """
    graph = _Graph.of(needs)
    todo: SimpleQueue[str | None] = SimpleQueue()
    done: SimpleQueue[tuple[str, bool | BaseException]] = SimpleQueue()
    count = max(1, min(workers, len(graph.needed_by)))
    threads = [Thread(target=_work, args=(work, todo, done), daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        _drive(graph, todo, done, on_settled)
    except BaseException:  # whatever ends the run, interrupts first, has to end its threads
        graph.running -= _drain(todo)
        if on_interrupt is not None:
            on_interrupt()
        _await_end(done, graph.running)
        raise
    finally:
        for _ in threads:
            todo.put(None)
    return tuple(name for name in graph.missing if name not in graph.started)


@dataclass(slots=True)
class _Graph:
    """What is still missing for each node, and who waits for it."""

    missing: dict[str, int]
    needed_by: dict[str, list[str]]
    started: set[str] = field(default_factory=set)
    running: int = 0

    @classmethod
    def of(cls, needs: Mapping[str, Iterable[str]]) -> _Graph:
        needed_by: dict[str, list[str]] = {name: [] for name in needs}
        missing = dict.fromkeys(needs, 0)
        for name, needed in needs.items():
            for other in {other for other in needed if other in needs}:
                needed_by[other].append(name)
                missing[name] += 1
        return cls(missing, needed_by)

    def start(self, names: Iterable[str], todo: SimpleQueue[str | None]) -> None:
        for name in names:
            if not self.missing[name]:
                self.started.add(name)
                self.running += 1
                todo.put(name)

    def complete(self, name: str, todo: SimpleQueue[str | None]) -> None:
        for reader in self.needed_by[name]:
            self.missing[reader] -= 1
        self.start(self.needed_by[name], todo)


def _drive(
    graph: _Graph,
    todo: SimpleQueue[str | None],
    done: SimpleQueue[tuple[str, bool | BaseException]],
    on_settled: Callable[[Sequence[str]], None],
) -> None:
    graph.start(graph.missing, todo)
    settled: list[str] = []
    due = monotonic()
    try:
        while graph.running:
            if settled and monotonic() >= due:
                _tell(settled, on_settled)
                due = monotonic() + TELL_EVERY
            wait = max(0.0, due - monotonic()) if settled else None
            if name := _receive(graph, todo, done, wait):
                settled.append(name)
    except BaseException:  # an interrupted run tells what was settled; its error is raised
        with suppress(SegueError):
            _tell(settled, on_settled)
        raise
    _tell(settled, on_settled)


def _receive(
    graph: _Graph,
    todo: SimpleQueue[str | None],
    done: SimpleQueue[tuple[str, bool | BaseException]],
    wait: float | None,
) -> str:
    """Return the next node that is through, and start its readers; empty if none is in time."""
    try:
        name, result = done.get(timeout=wait)
    except Empty:
        return ""
    graph.running -= 1
    if isinstance(result, BaseException):
        raise result
    if result:
        graph.complete(name, todo)
    return name


def _tell(settled: list[str], on_settled: Callable[[Sequence[str]], None]) -> None:
    told = settled.copy()
    # what can't be told is not told again on the way out
    settled.clear()
    if told:
        on_settled(told)


def _work(
    work: Callable[[str], bool],
    todo: SimpleQueue[str | None],
    done: SimpleQueue[tuple[str, bool | BaseException]],
) -> None:
    while (name := todo.get()) is not None:
        try:
            done.put((name, work(name)))
        except BaseException as error:  # noqa: BLE001  # carried to the thread that waits
            done.put((name, error))


def _await_end(done: SimpleQueue[tuple[str, bool | BaseException]], running: int) -> None:
    """Wait a little for what is running: a function of the user's can't be ended from here.

    Its thread ends with the process, and nothing that it still writes is ever published.
    """
    deadline = monotonic() + LAST_SECONDS
    for _ in range(running):
        try:
            done.get(timeout=max(0.0, deadline - monotonic()))
        except Empty:
            return


def _drain(todo: SimpleQueue[str | None]) -> int:
    """Take back what no thread has begun."""
    count = 0
    while not todo.empty():
        # a thread may be quicker: then it puts its result, and that is waited for
        try:
            todo.get_nowait()
        except Empty:
            break
        count += 1
    return count
