"""`segue new`: what it writes runs at once, and explains itself."""

import json
import shutil
import subprocess
import sys
import tomllib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from segue.cli.main import run_command
from segue.project import load
from tests.unit.cli.golden import assert_golden

CSV = """Order ID,zip,amount,group,bought at
1,00123,10.50,a,2026-01-02 10:00:00
2,20100,,b,2026-01-03 11:30:00
3,90210,7.25,a,2026-01-04 12:00:00
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_result_is_told(here, capsys):
    assert run_command(["new", "shop"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert_golden("new", "".join(f"{line.rstrip()}\n" for line in lines))


def test_sample_runs_at_once_and_then_has_nothing_to_do(here, capsys):
    assert run_command(["new", "shop"]) == 0
    assert run_command(["run", "--project", "shop", "--json"]) == 0
    capsys.readouterr()
    with load("shop") as project:
        assert project.run().run_id == ""
        orders = project.read("orders").num_rows
        aside = project.read("orders__rejects").num_rows
        kept = project.query("select count(*) as n from raw_orders where status <> 'cancelled'")
        assert aside == 3
        assert orders + aside == kept["n"][0].as_py()
        assert project.read("daily").num_rows > 0


def test_tests_of_the_sample_pass(here):
    assert run_command(["new", "shop"]) == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=here / "shop",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_own_file(here, capsys):
    (here / "Sales 2026.csv").write_text(CSV)
    assert run_command(["new", "shop", "--from", "Sales 2026.csv", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["shows"] == "sales_2026_clean"
    assert set(answer["files"]) == {
        ".gitignore",
        "README.md",
        "conftest.py",
        "contracts.yml",
        "segue.toml",
        "steps/sales_2026_clean.sql",
    }
    settings = tomllib.loads((here / "shop" / "segue.toml").read_text())
    assert settings["tables"] == {"sales_2026": {"path": "../Sales 2026.csv"}}
    contract = yaml.safe_load((here / "shop" / "contracts.yml").read_text())
    assert set(contract["sales_2026_clean"]["columns"]) == {
        "Order ID",
        "zip",
        "amount",
        "group",
        "bought at",
    }
    with load("shop") as project:
        project.run()
        rows = project.read("sales_2026_clean")
    assert rows["zip"].to_pylist() == ["00123", "20100", "90210"]
    assert rows["amount"].to_pylist() == [10.5, None, 7.25]


def test_first_step_quotes_only_odd_names(here):
    (here / "sales.csv").write_text(CSV)
    assert run_command(["new", "shop", "--from", "sales.csv"]) == 0
    assert (here / "shop" / "steps" / "sales_clean.sql").read_text() == (
        "-- sales, column by column: rename, convert, or leave out here.\n"
        'select\n    "Order ID",\n    zip,\n    amount,\n    "group",\n    "bought at"\n'
        "from sales\n"
    )


@pytest.mark.parametrize(
    "name", ["été.csv", "2026.jsonl", "select.csv", "a.b.csv", "it's.csv", "[x].csv", "semi.csv"]
)
def test_odd_names_of_files(here, name):
    (here / name).write_text('{"a": 1}\n' if name.endswith("jsonl") else "a,b\n1,2\n")
    assert run_command(["new", "shop", "--from", name]) == 0
    assert run_command(["run", "--project", "shop"]) == 0


def test_copy_makes_the_project_stand_alone(here):
    pq.write_table(pa.table({"id": [1, 2], "name": ["a", "b"]}), here / "people.parquet")
    assert run_command(["new", "crm", "--from", "people.parquet", "--copy"]) == 0
    (here / "people.parquet").unlink()
    shutil.move(here / "crm", here / "elsewhere")
    with load("elsewhere") as project:
        project.run()
        assert project.read("people_clean").num_rows == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["full"], "not empty"),
        (["shop", "--from", "nothing.csv"], "no file nothing.csv"),
        (["shop", "--copy"], "--from"),
        (["shop", "--from", "notes.docx"], "notes.docx"),
        (["!!!"], "no name"),
    ],
)
def test_mistakes_leave_nothing_behind(here, capsys, arguments, words):
    (here / "full").mkdir()
    (here / "full" / "mine.txt").write_text("mine")
    (here / "notes.docx").write_bytes(b"PK")
    before = sorted(here.rglob("*"))
    assert run_command(["new", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


def test_a_file_that_can_not_be_read_ends_in_one_message(tmp_path):
    """In a process of its own, for what libraries say at its end is seen by users, too."""
    (tmp_path / "odd.csv").write_bytes(b"a,b\n1,caf\xe9\n")
    command = [sys.executable, "-m", "segue", "new", "shop", "--from", "odd.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "byte 0xe9 is not UTF-8" in done.stderr
    assert "[tables.odd]" in done.stderr
    assert len(done.stderr.splitlines()) < 6


def test_empty_folder_may_be_there(here):
    (here / "shop").mkdir()
    assert run_command(["new", "shop"]) == 0
    assert (here / "shop" / "segue.toml").is_file()


def test_wheel_holds_the_templates():
    from importlib.resources import files

    names = {path.name for path in (files("segue.cli") / "templates" / "project").iterdir()}
    assert "segue.toml.template" in names
