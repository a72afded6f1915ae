"""Folders and files that segue may not write or read: what is wrong is told, and the next move."""

import os
import shutil
import subprocess
import sys
import tempfile
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


@pytest.mark.parametrize(
    "command", ["plan", "run", "check", "read made", "tables", "recover", "recover --rebuild"]
)
def test_a_lake_that_may_not_be_written(site, command):
    site.forbid("lake", "write")
    code, said = site.ask(*command.split())
    assert code == 1
    assert "hint: " in said
    assert "write" in said
    assert (site.root / "lake/ledger.db").exists()


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
