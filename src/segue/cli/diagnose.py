"""What `segue doctor` looks at: one small function per question, each with a finding."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from segue.cli.wording import count, size

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from segue.project import Project

CORE = (
    "click",
    "deltalake",
    "duckdb",
    "psutil",
    "pyarrow",
    "pydantic",
    "PyYAML",
    "rich",
    "SQLAlchemy",
    "sqlglot",
)
EXTRAS = ("pandas", "polars")
OLDEST_PYTHON = (3, 11)
LITTLE_ROOM = 5_000_000_000
NO_ROOM = 500_000_000
SQLITE = "sqlite:///"
EARLIEST = 1_767_225_600
"""Start of 2026: segue is younger than that, so a clock before it is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer of the doctor.

    Attributes:
        name: What was looked at.
        verdict: ``ok``, ``warn`` or ``fail``.
        message: What was found.
        hint: The next move; empty where all is well.
    """

    name: str
    verdict: str
    message: str
    hint: str = ""


def diagnose(start: Path) -> Iterator[Finding]:
    """Go through all findings.

    Args:
        start: Folder from which the project is looked for.
    """
    yield look_at_python()
    yield look_at_libraries()
    yield look_at_extras()
    yield look_at_clock(time.time())
    yield look_at_room("temporary files", Path(tempfile.gettempdir()))
    project = yield from _look_at_project(start)
    if project is not None:
        lake = Path(project.spec.lake)
        yield look_at_lake(lake)
        yield look_at_ledger(project.ledger_url)
        yield look_at_room("lake's disk", _existing(lake))


def look_at_python() -> Finding:
    """Report Python and the platform."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("Python", "fail", found, "install Python 3.11 or newer")
    cores = count(len(os.sched_getaffinity(0)), "core")
    return Finding("Python", "ok", f"{found}, {cores}")


def look_at_libraries() -> Finding:
    """Report the versions of the libraries that segue rests on."""
    found, missing = [], []
    for name in CORE:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding(
            "libraries", "fail", f"missing: {', '.join(missing)}", "pip install --upgrade segue"
        )
    return Finding("libraries", "ok", ", ".join(found))


def look_at_extras() -> Finding:
    """Report which optional frame libraries are installed."""
    parts = []
    for name in EXTRAS:
        try:
            parts.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            parts.append(f"{name} not installed (pip install 'segue[{name}]')")
    return Finding("extras", "ok", ", ".join(parts))


def look_at_clock(now: float) -> Finding:
    """Report whether the clock can be right.

    Args:
        now: Seconds since 1970.
    """
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < EARLIEST:
        return Finding("clock", "warn", f"{shown} is in the past", "set the machine's clock")
    return Finding("clock", "ok", shown)


def look_at_room(name: str, folder: Path) -> Finding:
    """Report how much room a disk has."""
    free = shutil.disk_usage(folder).free
    message = f"{size(free)} free in {folder}"
    if free < NO_ROOM:
        return Finding(name, "fail", message, "make room: segue vacuum removes old files")
    if free < LITTLE_ROOM:
        return Finding(name, "warn", message, "soon there is no room left for results")
    return Finding(name, "ok", message)


def _look_at_project(start: Path) -> Generator[Finding, None, Project | None]:
    """Load the project; returns it (closed), or None."""
    from segue.errors import ProjectError, SegueError

    try:
        from segue.project import load

        with load(start) as project:
            pass
    except ImportError as error:
        hint = "pip install --force-reinstall segue"
        yield Finding("installation", "fail", f"a library is broken: {error}", hint)
        return None
    except ProjectError as error:
        noun = count(len(error.problems), "problem")
        yield Finding("project", "fail", f"{noun} in its files", "segue plan lists them")
        return None
    except SegueError as error:
        yield Finding("project", "warn", error.message, error.hint)
        return None
    spec = project.spec
    parts = (
        count(len(spec.sources), "source"),
        count(len(spec.steps), "step"),
        count(len(spec.contracts), "contract"),
    )
    yield Finding("project", "ok", f"{spec.name}: {', '.join(parts)}")
    return project


def look_at_lake(folder: Path) -> Finding:
    """Report whether files can be written into the lake."""
    existing = _existing(folder)
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return Finding(
            "lake",
            "fail",
            f"{existing} can't be written: {error.strerror}",
            "give yourself the right to write there, or set [lake] path in segue.toml",
        )
    tables = "" if folder.exists() else ", made by the first run"
    return Finding("lake", "ok", f"{folder}{tables}")


def look_at_ledger(url: str) -> Finding:
    """Report whether the ledger's file is whole, without changing it.

    Args:
        url: Where the ledger is.
    """
    if not url.startswith(SQLITE):
        return Finding("ledger", "ok", "another database than SQLite: its server looks after it")
    path = Path(url.removeprefix(SQLITE))
    if not path.exists():
        return Finding("ledger", "ok", "none yet, made by the first run")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            answer = connection.execute("pragma integrity_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.OperationalError as error:  # of the disk or of rights, not of what is in it
        told = f"{path} can't be used: {error}"
        return Finding("ledger", "fail", told, "give yourself the right to write there")
    except sqlite3.DatabaseError as error:
        answer = str(error)
    if answer != "ok":
        return Finding("ledger", "fail", f"{path} is damaged: {answer}", "segue recover --rebuild")
    return Finding("ledger", "ok", f"{path}: whole, {size(path.stat().st_size)}")


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(each for each in (folder, *folder.parents) if each.is_dir())
