"""Worker processes on this machine: started once, used again, gone when they have been idle.

They are started by loky, which needs no ``if __name__ == "__main__"`` in the user's script and
takes functions that were typed into a shell.
"""

from __future__ import annotations

import atexit
import os
from threading import Lock
from typing import TYPE_CHECKING, Any

from segue.errors import StepCrashedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

IDLE_SECONDS = 60
"""How long workers wait for more to do: they hold some 150 MB each."""


class Pool:
    """The worker processes of this process; a child of it has its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pid = os.getpid()
        self._executor: Any = None
        self._workers = 0

    @property
    def warm(self) -> bool:
        """Whether workers have been started before."""
        return self._executor is not None and self._pid == os.getpid()

    def run(self, do: Callable[[Any], Any], tasks: Iterable[Any], workers: int) -> Iterator[Any]:
        """Have tasks done; yield what comes of them in their order.

        Raises:
            StepCrashedError: A worker died.
            Exception: What a task raised.
        """
        from loky.process_executor import TerminatedWorkerError

        executor = self._open(workers)
        futures = [executor.submit(do, task) for task in tasks]
        try:
            while futures:
                yield futures[0].result()
                del futures[0]
        except TerminatedWorkerError as error:
            self.close()
            raise StepCrashedError(
                "a worker process died while it called the function",
                hint="it may have used more memory than there is: try fewer rows at a time",
            ) from error
        finally:
            for future in futures:
                future.cancel()

    def _open(self, workers: int) -> Any:
        with self._lock:
            if self._pid != os.getpid():
                self._pid, self._executor = os.getpid(), None
            if self._executor is not None and self._workers < workers:
                self._executor.shutdown(wait=True)
                self._executor = None
            if self._executor is None:
                from loky import ProcessPoolExecutor

                self._executor = ProcessPoolExecutor(workers, timeout=IDLE_SECONDS)
                self._workers = workers
            return self._executor

    def close(self) -> None:
        """End the workers."""
        with self._lock:
            if self._executor is not None and self._pid == os.getpid():
                self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None


POOL = Pool()
atexit.register(POOL.close)


def count_cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
