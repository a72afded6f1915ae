"""Folders and files that segue may not write or read: what is wrong is told, and the next move."""

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

NOBODY = 65534
AS_ROOT = os.geteuid() == 0
pytestmark = pytest.mark.skipif(
    AS_ROOT and shutil.which("setpriv") is None, reason="nothing is forbidden to root"
)
FILES = {
    "segue.toml": '[project]\nname = "p"\n\n[tables.raw]\npath = "raw.csv"\n',
    "raw.csv": "id\n1\n",
    "steps/made.sql": "select id from raw",
    "steps/other.sql": "select id from made",
    "contracts.yml": "made:\n  columns: {id: {required: true}}\n",
}


class Site:
    """A project of a user without rights; what is forbidden is allowed again at the end."""

    def __init__(self, root):
        self.root = root
        for name, text in FILES.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text)
        if AS_ROOT:
            for path in (root.parent, *root.parent.rglob("*")):
                os.chown(path, NOBODY, NOBODY)

    def forbid(self, name, mode):
        path = self.root / name
        for each in (*path.rglob("*"), path) if mode == "write" else (path,):
            each.chmod(0 if mode == "all" else each.stat().st_mode & 0o555)

    def ask(self, *arguments):
        user = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        become = ["setpriv", *user] if AS_ROOT else []
        told = subprocess.run(
            [*become, sys.executable, "-m", "segue", *arguments],
            cwd=self.root,
            env={**os.environ, "HOME": str(self.root.parent), "SEGUE_CACHE": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        said = told.stdout + told.stderr
        assert "segue itself failed" not in said
        assert "Traceback" not in said
        return told.returncode, said


@pytest.fixture
def site():
    with tempfile.TemporaryDirectory(prefix="segue-rights-") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "p").mkdir()
        made = Site(Path(folder) / "p")
        assert made.ask("run")[0] == 0
        yield made
        for base, folders, _ in os.walk(folder):
            for name in folders:
                Path(base, name).chmod(0o755)


LOOKS = {
    "plan": "Nothing to do",
    "run": "Nothing to do",
    "check": "1 pass",
    "read made": "1 row",
    "query 'select * from made'": "1 row",
    "tables": "just now",
    "runs": "segue run",
    "show last": "snapshot",
    "lineage": "raw (source)",
    "checks history made": "id required",
    "profile made": "1 column",
    "suggest made": "required: true",
    "recover": "Nothing to recover",
}


@pytest.mark.parametrize("folder", ["lake", "."])
def test_who_may_only_read_can_look(site, folder):
    site.forbid(folder, "write")
    for command, expected in LOOKS.items():
        code, said = site.ask(*shlex.split(command))
        assert code == 0, said
        assert expected in said


def test_who_may_only_read_sees_what_others_write_now(site):
    with closing(sqlite3.connect(site.root / "lake/ledger.db", isolation_level=None)) as writer:
        writer.execute("update segue_runs set command = 'segue run --twice'")
        site.forbid("lake", "write")
        assert (site.root / "lake/ledger.db-wal").stat().st_size
        assert "segue run --twice" in site.ask("runs")[1]


@pytest.mark.parametrize("command", ["run --force", "recover --rebuild"])
def test_a_lake_that_may_not_be_written(site, command):
    site.forbid("lake", "write")
    code, said = site.ask(*command.split())
    assert code == 1
    assert "hint: " in said
    assert "write" in said
    assert (site.root / "lake/ledger.db").exists()


def test_verdicts_that_can_not_be_kept_say_so(site):
    site.forbid("lake", "write")
    code, said = site.ask("check", "--force")
    assert code == 0
    assert "1 check of 1 table: 1 pass" in said
    assert "Not kept for the history of the checks: the ledger" in said
    assert "attempt to write a readonly database" in said
    assert '"unkept": "the ledger' in site.ask("check", "--force", "--json")[1]


def test_nobody_is_sent_to_rebuild_a_ledger_that_may_not_be_written(site):
    site.forbid("lake", "write")
    code, said = site.ask("doctor")
    assert code == 1
    assert "damaged" not in said
    assert "rebuild" not in said
    assert "the right to write there" in said


def test_a_table_that_may_not_be_looked_into_is_not_forgotten(site):
    site.forbid("lake/made", "all")
    code, said = site.ask("recover", "--rebuild")
    assert code == 1
    assert "lake/made" in said
    assert "hint: " in said
    (site.root / "lake/made").chmod(0o755)
    assert site.ask("read", "made")[0] == 0
    assert not list(site.root.glob("lake/*damaged*"))


def test_steps_that_may_not_be_listed(site):
    site.forbid("steps", "all")
    code, said = site.ask("plan")
    assert code == 2
    assert "steps: can't be read: Permission denied" in said
    assert "no table" not in said


def test_a_source_that_may_not_be_read(site):
    site.forbid("raw.csv", "all")
    code, said = site.ask("run", "--force")
    assert code == 1
    assert "raw.csv" in said
    assert "hint: may you read it?" in said


def test_records_that_may_not_be_written(site):
    site.forbid("lake/_runs", "write")
    code, said = site.ask("run", "--force")
    assert code == 1
    assert "lake/_runs can't be used: Permission denied" in said
    assert "hint: " in said
    code, said = site.ask("show", "last")
    assert code == 2
    assert "has no record" in said
    assert "did you mean 'last'" not in said


@pytest.mark.parametrize("name", ["sub", "."])
def test_a_new_project_where_nobody_may_write(site, name):
    empty = site.root / "empty"
    empty.mkdir(0o555)
    code, said = site.ask("new", str(empty / name))
    assert code == 2
    assert "empty" in said
    assert "hint: name a folder in which you may write" in said
