"""An idle agent is small: its two processes load what waiting takes, and nothing else."""

import json
import shutil
import time

import psutil
import pytest

from segue.project.edge import cut
from segue.spec.edge_codec import write_edge
from segue.testing.fleet import LocalFleet
from tests.edge_project import write_settings

MOST = 60 * 10**6
"""Resident bytes of both processes, pages that they share counted twice."""

SETTINGS = write_settings('n = "int64", celsius = "float64"')
TELL = """
import atexit, json, os, sys
def tell():
    path = os.path.join(os.environ["TOLD"], f"{os.getpid()}.json")
    with open(path, "w") as file:
        json.dump(sorted(sys.modules), file)
atexit.register(tell)
"""
NEITHER = {
    *("argparse", "asyncio", "bz2", "click", "concurrent.futures", "csv", "deltalake", "duckdb"),
    *("importlib.metadata", "logging", "lzma", "numpy", "pandas", "pkgutil", "polars", "psutil"),
    *("pyarrow", "pydantic", "requests", "rich", "shutil", "sqlalchemy", "sqlglot", "tempfile"),
    *("traceback", "tuf", "urllib3", "yaml", "zipfile", "zoneinfo"),
    *("cryptography.hazmat.primitives.serialization", "cryptography.x509"),
    *("segue.agent.fill_process", "segue.agent.pack", "segue.agent.probation", "segue.cli.main"),
    *("segue.agent.spool.salvage", "segue.frames", "segue.wire.bundle", "segue.wire.deployment"),
}
"""Modules that neither process has any use for until something happens."""

NO_WORKER = {"_hashlib", "cryptography", "email", "http", "secrets", "socket", "ssl", "subprocess"}
"""Modules that only the process has that speaks to the hub."""


def wait_until(holds, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def read_status(home):
    try:
        return json.loads((home / "status.json").read_text())
    except (FileNotFoundError, ValueError):
        return {"worker": 0, "linked": False, "status": {"healthy": False}}


@pytest.fixture(scope="module")
def idle(tmp_path_factory):
    """Run an agent until it has nothing to do; return what its processes held and loaded."""
    folder = tmp_path_factory.mktemp("idle")
    project, slot, told, lines = (folder / name for name in ("p", "1", "told", "lines"))
    for each in (project, slot, told, lines, folder / "hook"):
        each.mkdir()
    (lines / "empty.jsonl").touch()
    (project / "segue.toml").write_text(SETTINGS)
    (folder / "hook" / "sitecustomize.py").write_text(TELL)
    variables = {"READINGS": str(lines), "TOLD": str(told), "PYTHONPATH": str(folder / "hook")}
    with LocalFleet(project, folder / "homes") as fleet:
        made = cut(project, "shops")
        (slot / "edge.json").write_bytes(write_edge(made.part))
        fleet.start_hub()
        fleet.enrol("till-7")
        home = fleet.home("till-7")
        fleet.start_agent("till-7", "--slot", slot, **variables)
        wait_until(lambda: read_status(home)["status"]["healthy"] and read_status(home)["linked"])
        found = read_status(home)
        pids = {"supervisor": found["pid"], "worker": found["worker"]}
        held = {name: psutil.Process(pid).memory_info().rss for name, pid in pids.items()}
    modules = {
        name: set(json.loads((told / f"{pid}.json").read_text())) for name, pid in pids.items()
    }
    shutil.rmtree(folder)
    return held, modules


def test_an_idle_agent_loads_what_waiting_takes(idle):
    _, modules = idle
    assert {"segue.agent.supervise", "ssl"} <= modules["supervisor"]
    assert {"segue.agent.work.flow", "segue.agent.sources.tail"} <= modules["worker"]
    assert NEITHER & modules["supervisor"] == set()
    assert (NEITHER | NO_WORKER) & modules["worker"] == set()


@pytest.mark.skipif(not psutil.LINUX, reason="other systems count other pages")
def test_an_idle_agent_is_small(idle):
    held, _ = idle
    assert sum(held.values()) < MOST, held
