"""kill -9 of a check: what was measured before is whole, and the next one is right."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.receivers import webhook

FILES = {
    "segue.toml": '[project]\nname = "p"\n\n[tables.raw]\npath = "raw.csv"\n',
    "raw.csv": "id,v\n1,3\n2,4\n-1,5\n",
    "steps/made.sql": "select id, v from raw",
    "rules.py": (
        "import os, signal\n\ndef rule(rows: list[dict]) -> bool:\n"
        "    if 'VICTIM' in os.environ:\n        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return True\n"
    ),
}
CONTRACT = (
    "{name}:\n  owner: o@x.test\n"
    "  columns: {{id: {{between: {{min: 0}}, unique: true}}, v: {{mean: {{between: [0, 9]}}}}}}\n"
    "  checks: [{{name: rule, python: 'rules.py:rule'}}]\n"
)
HOOK = '\n[alerts.channels.hook]\nurl = "json://127.0.0.1:${PORT}/x?cto=90&rto=90"\n'


@pytest.fixture
def start(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def call(*arguments, **more):
        return subprocess.Popen(
            [sys.executable, "-m", "segue", *arguments],
            cwd=tmp_path,
            env={**os.environ, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return call


def finish(process):
    answer, told = process.communicate()
    assert process.returncode in (0, 1), told
    return json.loads(answer)


def count_points(root):
    with closing(sqlite3.connect(root / "lake/ledger.db")) as ledger:
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
        found = ledger.execute("select check_name, count(*) from segue_measurements group by 1")
        return dict(found.fetchall())


def test_a_check_that_is_killed_while_it_measures_leaves_no_half(start, tmp_path):
    finish(start("run", "--json"))
    (tmp_path / "contracts.yml").write_text(CONTRACT.format(name="made"))
    finish(start("check", "--json"))
    before = count_points(tmp_path)
    victim = start("check", "--json", VICTIM="1")
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    assert count_points(tmp_path) == before
    (table,) = finish(start("check", "--json"))["tables"]
    assert {each["check"]: each["verdict"] for each in table["checks"]} == {
        "id between": "fail",
        "id unique": "pass",
        "v mean": "pass",
        "rule": "pass",
    }
    assert count_points(tmp_path) == {name: count + 1 for name, count in before.items()}


def test_a_check_that_is_killed_while_it_tells_is_told_by_the_next(start, tmp_path):
    (tmp_path / "segue.toml").write_text(FILES["segue.toml"] + HOOK)
    finish(start("run", "--json", PORT="1"))
    (tmp_path / "contracts.yml").write_text(CONTRACT.format(name="made"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        victim = start("check", "--json", PORT=str(silent.getsockname()[1]))
        connection, _ = silent.accept()
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        connection.close()
    assert victim.returncode == -signal.SIGKILL
    assert {*count_points(tmp_path).values()} == {1}
    with webhook() as hook:
        for expected in (1, 0):
            finish(start("check", "--json", PORT=str(hook.port)))
            assert len(hook.take()) == expected
        (tmp_path / "contracts.yml").write_text(
            CONTRACT.format(name="made").replace("{min: 0}", "{min: -9}")
        )
        for expected in (1, 0):  # well again
            finish(start("check", "--json", "--force", PORT=str(hook.port)))
            assert len(hook.take()) == expected


def test_a_check_without_a_project_leaves_nothing_when_it_is_killed(start, tmp_path):
    for name in ("segue.toml", "steps/made.sql"):
        (tmp_path / name).unlink()
    (tmp_path / "contracts.yml").write_text(CONTRACT.format(name="raw"))
    before = {str(path) for path in tmp_path.rglob("*")}
    victim = start("check", "raw.csv", "--json", VICTIM="1")
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    left = {str(path) for path in tmp_path.rglob("*") if "__pycache__" not in str(path)}
    assert left == before
    (table,) = finish(start("check", "raw.csv", "--json"))["tables"]
    assert [each["verdict"] for each in table["checks"]] == ["fail", "pass", "pass", "pass"]
