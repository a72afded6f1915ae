"""Engines, source kinds, lakes, ledgers and check kinds, found by entry point.

A package adds one of them by an entry point in the group named here; nothing of
segue has to be changed. What is missing answers with the command that installs it.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from functools import cache, reduce
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from segue.errors import MissingExtraError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.protocols import CheckKind, Engine, LocalEngine, SourceKind

ENGINES = "segue.engines"
SOURCES = "segue.sources"
LAKES = "segue.lakes"
LEDGERS = "segue.ledgers"
CHECKS = "segue.checks"
EDGE_SOURCES = "segue.edge_sources"
EDGE_FORMATS = "segue.edge_formats"
DESTINATIONS = "segue.destinations"
HUB_STORES = "segue.hub_stores"

MOST_NAMES = 12
"""Names that a hint lists at most."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where something is that a package adds.

    Attributes:
        value: ``module:name``, as the package states it.
    """

    value: str

    def load(self) -> Any:
        """Return what is there.

        Example:
            >>> Point("os:path.join [extra]").load() is os.path.join
            True
        """
        module, _, names = self.value.partition("[")[0].strip().partition(":")
        return reduce(getattr, filter(None, names.split(".")), import_module(module.strip()))


@cache
def _points(group: str) -> dict[str, Point]:
    if _is_plain():
        return _read_folders().get(group, {})
    from importlib.metadata import entry_points

    return {point.name: Point(point.value) for point in entry_points(group=group)}


def _is_plain() -> bool:
    """Return whether packages lie in folders and nowhere else, as they nearly always do.

    Then there is no need of `importlib.metadata`: 3 MB and 20 ms, of which it uses little.
    """
    others = (each for each in sys.meta_path if each is not PathFinder)
    return not any(hasattr(each, "find_distributions") for each in others) and not any(
        os.path.isfile(path) or str(path).endswith(".egg")  # noqa: PTH113  # at each start
        for path in sys.path
    )


@cache
def _read_folders() -> dict[str, dict[str, Point]]:
    """Return the entry points of all packages, by group and name; the first of a package counts."""
    found: dict[str, dict[str, Point]] = {}
    seen: set[str] = set()
    for path in sys.path:
        for package, file in _list_packages(path or "."):
            if package not in seen:
                seen.add(package)
                for group, name, value in _read_points(file):
                    found.setdefault(group, {})[name] = Point(value)
    return found


def _list_packages(path: str) -> Iterator[tuple[str, str]]:
    """Return packages that are installed in a folder, and where their entry points would be."""
    try:
        names = sorted(os.listdir(path))  # noqa: PTH208  # once for each start
    except OSError:
        return
    for name in names:
        stem, _, ending = name.rpartition(".")
        if ending in ("dist-info", "egg-info"):
            package = re.sub(r"[-_.]+", "_", stem.partition("-")[0]).lower()
            yield package, os.path.join(path, name, "entry_points.txt")  # noqa: PTH118


def _read_points(file: str) -> Iterator[tuple[str, str, str]]:
    """Return group, name and value of what a package adds to segue."""
    try:
        with open(file, encoding="utf-8") as lines:  # noqa: PTH123
            text = lines.read()
    except OSError:  # most packages have none
        return
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[]").strip()
        elif group.startswith("segue.") and "=" in line and line[0] not in "#;":
            name, _, value = line.partition("=")
            yield group, name.strip(), value.strip()


def names(group: str) -> tuple[str, ...]:
    """Return the names that can be loaded from a group, sorted."""
    return tuple(sorted(_points(group)))


@cache
def load(group: str, name: str) -> Any:
    """Return what an entry point names.

    Args:
        group: One of the groups of this module.
        name: Name in the group.

    Raises:
        MissingExtraError: It exists and is not installed; the hint is the command.
        UnknownNameError: Nothing has this name; the hint tells the nearest.
    """
    point = _points(group).get(name)
    noun = group.removeprefix("segue.").replace("_", " ").removesuffix("s")
    if point is None:
        raise UnknownNameError(
            f"there is no {noun} called {name!r}", hint=nearest(name, names(group))
        )
    try:
        return point.load()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "segue":
            raise
        raise _missing(noun, name, name) from error


def _missing(noun: str, name: str, extra: str) -> MissingExtraError:
    return MissingExtraError(
        f"the {noun} {name!r} is not installed", hint=f"pip install 'segue[{extra}]'"
    )


def load_engine(name: str) -> Engine:
    """Return an engine by name; its libraries are there, and not yet imported.

    Raises:
        MissingExtraError: A library that it needs is not installed; the hint is the command.
        UnknownNameError: There is no such engine; the hint tells the nearest.
    """
    engine = cast("Engine", load(ENGINES, name)())
    if any(find_spec(module) is None for module in engine.capabilities.requires):
        raise _missing("engine", name, engine.capabilities.extra)
    return engine


def load_local_engine() -> LocalEngine:
    """Return the engine that defines the meaning: it is part of the core."""
    return cast("LocalEngine", load_engine("duckdb"))


def load_source(kind: str) -> SourceKind:
    """Return a source kind by name."""
    return cast("SourceKind", load(SOURCES, kind)())


def load_check(kind: str) -> CheckKind:
    """Return a check kind by name."""
    return cast("CheckKind", load(CHECKS, kind))


def nearest(name: str, known: tuple[str, ...] | list[str], *, noun: str = "") -> str:
    """Return a hint that names what a misspelled name may have meant.

    Args:
        name: What was written.
        known: Names that exist.
        noun: What they are, for the sentence without a near one.

    Example:
        >>> nearest("ordrs", ["orders", "stores"])
        "did you mean 'orders'?"
    """
    import difflib

    matches = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if matches:
        return f"did you mean {' or '.join(map(repr, matches))}?"
    if not known:
        return f"there is no {noun or 'name'} yet"
    listed = ", ".join(sorted(known)[:MOST_NAMES])
    more = "" if len(known) <= MOST_NAMES else f", … ({len(known)} in all)"
    return f"there are: {listed}{more}"
