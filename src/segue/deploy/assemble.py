"""Make the bundle of a fleet's part of a project."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segue.deploy.locks import (
    Pin,
    find_imports,
    find_packages,
    read_pins,
    read_wheels,
    write_lock,
)
from segue.project.edge import CutPart, cut
from segue.spec.edge_codec import write_edge
from segue.spec.step import FrameKind
from segue.wire.bundle import EDGE, LOCK, PROJECT, WHEELS, write_bundle

if TYPE_CHECKING:
    from collections.abc import Collection

    from segue.project import Project
    from segue.spec.edge import EdgePart

_FRAMES = {
    FrameKind.PANDAS: "pandas",
    FrameKind.POLARS: "polars",
    FrameKind.POLARS_LAZY: "polars",
    FrameKind.NARWHALS: "narwhals",
    FrameKind.NARWHALS_LAZY: "narwhals",
    FrameKind.DUCKDB: "duckdb",
}
_SEGUE_OWN = ("numpy", "pyarrow", "duckdb", "pydantic", "yaml")
_NUMBERS = "numpy"
_SOURCES = {"mqtt": "paho", "serial": "serial"}
_DESTINATIONS = {
    "kafka": "confluent_kafka",
    "s3": "botocore",
    "mqtt": "paho",
    "postgres": "psycopg",
}


@dataclass(frozen=True, slots=True)
class Assembled:
    """A bundle, and what is to be signed about it.

    Attributes:
        path: Its file, called by its digest.
        part: What nodes run.
        lock: SHA-256 of the lock file in it; empty without one.
        needs: Modules that nodes must have besides segue itself.
    """

    path: Path
    part: EdgePart
    lock: str
    needs: tuple[str, ...]


def assemble(
    project: Project,
    fleet: str,
    folder: Path,
    *,
    wheels: Path | None = None,
    lock: Path | None = None,
) -> Assembled:
    """Cut a fleet's part out of a project and write its bundle.

    Args:
        project: The project.
        fleet: Name of the fleet.
        folder: Where the bundle goes.
        wheels: Folder with wheels that nodes may lack.
        lock: A lock file of exactly what nodes need; what the part imports, as the project
            locks it, if not stated.

    Raises:
        ProjectError: The project's files are wrong.
        UsageError: A lock file or the wheels can't be read.
    """
    made = cut(project, fleet)
    files: dict[str, bytes | Path] = {EDGE: write_edge(made.part), **made.tables}
    files |= {f"{PROJECT}/{name}": made.root / name for name in made.files}
    pins = _choose_pins(made, lock)
    if wheels is not None:
        pins |= read_wheels(wheels)
        files |= {f"{WHEELS}/{path.name}": path for path in wheels.glob("*.whl")}
    digest = ""
    if pins:
        files[LOCK] = text = write_lock(pins.values())
        digest = hashlib.sha256(text).hexdigest()
    path = write_bundle(folder, files, project=made.part.project, fleet=fleet)
    return Assembled(path, made.part, digest, find_needs(made.part, find_imported(made)))


def find_imported(made: CutPart) -> set[str]:
    """Return the modules that the files of a part import, beside the standard library."""
    return find_imports(made.root / name for name in made.files)


def _choose_pins(made: CutPart, lock: Path | None) -> dict[str, Pin]:
    if lock is not None:
        return read_pins(lock)
    if not made.lock:
        return {}
    modules = find_imported(made)
    # What segue itself needs is there wherever an agent runs, in the version that it runs with.
    own = find_packages(modules) - find_packages(_SEGUE_OWN)
    return {name: pin for name, pin in read_pins(made.root / made.lock).items() if name in own}


def find_needs(part: EdgePart, imported: Collection[str] = ()) -> tuple[str, ...]:
    """Return the modules that nodes must have besides what ``segue-agent`` brings, for a part.

    Args:
        part: The part.
        imported: Modules that its files import.
    """
    needs = {"duckdb"} if part.needs_sql else set()
    needs |= {_NUMBERS} & set(imported)
    for step in part.steps:
        if step.model:
            needs.add("onnxruntime")
        if step.function is not None:
            frames = [frame for _, frame in step.function.inputs] + [step.function.returns]
            kinds = {kind for frame in frames for kind in (frame.kind, frame.over)}
            needs |= {_FRAMES[kind] for kind in kinds if kind in _FRAMES}
            if step.by or step.sort:
                needs.add(_NUMBERS)  # it finds the rows of groups
    needs |= {_SOURCES[each.kind] for each in part.sources if each.kind in _SOURCES}
    needs |= {_DESTINATIONS[each.kind] for each in part.destinations if each.kind in _DESTINATIONS}
    return tuple(sorted(needs))
