"""Small projects, written, run and read again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import segue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def run_steps(
    folder: Path,
    place: Mapping[str, Any],
    sources: Mapping[str, pa.Table],
    steps: Mapping[str, str],
) -> dict[str, pa.Table]:
    """Run a project all of whose steps are at one place, and read what it published.

    Args:
        folder: Empty folder for the project.
        place: Keys of the place; ``engine`` is one of them.
        sources: Source tables.
        steps: Texts of the files in ``steps/``, each called like its step.

    Raises:
        SegueError: A step failed.
    """
    names = [name.rpartition(".")[0] for name in steps]
    (folder / "steps").mkdir(parents=True)
    for name, text in steps.items():
        (folder / "steps" / name).write_text(text, encoding="utf-8")
    for name, table in sources.items():
        with pa.ipc.new_file(folder / f"{name}.arrow", table.schema) as writer:
            writer.write_table(table)
    (folder / "segue.toml").write_text(_write_settings(place, sources, names), encoding="utf-8")
    with segue.load(folder) as project:
        project.run()
        return {name: project.read(name, returns="arrow") for name in names}


def _write_settings(
    place: Mapping[str, Any], sources: Mapping[str, pa.Table], steps: list[str]
) -> str:
    """Return ``segue.toml``: JSON's texts and numbers are TOML's as well."""
    lines = ["[project]", 'name = "conformance"', "[places.there]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in place.items()]
    for name in sources:
        lines += [f"[tables.{name}]", f'path = "{name}.arrow"']
    for name in steps:
        lines += [f"[steps.{name}]", 'on = "there"']
    return "\n".join([*lines, ""])
