"""The engines of a plan's places, at work for one run."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from segue import registry
from segue.errors import EngineError, name_disk_fault
from segue.execute.attempt import StepEngines
from segue.settings import expand_secrets
from segue.spec.step import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from segue.protocols import LocalSession, Session
    from segue.spec.plan import Plan
    from segue.spec.step import PlaceSpec


@dataclass(slots=True)
class Engines:
    """The engines at work; each node of the graph takes forks of them.

    Other engines than the local one start when the first step comes to its place, so that a
    mistake in the project is told before, and local steps don't wait.

    Attributes:
        places: Places by name.
        scratch: Folder that is removed at the end.
    """

    places: Mapping[str, PlaceSpec]
    scratch: Path
    _stack: ExitStack
    _sessions: dict[str, Session] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _over: bool = False

    @property
    def local(self) -> LocalSession:
        """The local engine: sources are landed, tables judged and merged with it."""
        return cast("LocalSession", self.open(LOCAL))

    def open(self, place: str) -> Session:
        """Return the engine of a place, started if it is not there yet.

        Raises:
            EngineError: It can't be started or reached.
        """
        with self._lock:
            if self._over:
                raise EngineError("the run is over")
            if place not in self._sessions:
                folder = self.scratch / place
                folder.mkdir()
                spec = _fill_secrets(self.places[place])
                session = registry.load_engine(spec.engine).open(spec, folder)
                self._sessions[place] = self._stack.enter_context(session)
            return self._sessions[place]

    def find(self, place: str) -> StepEngines:
        """Return the engines that a step in a place works with."""
        session = self.open(place)
        if self.places[place].engine == self.places[LOCAL].engine:
            return StepEngines(cast("LocalSession", session))
        return StepEngines(self.local, session)

    def interrupt(self) -> None:
        """End what is running, as far as it can be ended from another thread."""
        self._over = True
        for session in tuple(self._sessions.values()):
            session.close()

    def tell_facts(self) -> dict[str, Any]:
        """Return what computes, for the record."""
        place = self.places[LOCAL]
        others = {name: each for name, each in self._sessions.items() if name != LOCAL}
        return {
            "name": place.engine,
            "threads": place.threads,
            "memory": place.memory,
            "row_hash": registry.load_engine(place.engine).capabilities.row_hash,
            "places": {name: dict(session.facts()) for name, session in others.items()},
        }


def _fill_secrets(place: PlaceSpec) -> PlaceSpec:
    """Return a place with the values of secrets, which stand in plans by name."""
    options = {
        key: expand_secrets(value, os.environ) if isinstance(value, str) else value
        for key, value in place.options.items()
    }
    return replace(place, address=expand_secrets(place.address, os.environ), options=options)


def scratch_folder(run_id: str) -> Path:
    """Return the folder where a run keeps what does not fit in memory."""
    return Path(tempfile.gettempdir()) / f"segue-{run_id}"


@contextmanager
def open_engines(plan: Plan, run_id: str) -> Iterator[Engines]:
    """Open what a run computes with, and a scratch folder that is removed at the end.

    Args:
        plan: Knows the places.
        run_id: Name of the run.
    """
    scratch = scratch_folder(run_id)
    try:
        scratch.mkdir(parents=True)
    except OSError as error:
        raise name_disk_fault(error, scratch.parent) from error
    try:
        with ExitStack() as stack:
            yield Engines(plan.places, scratch, stack)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
