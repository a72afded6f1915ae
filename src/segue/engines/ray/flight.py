"""Tasks on their way: a bounded number at a time, collected in the order of their start."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from segue.engines.ray.failures import translate
from segue.engines.ray.frames import fetch_block
from segue.engines.ray.sources import Block
from segue.engines.ray.tasks import keep_task, run_task
from segue.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from segue.engines.ray.connect import Cluster
    from segue.engines.ray.tasks import Task
    from segue.spec.types import TableSchema

_PER_WORKER = 2
"""Tasks for each worker: one at work, one that is being sent its rows."""

_AHEAD = 16
"""Tables and notes that a stream's task makes before they are asked for."""

_LOOK = 1.0
"""Seconds between looks at whether the session was closed."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A task, and blocks that are sent with it.

    Attributes:
        task: The task.
        early: References to blocks that its portions don't refer to by themselves.
    """

    task: Task
    early: tuple[Any, ...] = ()


class Flight:
    """Starts tasks and collects what they make."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()
        self._flying: set[Any] = set()
        self._closed = False

    def run(self, launches: Iterable[Launch]) -> list[list[Block]]:
        """Have tasks done, and return what each made, in their order.

        Raises:
            SegueError: One failed; those that still work are stopped.
        """
        waiting = enumerate(launches)
        flying: dict[Any, tuple[int, Any]] = {}
        found: dict[int, list[Block]] = {}
        with translate(self.is_closed):
            try:
                while self._start_some(waiting, flying):
                    for done in self._wait(flying):
                        number, handle = flying.pop(done)
                        found[number] = self._collect(handle)
            finally:
                self._stop([handle for _, handle in flying.values()])
        return [found[number] for number in range(len(found))]

    def _start_some(
        self, waiting: Iterator[tuple[int, Launch]], flying: dict[Any, tuple[int, Any]]
    ) -> bool:
        """Start as many tasks as there is room for; False if none flies."""
        most = self._cluster.workers * _PER_WORKER
        while len(flying) < most and (following := next(waiting, None)) is not None:
            number, launch = following
            handle = self._start(launch)
            flying[handle if self._cluster.remote else handle.completed()] = (number, handle)
        return bool(flying)

    def _start(self, launch: Launch, ahead: int | None = None) -> Any:
        self.refuse_if_closed()
        options: dict[str, Any] = {"max_retries": 0, "name": f"segue {type(launch.task).__name__}"}
        if self._cluster.remote:
            handle = _as_remote(keep_task).options(**options).remote(launch.task, *launch.early)
        else:
            options["num_returns"] = "streaming"
            if ahead is not None:
                options["_generator_backpressure_num_objects"] = ahead
            handle = _as_remote(run_task).options(**options).remote(launch.task, *launch.early)
        with self._lock:
            self._flying.add(handle)
        return handle

    def _wait(self, flying: Iterable[Any]) -> list[Any]:
        import ray

        done: list[Any] = []
        while not done:
            self.refuse_if_closed()
            done, _ = ray.wait(list(flying), num_returns=1, timeout=_LOOK, fetch_local=False)
        return done

    def _collect(self, handle: Any) -> list[Block]:
        import ray

        with self._lock:
            self._flying.discard(handle)
        if self._cluster.remote:
            return [_describe(ref, note) for ref, note in ray.get(handle)]
        refs = list(handle)
        # what a task raises stands where its next result would
        notes = ray.get(refs[1::2] if len(refs) % 2 == 0 else [*refs[1::2], refs[-1]])
        return [_describe(ref, note) for ref, note in zip(refs[::2], notes, strict=True)]

    def stream(self, launch: Launch) -> Iterator[Block]:
        """Have a task done, and yield blocks as they are made.

        Raises:
            SegueError: It failed.
        """
        import ray

        if self._cluster.remote:
            yield from self.run([launch])[0]
            return
        with translate(self.is_closed):
            handle = self._start(launch, _AHEAD)
        try:
            while True:
                with translate(self.is_closed):
                    ref = next(handle, None)
                    if ref is None:
                        return
                    note = next(handle, None)
                    # a lone reference is to an error
                    block = _describe(ref, ray.get(ref if note is None else note))
                yield block
        finally:
            self._stop([handle])

    def fetch(self, blocks: Iterable[Block], schema: TableSchema) -> Iterator[pa.Table]:
        """Bring blocks to this process, one after the other.

        Raises:
            EngineError: One was lost.
        """
        for block in blocks:
            with translate(self.is_closed):
                table = fetch_block(block, schema)
            yield table

    def _stop(self, handles: Sequence[Any], *, force: bool = False) -> None:
        import ray

        for handle in handles:
            with self._lock:
                self._flying.discard(handle)
            with suppress(ray.exceptions.RayError, ConnectionError, ValueError, TypeError):
                ray.cancel(handle, force=force)

    def is_closed(self) -> bool:
        """Return whether it takes no more tasks."""
        return self._closed

    def refuse_if_closed(self) -> None:
        """Raise if it takes no more tasks.

        Raises:
            StepError: It was closed.
        """
        if self._closed:
            raise StepError("the engine was closed")

    def close(self) -> None:
        """Take no more tasks, and end those that fly."""
        self._closed = True
        with self._lock:
            handles = list(self._flying)
        self._stop(handles, force=True)


def _describe(ref: Any, note: tuple[int, int, int]) -> Block:
    part, rows, size = note
    return Block(ref, rows, size, part)


@cache
def _as_remote(function: Any) -> Any:
    import ray

    return ray.remote(function)
