"""Engines that this process has opened: kept, used again, and closed at its end."""

from __future__ import annotations

import atexit
import os
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from segue import registry
from segue.errors import MissingExtraError, UnknownNameError, UsageError
from segue.frames.kinds import find_kind
from segue.spec.step import PlaceSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.protocols import Capabilities, Engine, LocalSession, Session

LOCAL = "local"
_PLAIN = ("builtins", "pathlib")


@dataclass(frozen=True, slots=True)
class Site:
    """An engine at work.

    Attributes:
        name: Name of the engine.
        capabilities: What it can do.
        session: A session for one call; its owner closes it.
    """

    name: str
    capabilities: Capabilities
    session: Session


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is kept like a session."""

    path: Path

    def close(self) -> None:
        """Leave it: all folders are removed together."""


class Sessions:
    """The sessions of a process; a child of it has none of them."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._pid = os.getpid()
        self._opened: dict[tuple[str, Any], tuple[Any, Session | _Folder]] = {}
        self._folders: list[tempfile.TemporaryDirectory[str]] = []

    def open_local(self) -> LocalSession:
        """Return a session of the engine that defines the meaning."""
        engine = registry.load_local_engine()
        place = PlaceSpec(LOCAL, engine=engine.name)
        owner: LocalSession = self._keep(
            (engine.name, ""), None, lambda: engine.open(place, self.scratch())
        )
        return owner.fork()

    def open(self, engine: Engine, address: str = "") -> Site:
        """Return a session of an engine that is started here, or reached at an address."""
        place = PlaceSpec(address or engine.name, engine=engine.name, address=address)
        owner = self._keep((engine.name, address), None, lambda: engine.open(place, self.scratch()))
        return Site(engine.name, engine.capabilities, owner.fork())

    def attach(self, engine: Engine, handle: Any) -> Site:
        """Return a session of the engine that a live handle belongs to."""
        owner = self._keep(
            (engine.name, id(handle)), handle, lambda: engine.attach(handle, self.scratch())
        )
        return Site(engine.name, engine.capabilities, owner.fork())

    def follow(self, engine: Engine, frame: Any) -> Site:
        """Return a session of the engine that a live frame belongs to."""
        folder = self._keep((engine.name, "scratch"), None, lambda: _Folder(self.scratch())).path
        return Site(engine.name, engine.capabilities, engine.attach(frame, folder))

    def scratch(self) -> Path:
        """Return a new folder that is removed at the end of the process."""
        folder = tempfile.TemporaryDirectory(prefix="segue-")
        self._folders.append(folder)
        return Path(folder.name)

    def close(self) -> None:
        """Close all sessions; what they started is stopped."""
        with self._lock:
            opened, self._opened = list(self._opened.values()), {}
            folders, self._folders = self._folders, []
        if self._pid != os.getpid():
            return  # they belong to the parent
        for _, session in reversed(opened):
            session.close()
        for folder in folders:
            folder.cleanup()

    def _keep(self, key: tuple[str, Any], thing: Any, start: Any) -> Any:
        with self._lock:
            if self._pid != os.getpid():
                self._pid, self._opened, self._folders = os.getpid(), {}, []
            if key not in self._opened:
                self._opened[key] = thing, start()
            return self._opened[key][1]


SESSIONS = Sessions()
atexit.register(SESSIONS.close)


def find_owner(thing: Any) -> Engine | None:
    """Return the engine that calls a thing its own, None if none does."""
    if type(thing).__module__ in _PLAIN or find_kind(thing) is not None:
        return None
    return next((engine for engine in _load_engines() if engine.owns(thing)), None)


def find_site(on: Any, owners: Sequence[tuple[Engine, Any]]) -> Site | None:
    """Return the engine that is to work, None for this process.

    Args:
        on: What the user asked for.
        owners: Engines of the inputs that are live frames, with one frame of each.

    Raises:
        UsageError: There is no such engine, or it can't be told.
    """
    if on is None:
        names = sorted({engine.name for engine, _ in owners})
        if len(names) > 1:
            hint = f"say where to work: on={names[0]!r} or on={names[1]!r}"
            raise UsageError(f"the frames are of several engines: {', '.join(names)}", hint=hint)
        return SESSIONS.follow(*owners[0]) if owners else None
    site = _find_stated(on, owners)
    name = site.name if site is not None else "this process"
    strange = next((engine.name for engine, _ in owners if engine.name != name), None)
    if strange is not None:
        raise UsageError(
            f"on={on!r}: {name} can't read a live frame of {strange}",
            hint="leave `on` out to work where it is, or write it as Parquet and give the path",
        )
    return site


def _find_stated(on: Any, owners: Sequence[tuple[Engine, Any]]) -> Site | None:
    if isinstance(on, str):
        return _find_named(on, owners)
    engine = find_owner(on)
    if engine is None:
        hint = "give the name of an engine, an address, or a live session of one"
        raise UsageError(f"on is of type {type(on).__name__}, which is no engine", hint=hint)
    return SESSIONS.attach(engine, on)


def _find_named(on: str, owners: Sequence[tuple[Engine, Any]]) -> Site | None:
    if on == LOCAL:
        return None
    known: list[str] = []
    for name in registry.names(registry.ENGINES):
        schemes = _peek(name)
        known += schemes
        if on.startswith(tuple(schemes)):
            return SESSIONS.open(registry.load_engine(name), on)
    if "://" in on:
        raise UnknownNameError(
            f"no engine is reached by {on!r}", hint=f"addresses begin with {', '.join(known)}"
        )
    engine = registry.load_engine(on)
    attached = next((pair for pair in owners if pair[0].name == engine.name), None)
    return SESSIONS.follow(*attached) if attached else SESSIONS.open(engine)


def find_engine(address: str) -> Engine | None:
    """Return the engine that is reached by an address, None if none is.

    Raises:
        MissingExtraError: Its libraries are not installed.
    """
    for name in registry.names(registry.ENGINES):
        if address.startswith(tuple(_peek(name))):
            return registry.load_engine(name)
    return None


def _peek(name: str) -> tuple[str, ...]:
    """Return how addresses of an engine begin, whether its libraries are there or not."""
    with suppress(MissingExtraError):
        engine: Engine = registry.load(registry.ENGINES, name)()
        return engine.capabilities.schemes
    return ()


@cache
def _load_engines() -> tuple[Engine, ...]:
    """Return the engines whose libraries are there."""
    found = []
    for name in registry.names(registry.ENGINES):
        with suppress(MissingExtraError):
            found.append(registry.load_engine(name))
    return tuple(found)


@dataclass(slots=True)
class Opened:
    """A session for one call.

    Attributes:
        session: The session.
        site: The engine, None for this machine.
        live: Inputs that are the engine's own.
        local: The session, if it is of this machine.
    """

    session: Session
    site: Site | None
    live: Sequence[Any]
    local: LocalSession | None = None
    _kept: bool = False

    def is_live(self, thing: Any) -> bool:
        """Return whether an input is an engine's own."""
        return any(each is thing for each in self.live)

    def keep(self) -> None:
        """Leave the session open: something that it returned needs it."""
        self._kept = True


@contextmanager
def open_session(on: Any, things: Sequence[Any]) -> Iterator[Opened]:
    """Open a session on what the user asked for, else where things are.

    Args:
        on: What the user asked for.
        things: The inputs.

    Raises:
        UsageError: There is no such engine, or it can't be told.
    """
    owners = [(engine, each) for each in things if (engine := find_owner(each)) is not None]
    site = find_site(on, owners)
    live = [each for _, each in owners]
    if site is None:
        local = SESSIONS.open_local()
        opened = Opened(local, site, live, local)
    else:
        opened = Opened(site.session, site, live)
    try:
        yield opened
    finally:
        if not opened._kept:  # noqa: SLF001  # of this file
            opened.session.close()
