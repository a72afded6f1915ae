"""Workers on this machine, for places without an address.

The scheduler runs in this process, the workers in others, below one that watches them. That
one is started by command: what Python's own multiprocessing starts would import the user's
script again, and scripts without a ``__main__`` guard would not survive it.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from segue.engines.dask.link import Link, connect
from segue.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.step import PlaceSpec

_PATIENCE = 60.0
"""Seconds that workers have to start."""

_NOTICE = 2.0
"""Seconds that the scheduler has to see that workers are gone."""
_NO_DASHBOARD = "127.0.0.1:0"
"""Without an address distributed listens to all of the network."""
_LOADED = ["segue.engines.dask.tasks", "segue.frames.pandas_", "duckdb"]
"""Modules that workers load as they start: else each one's first task would."""


@dataclass(slots=True)
class Workers:
    """A scheduler in this process and worker processes that are its own.

    Attributes:
        link: Connection to the scheduler.
        users: How many sessions would be left without it.
        kept: Whether it outlives them all.
    """

    link: Link
    _stack: ExitStack
    _quiet: ExitStack
    users: int = 0
    kept: bool = False

    def stop(self) -> None:
        """End all processes."""
        self._stack.close()
        self._quiet.close()

    def stop_at_exit(self) -> None:
        """End all processes together with this one, in which nobody reads logs any more."""
        self._stack.close()
        self._quiet.pop_all()


@dataclass(slots=True)
class Pool:
    """The workers that this process has started, by their limits."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: dict[tuple[object, ...], Workers] = field(default_factory=dict)

    def take(self, place: PlaceSpec, *, keep: bool = False) -> Workers:
        """Return workers with the place's limits; they are started if there are none.

        Args:
            place: Threads, memory and options.
            keep: Whether they stay until the process ends.

        Raises:
            EngineError: They can't be started.
        """
        key = (os.getpid(), place.threads, place.memory, tuple(sorted(place.options.items())))
        with self._lock:
            workers = self._running.get(key)
            if workers is None or not workers.link.alive:
                workers = self._running[key] = start_workers(place)
            workers.users += 1
            workers.kept |= keep
            return workers

    def find(self, client: object) -> Workers | None:
        """Return the workers that a client belongs to, if this process has started them."""
        with self._lock:
            for workers in self._running.values():
                if workers.link.client is client:
                    workers.users += 1
                    return workers
        return None

    def leave(self, workers: Workers) -> None:
        """Stop workers unless others use them."""
        with self._lock:
            workers.users -= 1
            if workers.users or workers.kept:
                return
            self._forget(workers)
        workers.stop()

    def stop_at_exit(self) -> None:
        """Stop all that this process has started."""
        with self._lock:
            # a forked child must leave its parent's workers alone
            own = [each for key, each in self._running.items() if key[0] == os.getpid()]
            self._running.clear()
        for workers in own:
            workers.stop_at_exit()

    def _forget(self, workers: Workers) -> None:
        for key in [key for key, each in self._running.items() if each is workers]:
            del self._running[key]


POOL = Pool()
atexit.register(POOL.stop_at_exit)


def start_workers(place: PlaceSpec) -> Workers:
    """Start a scheduler and a worker for each thread.

    Raises:
        EngineError: They did not start in time.
    """
    import dask
    from distributed.utils import silence_logging_cmgr

    threads = place.threads or _count_cores()
    memory = (place.memory or psutil.virtual_memory().total) // threads
    with ExitStack() as quiet, ExitStack() as stack, dask.config.set(dict(place.options)):
        # until the very end: what distributed itself offers ends before its last words
        quiet.enter_context(silence_logging_cmgr(logging.CRITICAL))
        folder = tempfile.mkdtemp(prefix="segue-dask-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        cluster = _start_scheduler()
        stack.callback(cluster.close, timeout=5)
        workers = {str(at): _describe_worker(at, memory, folder) for at in range(threads)}
        watcher = _start_watcher(cluster.scheduler_address, workers)
        stack.callback(_end_processes, watcher, cluster.scheduler)
        link = Link(connect(cluster), own=True)
        stack.callback(link.end)
        try:
            link.client.wait_for_workers(threads, timeout=_PATIENCE)
        except TimeoutError:
            raise EngineError(
                f"Dask's workers did not start within {_PATIENCE:.0f} seconds",
                hint="is the machine short of memory? set threads and memory of the place",
            ) from None
        return Workers(link, stack.pop_all(), quiet.pop_all())


def _start_scheduler() -> Any:
    import distributed

    try:
        return distributed.LocalCluster(  # type: ignore[no-untyped-call]  # distributed's
            n_workers=0,
            host="127.0.0.1",
            dashboard_address=_NO_DASHBOARD,
            silence_logs=False,
            scheduler_kwargs={"allowed_failures": 0, "dashboard": False},
        )
    except (OSError, RuntimeError) as error:
        raise EngineError(f"Dask's scheduler did not start: {error}") from error


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _describe_worker(number: int, memory: int, folder: str) -> dict[str, Any]:
    import dask

    options = {
        "name": str(number),
        "host": "127.0.0.1",
        "nthreads": 1,
        "memory_limit": memory,
        "dashboard_address": _NO_DASHBOARD,
        "local_directory": folder,
        "silence_logs": logging.CRITICAL,
        "preload": [*dask.config.get("distributed.worker.preload"), *_LOADED],
    }
    return {"cls": "distributed.Nanny", "opts": options}


def _start_watcher(address: str, workers: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    import dask

    environment = dict(os.environ)
    # what this process can import, workers can
    environment["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    with dask.config.set({"logging": {"distributed": "critical"}}):
        inherited = dask.config.serialize(dask.config.global_config)
    environment["DASK_INTERNAL_INHERIT_CONFIG"] = inherited
    command = [sys.executable, "-m", "dask", "spec", address, "--spec", json.dumps(workers)]
    # in a session of its own: an interrupt from the keyboard is for this process alone
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    )


def _end_processes(watcher: subprocess.Popen[bytes], scheduler: Any) -> None:
    """End workers and what watches them, at once: what they hold is of no use any more."""
    children = []
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(watcher.pid).children(recursive=True)
    watcher.kill()
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    watcher.wait()
    # closed before it has seen that all are gone, the scheduler would tell so in the log
    deadline = time.monotonic() + _NOTICE
    while (scheduler.workers or scheduler.client_comms) and time.monotonic() < deadline:
        time.sleep(0.01)
