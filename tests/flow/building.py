"""Small projects that a test writes, runs and looks into."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from segue.project import Project, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

TOML = '[project]\nname = "p"\n\n[places.local]\nengine = "duckdb"\nthreads = 1\n'
"""One thread: the machine runs several tests at a time."""


@dataclass
class Built:
    """A project's folder; the project is loaded when first needed, and again after each edit.

    Attributes:
        root: The folder.
    """

    root: Path
    _project: Project | None = field(default=None, repr=False)

    @property
    def project(self) -> Project:
        """The project as its files are now."""
        if self._project is None:
            self._project = load(self.root)
        return self._project

    def write(self, files: Mapping[str, str | bytes | None]) -> Self:
        """Write files by path; None removes one. A rewritten file gets another time."""
        self.close()
        for name, content in files.items():
            path = self.root / name
            if content is None:
                path.unlink()
                continue
            before = path.stat().st_mtime_ns if path.exists() else 0
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            if path.stat().st_mtime_ns <= before:
                os.utime(path, ns=(before + 1_000_000, before + 1_000_000))
        return self

    def edit(self, name: str, old: str, new: str) -> Self:
        """Replace a text in a file."""
        text = (self.root / name).read_text()
        assert old in text
        return self.write({name: text.replace(old, new)})

    def close(self) -> None:
        """Close the project."""
        if self._project is not None:
            self._project.close()
            self._project = None

    def run(self, *select: str, **options: Any) -> dict[str, str]:
        """Run, and return what became of each step; failures are in it, too."""
        result = self.project.run(*select, check=False, **options)
        return {outcome.step: str(outcome.status) for outcome in result.outcomes}

    def run_error(self, *select: str, **options: Any) -> str:
        """Return the error of a run that has to fail."""
        result = self.project.run(*select, check=False, **options)
        assert result.error is not None
        return str(result.error)

    def plan(self, *select: str, **options: Any) -> dict[str, str]:
        """Return what would be done with each step, and why, in the words that users read."""
        steps = self.project.plan(*select, **options).plan.steps
        return {
            step.name: f"{step.action}: {'; '.join(map(str, step.reasons))}".removesuffix(": ")
            for step in steps
        }

    def to_do(self, *select: str, **options: Any) -> set[str]:
        """Return the steps that would run."""
        return {step.name for step in self.project.plan(*select, **options).plan.work}

    def rows(self, table: str, **options: Any) -> list[tuple[Any, ...]]:
        """Return a table's rows as sorted tuples."""
        return as_tuples(self.project.read(table, "rows", **options))

    def columns(self, table: str) -> dict[str, str]:
        """Return a table's columns and Arrow types."""
        return {each.name: str(each.type) for each in self.project.read(table).schema}

    def recorded(self, step: str, run: str = "last") -> dict[str, Any]:
        """Return what a run's record says of one step."""
        steps = self.project.record(run)["steps"]
        return next(each for each in steps if each["step"] == step)

    def versions(self) -> dict[str, int]:
        """Return the number of each published table's version."""
        return {info.name: info.version for info in self.project.tables() if info.version}

    def lake_files(self) -> dict[str, int]:
        """Return every file of the lake and its time, but for the ledger's journal."""
        lake = self.root / "lake"
        return {
            str(path.relative_to(lake)): path.stat().st_mtime_ns
            for path in lake.rglob("*")
            if path.is_file() and not path.name.endswith(("-wal", "-shm"))
        }


def as_tuples(rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return rows as sorted tuples, whatever types are among them."""
    return sorted((tuple(row.values()) for row in rows), key=lambda row: list(map(_place, row)))


def _place(value: Any) -> tuple[bool, str, Any]:
    if isinstance(value, bool | int | float):
        return False, "", value
    return value is None, type(value).__name__, str(value)


def lines(*rows: str) -> str:
    """Return lines as a file's text."""
    return "".join(f"{row}\n" for row in rows)


def source(name: str, path: str, **options: Any) -> str:
    """Return a source table's part of a ``segue.toml``."""
    more = [f"{key} = {value}" for key, value in options.items()]
    return lines("", f"[tables.{name}]", f'path = "{path}"', *more)
