"""Tasks on their way: a bounded number at a time, collected in the order of their start."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from segue.engines.ray.failures import translate
from segue.engines.ray.frames import fetch_block
from segue.engines.ray.sources import Block
from segue.engines.ray.tasks import Keeper, keep_task, run_task
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

_LAST = 2.0
"""Seconds in which tasks that were stopped may tell that they did."""

_PATIENCE = 10.0
"""Seconds in which those that wait for tasks hear that the session was closed."""

_LOOK = 0.5
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
        self._quiet = threading.Condition()
        self._flying: dict[Any, None] = {}
        self._busy = 0
        self._closed = False
        self._keeper: Any = None

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask something of Ray, which stays until it is answered.

        Raises:
            StepError: It was closed, before or meanwhile.
            SegueError: Ray, or what a worker does, failed.
        """
        with self._quiet:
            self.refuse_if_closed()
            self._busy += 1
        try:
            with translate(self.is_closed):
                yield
        finally:
            with self._quiet:
                self._busy -= 1
                self._quiet.notify_all()

    def run(self, launches: Iterable[Launch]) -> list[list[Block]]:
        """Have tasks done, and return what each made, in their order.

        Raises:
            SegueError: One failed; those that still work are stopped.
        """
        waiting = enumerate(launches)
        flying: dict[Any, tuple[int, Any]] = {}
        found: dict[int, list[Block]] = {}
        with self.asking():
            try:
                while self._start_some(waiting, flying):
                    for done in self._wait(flying):
                        number, handle = flying[done]
                        found[number] = self._collect(handle)
                        self._forget(handle)
                        del flying[done]
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
            given = (self._hire_keeper(), launch.task, *launch.early)
            handle = _as_remote(keep_task).options(**options).remote(*given)
        else:
            options["num_returns"] = "streaming"
            if ahead is not None:
                options["_generator_backpressure_num_objects"] = ahead
            handle = _as_remote(run_task).options(**options).remote(launch.task, *launch.early)
        with self._quiet:
            self._flying[handle] = None
        return handle

    def _hire_keeper(self) -> Any:
        """Return the actor that owns what tasks keep for a client."""
        with self._quiet:
            if self._keeper is None:
                self._keeper = _as_remote(Keeper).options(num_cpus=0).remote()
            return self._keeper

    def _wait(self, flying: Iterable[Any]) -> list[Any]:
        import ray

        done: list[Any] = []
        while not done:
            self.refuse_if_closed()
            done, _ = ray.wait(list(flying), num_returns=1, timeout=_LOOK, fetch_local=False)
        self.refuse_if_closed()
        return done

    def _collect(self, handle: Any) -> list[Block]:
        import ray

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
        if self._cluster.remote:
            yield from self.run([launch])[0]
            return
        with self.asking():
            handle = self._start(launch, _AHEAD)
        try:
            while (block := self._take_next(handle)) is not None:
                yield block
        finally:
            if not self._closed:
                with self.asking():
                    self._stop([handle])

    def _take_next(self, handle: Any) -> Block | None:
        import ray

        with self.asking():
            ref = next(handle, None)
            if ref is None:
                return None
            note = next(handle, None)
            # a lone reference is to an error
            return _describe(ref, ray.get(ref if note is None else note))

    def fetch(self, blocks: Iterable[Block], schema: TableSchema) -> Iterator[pa.Table]:
        """Bring blocks to this process, one after the other.

        Raises:
            EngineError: One was lost.
        """
        for block in blocks:
            with self.asking():
                table = fetch_block(block, schema)
            yield table

    def _stop(self, handles: Sequence[Any]) -> None:
        """Stop tasks, and take the errors that nobody needs any more: Ray would print them."""
        import ray

        self._cancel(handles, force=self._closed)
        for handle in handles:
            self._forget(handle)
        if self._cluster.remote or not handles:
            return
        ends = [handle.completed() for handle in handles]
        done, _ = ray.wait(ends, num_returns=len(ends), timeout=_LAST)
        for handle, end in zip(handles, ends, strict=True):
            if end in done:
                for ref in (end, *handle):
                    with suppress(ray.exceptions.RayError):
                        ray.get(ref)

    def _cancel(self, handles: Iterable[Any], *, force: bool) -> None:
        import ray

        for handle in handles:
            with suppress(ray.exceptions.RayError, ConnectionError, ValueError):
                ray.cancel(handle, force=force)

    def _forget(self, handle: Any) -> None:
        with self._quiet:
            self._flying.pop(handle, None)

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
        """Take no more tasks, end those that fly, and wait until nobody asks for any."""
        with self._quiet:
            self._closed = True
            handles = list(self._flying)
        self._cancel(handles, force=True)
        with self._quiet:
            self._quiet.wait_for(lambda: self._busy == 0, _PATIENCE)
            keeper, self._keeper = self._keeper, None
        if keeper is not None:
            self._dismiss(keeper)

    def _dismiss(self, keeper: Any) -> None:
        """End the actor that owned what tasks kept; a cluster that is gone has ended it."""
        import ray

        with suppress(ray.exceptions.RayError, ConnectionError, ValueError):
            ray.kill(keeper)


def _describe(ref: Any, note: tuple[int, int, int]) -> Block:
    part, rows, size = note
    return Block(ref, rows, size, part)


@cache
def _as_remote(function: Any) -> Any:
    import ray

    return ray.remote(function)
