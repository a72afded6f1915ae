"""This process's one connection to Ray: started, found or reached, and shared by sessions."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.engines.ray.bench import warm_up
from segue.engines.ray.versions import list_nodes, refuse_other_versions
from segue.errors import EngineError, UnsupportedError, VersionClashError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from segue.spec.step import PlaceSpec

STORE_SHARE = 0.3
"""Part of a place's memory that holds Arrow data between workers; Ray's own share too."""

SMALLEST_STORE = 80_000_000
"""Bytes below which Ray refuses to make an object store."""

_REMOTE = "ray://"
_HUSH = "RAY_IGNORE_UNHANDLED_ERRORS"
"""Variable by which Ray does not print errors of tasks that nobody waits for any more."""

_KNOCK = 10.0
"""Seconds in which the machine at an address has to answer."""

_FRAMES = ("numpy", "pandas", "polars", "narwhals")

_STARTS = 3
_NOT_STARTED = (
    "Starting Ray client server failed",
    "Proxy failed to Connect to backend",
    "ZombieProcess",
    "NoSuchProcess",
    "GetOrCreateRuntimeEnv request failed",
)
"""What Ray says where the process that it starts for a client has died, or came too late."""

_TRACEBACK = "Traceback (most recent call last):"

_lock = threading.Lock()


@dataclass(slots=True)
class _Own:
    """A connection that segue made, not the user.

    Attributes:
        address: Address of the place; empty for one that was started here.
        users: Sessions that use it.
        hushed: Whether segue set the variable that quietens Ray.
    """

    address: str
    users: int = 0
    hushed: bool = False


_own: _Own | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is known of a Ray that this process is connected to.

    Attributes:
        address: Where it was reached; empty for one on this machine.
        remote: Whether it is driven through a Ray client, which stands between.
        workers: Cores, each of which runs one piece of work.
        memory: Bytes of memory for each of them.
        store: Bytes of the smallest object store for each of them.
        nodes: Machines.
        own: The connection that segue made for it, None for the user's.
    """

    address: str
    remote: bool
    workers: int
    memory: int
    store: int
    nodes: int
    own: _Own | None


def connect(place: PlaceSpec, scratch: Path) -> Cluster:
    """Connect this process to Ray, or use the connection that it has; `release` gives it back.

    Args:
        place: Address, threads, memory, and options of ``ray.init``.
        scratch: Where Ray on this machine puts what its object store does not hold.

    Raises:
        EngineError: Ray can't be started or reached.
        VersionClashError: Its workers run another Python, segue or Arrow.
    """
    import ray

    global _own  # noqa: PLW0603  # Ray itself is one per process
    with _lock:
        if not ray.is_initialized():
            _own = None
            _refuse_local_limits(place)
            with _explain(place.address), _own_signals():
                _reach(place) if place.address else _start(place, scratch)
            _own = _Own(place.address, hushed=_HUSH not in os.environ)
            os.environ[_HUSH] = "1"
        elif place.address and (_own is None or _own.address != place.address):
            raise EngineError(
                f"this process is connected to another Ray than {place.address}",
                hint="call ray.shutdown() first, or leave the address away to use it",
            )
        return _lend(place.address)


def attach() -> Cluster:
    """Return the Ray that this process is connected to.

    Raises:
        EngineError: It is not.
        VersionClashError: Its workers run another Python, segue or Arrow.
    """
    import ray

    if not ray.is_initialized():
        raise EngineError("Ray is not initialised", hint="call ray.init() first")
    with _lock:
        return _lend("" if _own is None else _own.address)


def release(cluster: Cluster) -> None:
    """Give back what `connect` or `attach` gave; the last one ends a Ray that segue started."""
    with _lock:
        _give_back(cluster.own)


def _lend(address: str) -> Cluster:
    own = _own
    if own is not None:
        own.users += 1
    try:
        refuse_other_versions()
        return _look(address, own)
    except BaseException:  # an interrupt gives the cluster back, too
        _give_back(own)
        raise


def _give_back(own: _Own | None) -> None:
    import ray

    global _own  # noqa: PLW0603  # as above
    if own is None or own is not _own:
        return
    own.users -= 1
    if own.users <= 0:
        _own = None
        ray.shutdown()
        if own.hushed:
            del os.environ[_HUSH]


def _refuse_local_limits(place: PlaceSpec) -> None:
    if place.address and (place.threads or place.memory):
        raise UnsupportedError(
            f"place {place.name!r} sets threads or memory of a Ray that runs already",
            hint="leave them away: its machines have their own",
        )


def _reach(place: PlaceSpec) -> None:
    import ray

    start: Any = ray.init
    _knock(place.address)
    if not place.address.startswith(_REMOTE):
        given: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        start(address=place.address, **{**given, **place.options})
        return
    builder = logging.getLogger("ray.client_builder")
    kept = builder.level
    builder.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings(), _unheard():
            warnings.simplefilter("ignore")  # of what the error says again
            _start_client(place)
            said = _find_client().worker.log_client
            said.stdstream = said.log = _ignore
    finally:
        builder.setLevel(kept)


def _start_client(place: PlaceSpec) -> None:
    """Open a client; on a busy machine, the process that Ray starts for each may die at once."""
    import ray

    start: Any = ray.init
    for further in reversed(range(_STARTS)):
        try:
            start(address=place.address, **place.options)
        except ConnectionError as error:
            if not further or not any(sign in str(error) for sign in _NOT_STARTED):
                raise
        else:
            return


def _ignore(level: int, msg: str) -> None:
    """Hear what workers print, which belongs in their logs."""


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Keep what workers print from the terminal from the very first line on."""
    from ray.util.client.logsclient import LogstreamClient

    kept = LogstreamClient.stdstream, LogstreamClient.log
    heard: Any = LogstreamClient
    heard.stdstream = heard.log = staticmethod(_ignore)
    try:
        yield
    finally:
        heard.stdstream, heard.log = kept


def _knock(address: str) -> None:
    """Find out soon whether anybody listens: Ray tries for minutes."""
    host, colon, port = address.removeprefix(_REMOTE).partition("?")[0].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK).close()


def _find_client() -> Any:
    from ray.util import client

    return client.ray


def _start(place: PlaceSpec, scratch: Path) -> None:
    import ray

    spilled = scratch / "ray"
    spilled.mkdir(parents=True, exist_ok=True)
    given: dict[str, Any] = {
        "address": "local",
        "include_dashboard": False,
        "log_to_driver": False,
        "logging_level": "ERROR",
        "num_cpus": place.threads,
        "object_spilling_directory": str(spilled),
    }
    if place.memory is not None:
        store = max(int(place.memory * STORE_SHARE), SMALLEST_STORE)
        given["object_store_memory"] = store
        given["_memory"] = max(place.memory - store, SMALLEST_STORE)
    with _on_loopback():
        ray.init(**{**given, **place.options})
    _silence()
    _warm_up()


def _warm_up() -> None:
    """Let workers load what functions are likely to use: pandas takes a second."""
    import ray

    loaded = [name for name in _FRAMES if name in sys.modules]
    warm = ray.remote(warm_up).options(max_retries=0)
    for _ in range(_look("", None).workers):
        warm.remote(loaded)


@contextlib.contextmanager
def _on_loopback() -> Iterator[None]:
    """Tell Ray that it has one machine only: else it listens on all of its networks."""
    from ray._private import ray_constants

    told = {ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0", "RAY_USAGE_STATS_ENABLED": "0"}
    kept = {name: os.environ.get(name) for name in told}, ray_constants.ENABLE_RAY_CLUSTER
    os.environ.update(told)
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        for name, value in kept[0].items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        ray_constants.ENABLE_RAY_CLUSTER = kept[1]


def _silence() -> None:
    """End the thread that prints what happens to workers: errors tell it."""
    from ray._private import worker

    # private parts, which another release may not have
    global_worker: Any = worker.global_worker
    with contextlib.suppress(AttributeError):
        global_worker.threads_stopped.set()
        global_worker.gcs_error_subscriber.close()
        global_worker.listener_thread.join()
        global_worker.threads_stopped.clear()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the process's own way to end: Ray sets another."""
    kept = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread() and kept is not None:
            signal.signal(signal.SIGTERM, kept)


@contextlib.contextmanager
def _explain(address: str) -> Iterator[None]:
    """Turn what ``ray.init`` raises into an error that tells the next move."""
    try:
        yield
    except (ConnectionError, TimeoutError, OSError) as error:
        where = address or "on this machine"
        raise EngineError(
            f"Ray can't be reached at {where}: {_tell(error)}",
            hint="is it running there, and can this machine reach it?"
            if address
            else "is there room in /tmp and /dev/shm?",
        ) from None
    except (RuntimeError, ValueError, TypeError) as error:
        if "ersion mismatch" in str(error):
            raise VersionClashError(
                f"Ray at {address} does not fit this process: {_tell(error)}",
                hint="use the same versions of Python and Ray on both sides",
            ) from None
        raise EngineError(f"Ray can't be started: {_tell(error)}") from None


def _tell(error: BaseException) -> str:
    """Return what an error says on one line; of a server's traceback, what it ends with."""
    said, trace, remote = str(error).strip().partition(_TRACEBACK)
    end = remote.strip().rpartition("\n")[2] if trace else ""
    return " ".join(f"{said} {end}".split())[:300] or type(error).__name__


def _look(address: str, own: _Own | None) -> Cluster:
    nodes = list_nodes()
    found = [node["Resources"] for node in nodes if node["Resources"].get("CPU", 0) >= 1]
    if not found:
        raise EngineError("Ray has no worker with a core", hint="add a machine to it")
    return Cluster(
        address=address,
        remote=bool(_find_client().is_connected()),
        workers=sum(int(each["CPU"]) for each in found),
        memory=min(_share(each, "memory") for each in found),
        store=min(_share(each, "object_store_memory") for each in found),
        nodes=len(nodes),
        own=own,
    )


def _share(resources: Mapping[str, float], name: str) -> int:
    return int(resources.get(name, 0) / resources["CPU"])


def find_driver_host(cluster: Cluster) -> str:
    """Return the address of this machine as workers see it."""
    if not cluster.remote:
        from ray import util

        find: Any = util.get_node_ip_address
        return str(find())
    host, _, port = cluster.address.removeprefix(_REMOTE).rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host or "127.0.0.1", int(port or 10001)))
        return str(probe.getsockname()[0])
