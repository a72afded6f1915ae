"""Small projects that benchmarks write for themselves."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.children import Child
from benchmarks.kit import segue_command


def write_project(
    folder: Path, steps: Mapping[str, str], settings: str = "", contracts: str = ""
) -> Path:
    """Write a project anew and return its folder.

    Args:
        folder: Where; what is there is removed.
        steps: Texts by file name, such as ``daily.sql``.
        settings: Tables of ``segue.toml`` after ``[project]``.
        contracts: All of ``contracts.yml``.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "steps").mkdir(parents=True)
    (folder / "segue.toml").write_text(f'[project]\nname = "bench"\n\n{settings}')
    for name, text in steps.items():
        (folder / "steps" / name).write_text(text)
    if contracts:
        (folder / "contracts.yml").write_text(contracts)
    return folder


def name_parquet(tables: Mapping[str, Path]) -> str:
    """Return the settings of source tables in Parquet files."""
    return "".join(f'[tables.{name}]\npath = "{path}"\n' for name, path in tables.items())


CHAIN = 10
"""Steps in a chain."""


def chain_steps(count: int, header: str = "") -> dict[str, str]:
    """Return one-row SQL steps, each reading the one before it, in chains."""
    steps = {}
    for number in range(count):
        source = f" from t{number - 1:04d}" if number % CHAIN else ""
        value = "n + 1 as n" if source else f"{number} as n"
        steps[f"t{number:04d}.sql"] = f"{header}select {value}{source}\n"
    return steps


def unite(names: Iterable[str]) -> str:
    """Return a SELECT over the rows of all tables."""
    return "\nunion all by name ".join(f"select * from {name}" for name in names) + "\n"


def forget_lake(folder: Path) -> None:
    """Remove all that a project has published."""
    shutil.rmtree(folder / "lake", ignore_errors=True)


def run_anew(project: Path) -> Child:
    """Return `segue run` of a project that has published nothing."""
    return Child(segue_command("run"), cwd=project, prepare=lambda: forget_lake(project))
