"""What a task has on its worker: DuckDB and a folder, both made when they are needed."""

from __future__ import annotations

import importlib
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from segue.registry import load_local_engine
from segue.spec.closing import Closing
from segue.spec.step import PlaceSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.protocols import LocalSession


@dataclass(frozen=True, slots=True)
class Limits:
    """What a task may use.

    Attributes:
        threads: Threads of its DuckDB.
        memory: Bytes of its DuckDB.
        held: Bytes of rows that it holds at once; more of them are sorted, and come as a stream.
    """

    threads: int
    memory: int
    held: int


class Bench(Closing):
    """What one task has on its worker."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._session: LocalSession | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def session(self) -> LocalSession:
        """A session of the worker's DuckDB."""
        if self._session is None:
            self._session = _open_database(self.limits.threads, self.limits.memory).fork()
        return self._session

    @property
    def folder(self) -> Path:
        """A folder for what does not fit in memory."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="segue-ray-")
        return Path(self._folder.name)

    def close(self) -> None:
        """Clear it away."""
        if self._session is not None:
            self._session.close()
        if self._folder is not None:
            self._folder.cleanup()


def warm_up(modules: Sequence[str]) -> None:
    """Load what tasks are going to need, while the driver still thinks about it."""
    load_local_engine()
    for name in modules:
        importlib.import_module(name)


@cache
def _open_database(threads: int, memory: int) -> LocalSession:
    # DuckDB makes this folder when it needs it, and removes it at its end
    scratch = Path(tempfile.gettempdir()) / f"segue-ray-{os.getpid()}"
    return load_local_engine().open(PlaceSpec("ray", threads=threads, memory=memory), scratch)
