"""Deployments that can't work: the worker says so before it reads a row."""

import json

import pytest

from segue.spec.edge import EdgeSource
from segue.spec.types import parse_schema
from tests.edge_slots import check, python_step, read_spool, source, sql_step, write_lines
from tests.edge_slots import write_slot as write
from tests.fleet.work.workers import run_worker

BROKEN = {
    "sql that does not bind": (
        {"steps": [sql_step("kept", "select nothing from readings")]},
        "there is no column called 'nothing'",
    ),
    "sql with other columns": (
        {"steps": [sql_step("kept", "select n from readings")]},
        "sensor",
    ),
    "a check that does not bind": (
        {"checks": (check("readings", "odd", "nothing > 1"),)},
        "there is no column called 'nothing'",
    ),
    "a module that is not Python": (
        {"steps": [python_step("kept")], "files": {"steps/kept.py": "def kept(:\n"}},
        "steps/kept.py can't be loaded",
    ),
    "a package that is missing": (
        {"steps": [python_step("kept")], "files": {"steps/kept.py": "import not_installed_here"}},
        "not_installed_here",
    ),
    "a process that is ended by its import": (
        {"steps": [python_step("kept")], "files": {"steps/kept.py": "import os; os._exit(3)"}},
        "ended with code 3",
    ),
    "a kind of source that is not there": (
        {"source": EdgeSource("readings", "psychic", {}, "json", {}, parse_schema("n: int64"))},
        "psychic",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_work_is_told_before_a_row_is_read(tmp_path, case, capfd):
    more, told = BROKEN[case]
    more = dict(more)
    (home := tmp_path / "home").mkdir()
    write_lines(tmp_path / "a.jsonl", [{"n": 1, "sensor": "s", "value": 1.0}])
    sources = [more.pop("source", source(tmp_path / "a.jsonl"))]
    slot = write(tmp_path / "1", sources, **more)
    assert run_worker(home, slot) == 1
    assert told in json.loads((home / "worker.json").read_text())["error"]
    assert told in capfd.readouterr().err
    assert not (home / "spool.db").exists() or read_spool(home) == {}
