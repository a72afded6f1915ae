"""What ``segue-agent`` installs is enough for a node of Python steps: nothing else is loaded."""

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from packages.agent import NEEDED
from packages.trim import trim
from segue.agent.spool import Spool
from segue.project.edge import cut
from segue.spec.edge_codec import write_edge
from tests.edge_project import write_settings
from tests.fences.test_core_install import HIDE, find_core

LEAST = 50_000_000
"""Bytes of an installed Arrow, at least, that nothing on a node loads."""

COLUMNS = 'n = "int64", celsius = "float64", at = "timestamp", tags = "list<float32>"'
SETTINGS = write_settings(COLUMNS, steps='[steps.warm]\non = "shops"')
STEP = """
from segue import step


@step(schema="n: int64, warm: bool", window={"column": "at", "size": "1m"})
def warm(readings: list[dict]) -> list[dict]:
    return [{"n": each["n"], "warm": each["celsius"] > 0} for each in readings]
"""


def find_hidden():
    """Return the modules of all that a node does not install."""
    needed = find_core(NEEDED)
    return {
        module
        for module, owners in packages_distributions().items()
        if module != "segue"
        and not any(owner.lower().replace("_", "-") in needed for owner in owners)
    }


def make_slot(folder: Path) -> Path:
    project, slot = folder / "p", folder / "slots" / "1"
    (project / "steps").mkdir(parents=True)
    (project / "segue.toml").write_text(SETTINGS)
    (project / "steps" / "warm.py").write_text(STEP)
    made = cut(project, "shops")
    slot.mkdir(parents=True)
    (slot / "edge.json").write_bytes(write_edge(made.part))
    for name in made.files:
        (slot / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / name, slot / "project" / name)
    return slot


@pytest.fixture(params=["installed", "trimmed"])
def packages(request, tmp_path):
    """Return a folder of packages that counts first: empty, or with the Arrow of an image."""
    folder = tmp_path / "packages"
    folder.mkdir()
    if request.param == "trimmed":
        arrow = Path(find_spec("pyarrow").origin).parent
        shutil.copytree(arrow, folder / "pyarrow", copy_function=link)
        assert trim(folder) > LEAST
        assert find_spec("pyarrow.tests"), "what is installed here stays whole"
    return folder


def link(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def test_a_node_needs_neither_deltalake_nor_a_sql_engine(tmp_path, packages):
    hidden = find_hidden()
    assert {"numpy", "deltalake", "duckdb", "sqlalchemy", "pydantic", "pandas", "sqlglot"} <= hidden
    slot, home, lines = make_slot(tmp_path), tmp_path / "home", tmp_path / "lines"
    for folder in (home, lines):
        folder.mkdir()
    rows = [
        {"n": n, "celsius": n - 1, "at": f"2026-11-01T10:00:0{n}Z", "tags": [n]} for n in (1, 2)
    ]
    (lines / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def run(program, *arguments):
        begin = HIDE.rpartition("from segue.cli.main")[0]
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", "READINGS": str(lines)}
        environment["PYTHONPATH"] = str(packages)
        done = subprocess.run(
            [sys.executable, "-c", begin + program, ",".join(sorted(hidden)), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    worker = "from segue.agent.worker import main\nsys.exit(main(sys.argv[1:]))"
    run(worker, "--home", str(home), "--slot", str(slot), "--once")
    command = "from segue.cli.main import main\nmain()"
    assert "2 rows" in run(command, "agent", "spool", "ls", "--home", str(home))
    for module in ("supervise", "send", "drain", "fill", "enrol", "install", "pack"):
        run(f"import segue.agent.{module}")
    run("import pyarrow.csv, pyarrow.json, pyarrow.ipc, pyarrow.parquet")
    with Spool(home / "spool.db", cut(tmp_path / "p", "shops").part.spool) as spool:
        (standing,) = spool.streams()
        assert (standing.stream, standing.rows) == ("warm", 2)
