"""Build the distribution ``segue-agent``: segue's code, with what a node needs and no more.

``make agent-wheel`` writes it to ``dist/``. It is the same package under the same import name,
so a machine has one of both: ``segue-agent`` has no deltalake, no SQLAlchemy and no SQL engine
of its own (``segue-agent[sql]`` brings DuckDB). Dependencies keep the bounds that segue states.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("click", "cryptography", "psutil", "pyarrow", "rich", "tuf")
EXTRAS = {"sql": ("duckdb",), "numpy": ("numpy",)}
TAKEN = ("alerts", "pandas", "polars", "narwhals", "mqtt", "serial", "kafka", "s3", "onnx")
"""Extras of segue that a node can have too."""

COPIED = ("LICENSE", "README.md", "src")


def main() -> int:
    """Write a project beside a copy of the sources, and build it."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        build = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, build / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, build / name)
        (build / "pyproject.toml").write_text(write_project(stated["project"]))
        command = [
            sys.executable,
            "-m",
            "hatchling",
            "build",
            "-t",
            "wheel",
            "-d",
            str(ROOT / "dist"),
        ]
        done = subprocess.run(command, cwd=build, check=False)
    return done.returncode


def write_project(stated: dict[str, object]) -> str:
    """Return the project's file: names, versions and entry points are segue's own."""
    extras = dict(stated["optional-dependencies"])  # type: ignore[call-overload]
    known = [*stated["dependencies"], *extras["fleet"]]  # type: ignore[misc]
    bounds = {re.split(r"[^\w-]", each)[0]: each for each in known}
    wanted = {name: [bounds[each] for each in names] for name, names in EXTRAS.items()}
    wanted |= {name: extras[name] for name in TAKEN}
    lines = [
        "[build-system]",
        'requires = ["hatchling"]',
        'build-backend = "hatchling.build"',
        "[project]",
        'name = "segue-agent"',
        f"version = {stated['version']!r}",
        'description = "Segue at a node: steps where data is born, nothing lost when links break."',
        'readme = "README.md"',
        f"license = {stated['license']!r}",
        f"requires-python = {stated['requires-python']!r}",
        f"dependencies = {[bounds[each] for each in NEEDED]!r}",
        "[project.optional-dependencies]",
        *(f"{name} = {list(values)!r}" for name, values in wanted.items()),
        "[project.scripts]",
        *(f"{name} = {target!r}" for name, target in stated["scripts"].items()),  # type: ignore[attr-defined]
    ]
    for group, points in stated["entry-points"].items():  # type: ignore[attr-defined]
        lines.append(f'[project.entry-points."{group}"]')
        lines += [f"{name} = {target!r}" for name, target in points.items()]
    return "\n".join([*lines, "[tool.hatch.build.targets.wheel]", 'packages = ["src/segue"]', ""])


if __name__ == "__main__":
    sys.exit(main())
