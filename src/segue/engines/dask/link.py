"""A connection to a scheduler: tasks go out, results and errors come back in segue's terms."""

from __future__ import annotations

import sys
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.engines.dask.failures import translate_failure
from segue.engines.dask.tasks import run_task
from segue.errors import EngineError, SegueError, StepError, VersionClashError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from distributed import Client, Future

CONNECT_SECONDS = 10.0
"""Seconds that a scheduler has to answer."""
IDLE_SECONDS = 60.0
"""Seconds that tasks may wait while there is not one worker."""
_TICK = 2.0
_STARTS = 3

_PROBE = (
    "(lambda find: {"
    "'Python': '%d.%d' % __import__('sys').version_info[:2], "
    "'segue': next(iter(d.version for d in find(name='segue')), None), "
    "'pyarrow': next(iter(d.version for d in find(name='pyarrow')), None)"
    "})(__import__('importlib.metadata').metadata.distributions)"
)
"""Asked in plain Python: a worker without segue could not read a function of segue's."""


def find_client() -> Client | None:
    """Return the client that the user has connected this process with, if any."""
    from distributed import client

    found: Client | None = client._get_global_client()  # noqa: SLF001  # the public one raises
    return found


def connect(to: Any, **options: Any) -> Client:
    """Return a client; it becomes the one that Dask uses by itself, unless there is one.

    Args:
        to: Address, or a cluster of distributed's.
        options: What distributed calls so.

    Raises:
        EngineError: This process is too busy for the client to begin.
    """
    import distributed

    make: Any = distributed.Client
    for _ in range(_STARTS):
        with suppress(AssertionError):  # its thread has not begun within ten seconds
            client: Client = make(to, set_as_default=find_client() is None, **options)
            return client
    raise EngineError(
        "Dask's client does not begin within 10 seconds",
        hint="this machine is busy: try again later",
    )


@dataclass(frozen=True, slots=True)
class Power:
    """What workers there are.

    Attributes:
        workers: How many.
        threads: How many tasks they do at a time, all together.
        threads_here: The same on the machine that has the fewest.
        memory: Bytes that one task may use, on the worker that has the least.
    """

    workers: int
    threads: int
    threads_here: int
    memory: int


@dataclass(slots=True)
class Link:
    """A connection to a scheduler.

    Attributes:
        client: Distributed's own.
        own: Whether the workers are this process's.
        again: Connects once more, where that is possible.
        closed: Whether nothing more is to be done over it.
    """

    client: Client
    own: bool = False
    again: Callable[[], Client] | None = None
    closed: bool = False
    _running: set[Future[Any]] = field(default_factory=set)

    @property
    def beside(self) -> bool:
        """Whether this process reaches the workers themselves: the scheduler is a slow way."""
        import distributed

        return self.own or isinstance(self.client.cluster, distributed.LocalCluster)

    @property
    def alive(self) -> bool:
        """Whether the scheduler can be reached."""
        return self.client.status == "running"

    @property
    def address(self) -> str:
        """Address of the scheduler."""
        scheduler: Any = self.client.scheduler
        return str(scheduler.address)

    def fork(self) -> Link:
        """Return a connection that shares this one's client.

        Raises:
            EngineError: It was lost, and the scheduler can't be reached.
        """
        if not self.alive and self.again is not None:
            self.client = self.again()
        return Link(self.client, self.own)

    def stop(self) -> None:
        """Let workers forget what they have not begun, and do nothing more."""
        self.closed = True
        with suppress(SegueError):
            self.cancel(tuple(self._running))

    def end(self) -> None:
        """Close the client."""
        client: Any = self.client
        client.close()

    def measure_power(self) -> Power:
        """Return what workers there are.

        Raises:
            EngineError: There is none.
        """
        deadline = time.monotonic() + IDLE_SECONDS
        while not (workers := self._list_workers()):
            if time.monotonic() > deadline:
                raise EngineError(
                    f"the scheduler at {self.address} has no workers",
                    hint=f"start one: dask worker {self.address}",
                )
            time.sleep(0.1)
        hosts: dict[str, int] = {}
        for each in workers:
            hosts[each["host"]] = hosts.get(each["host"], 0) + each["nthreads"]
        return Power(
            len(workers),
            sum(hosts.values()),
            min(hosts.values()),
            min((each["memory_limit"] or sys.maxsize) // each["nthreads"] for each in workers),
        )

    def _list_workers(self) -> list[dict[str, Any]]:
        with self._telling():
            found = self.client.scheduler_info(n_workers=-1)
        if not self.alive:
            raise translate_failure(ConnectionError(), lost=True)
        return list(found["workers"].values())

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what distributed raises into segue's errors: it raises anything."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # that is why this is here
            if self.closed:
                raise StepError("the query was stopped", engine="dask") from None
            raise translate_failure(error, lost=not self.alive) from None

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Let a worker call a function; futures among the arguments arrive as their results."""
        key = f"segue-{function.__name__}-{uuid.uuid4().hex}"
        with self._telling():
            return self.client.submit(run_task, function, *arguments, key=key, pure=False)

    def scatter(self, things: Sequence[Any]) -> list[Future[Any]]:
        """Put things on workers, spread evenly."""
        client: Any = self.client
        with self._telling():
            futures: list[Future[Any]] = client.scatter(
                list(things), hash=False, direct=self.own or None
            )
        return futures

    def finish(self, futures: Iterable[Future[Any]]) -> None:
        """Wait until tasks are done.

        Raises:
            SegueError: One of them failed; the others are told to stop.
        """
        everything = tuple(futures)
        self._running.update(everything)
        try:
            self._wait(set(everything))
        except SegueError:
            self.cancel(everything)
            raise
        finally:
            self._running.difference_update(everything)

    def _wait(self, waiting: set[Future[Any]]) -> None:
        import distributed

        wait: Any = distributed.wait
        idle_since: float | None = None
        while waiting:
            with self._telling(), suppress(TimeoutError):
                done, waiting = wait(waiting, timeout=_TICK, return_when="FIRST_COMPLETED")
                idle_since = None
                _raise_first(done)
                continue
            idle_since = self._look_after(idle_since)

    def _look_after(self, idle_since: float | None) -> float | None:
        """Return since when there is no worker, None if there is one."""
        if self._list_workers():
            return None
        now = time.monotonic()
        if idle_since is not None and now - idle_since > IDLE_SECONDS:
            raise EngineError(
                f"the scheduler at {self.address} has no workers any more",
                hint="a function that ends its worker, or uses all of its memory, may be why",
            )
        return idle_since or now

    def gather(self, futures: Sequence[Future[Any]]) -> list[Any]:
        """Return the results of tasks.

        Raises:
            SegueError: One of them failed.
        """
        self.finish(futures)
        client: Any = self.client
        with self._telling():
            results: list[Any] = client.gather(list(futures), direct=self.beside or None)
        return results

    def cancel(self, futures: Sequence[Future[Any]]) -> None:
        """Let workers forget tasks."""
        client: Any = self.client
        if self.alive and futures:
            with self._telling():
                client.cancel(list(futures), force=True)

    def check_versions(self) -> None:
        """Make sure that functions can travel.

        Raises:
            VersionClashError: A worker runs another Python, segue or Arrow.
        """
        here = eval(_PROBE)  # noqa: S307  # the constant above
        with self._telling():
            found = self.client.run(eval, _PROBE)
        for address, there in found.items():
            for name, version in there.items():
                if _significant(name, version) != _significant(name, here[name]):
                    raise VersionClashError(
                        f"the worker at {address} has {name} {version or 'not installed'}, "
                        f"this process {here[name]}",
                        hint=f"install the same {name} on both",
                    )


def _raise_first(done: Iterable[Any]) -> None:
    """Raise the error of a task that failed, if any."""
    for future in done:
        if future.status != "finished":
            future.result(timeout=CONNECT_SECONDS)


def _significant(name: str, version: str | None) -> str | None:
    """Return the part of a version that matters: Arrow's format is stable within a major one."""
    return version.partition(".")[0] if version and name == "pyarrow" else version
