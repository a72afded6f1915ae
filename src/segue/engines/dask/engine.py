"""Dask as an engine: started on this machine, or reached by address, client or frame."""

from __future__ import annotations

import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from segue.engines.dask.capabilities import CAPABILITIES
from segue.errors import EngineError
from segue.spec.step import PlaceSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from distributed import Client

    from segue.engines.dask.link import Link
    from segue.engines.dask.session import DaskSession


class DaskEngine:
    """The engine called ``dask``."""

    name = "dask"
    capabilities = CAPABILITIES

    def open(self, place: PlaceSpec, scratch: Path) -> DaskSession:
        """Start workers on this machine, or reach a scheduler.

        Args:
            place: Address of a scheduler, such as ``tcp://host:8786``, or threads and memory of
                workers to start; options are Dask's configuration.
            scratch: Folder for what this process has to put aside.

        Raises:
            EngineError: The scheduler can't be reached, or workers don't start.
            VersionClashError: Workers run another Python, segue or Arrow than this process.
        """
        if place.address:
            link = reach_scheduler(place)
            return _start_session(link, scratch, link.end)
        from segue.engines.dask.cluster import POOL

        workers = POOL.take(place)
        return _start_session(workers.link.fork(), scratch, partial(POOL.leave, workers))

    def owns(self, thing: Any) -> bool:
        """Return whether a thing is a dask dataframe or a client of distributed."""
        kinds = (
            getattr(sys.modules.get(module), name, None)
            for module, name in (("dask.dataframe", "DataFrame"), ("distributed", "Client"))
        )
        return any(kind is not None and isinstance(thing, kind) for kind in kinds)

    def attach(self, thing: Any, scratch: Path) -> DaskSession:
        """Return a session on the scheduler of a client, or on the one that a frame will use.

        That is the default client's, or else one that is started on this machine and stays until
        this process ends.

        Raises:
            EngineError: Workers don't start.
            VersionClashError: Workers run another Python, segue or Arrow than this process.
        """
        from distributed import Client

        from segue.engines.dask.cluster import POOL
        from segue.engines.dask.link import Link, find_client

        client = thing if isinstance(thing, Client) else find_client()
        workers = POOL.find(client) if client else POOL.take(PlaceSpec("dask", "dask"), keep=True)
        if workers is not None:
            return _start_session(workers.link.fork(), scratch, partial(POOL.leave, workers))
        assert client is not None  # noqa: S101  # else there are workers
        link = Link(client)
        link.check_versions()
        return _start_session(link, scratch, lambda: None)


def reach_scheduler(place: PlaceSpec) -> Link:
    """Return a connection to a scheduler.

    Raises:
        EngineError: It can't be reached.
        VersionClashError: Workers run another Python, segue or Arrow than this process.
    """
    from segue.engines.dask.link import Link

    connect = partial(_connect, place)
    link = Link(connect(), again=connect)
    try:
        link.measure_power()
        link.check_versions()
    except BaseException:  # an interrupt must not leave the connection open, either
        link.end()
        raise
    return link


def _connect(place: PlaceSpec) -> Client:
    import dask
    from distributed.versions import VersionMismatchWarning

    from segue.engines.dask.link import CONNECT_SECONDS, connect

    with dask.config.set(dict(place.options)), warnings.catch_warnings():
        # versions are compared later, as far as they matter
        warnings.simplefilter("ignore", VersionMismatchWarning)
        try:
            return connect(place.address, timeout=CONNECT_SECONDS)
        except (OSError, TimeoutError, TypeError, ValueError, RuntimeError) as error:
            raise EngineError(
                f"Dask's scheduler at {place.address} can't be reached: {_first_line(error)}",
                hint="is it running, and is this its address?",
            ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _start_session(link: Link, scratch: Path, end: Callable[[], None]) -> DaskSession:
    from segue.engines.dask.session import DaskSession
    from segue.registry import load_local_engine

    local = load_local_engine().open(PlaceSpec("dask", threads=1), scratch)

    def close() -> None:
        local.close()
        end()

    return DaskSession(link, local, close)
