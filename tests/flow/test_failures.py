"""Runs that fail: nothing is published, what was good is used again, the record says why."""

import json
import os
from pathlib import Path

import pytest

from segue.cli.main import run_command
from segue.errors import ContractError, SegueError, StepError
from tests.flow.building import TOML, lines, source

PYTHON = """\
from segue import step


@step
def shaky(first: list[dict]) -> list[dict]:
    return [{"n": 1 // row["n"]} for row in first]
"""


@pytest.fixture
def fork(make_project):
    """Return a project after a good run: raw -> first -> (shaky -> last, aside)."""
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines("n", "1", "2"),
            "steps/first.sql": "select n from raw",
            "steps/aside.sql": "select n * 10 as n from first",
            "steps/shaky.py": PYTHON,
            "steps/last.sql": "select sum(n)::bigint as n from shaky",
        }
    )
    assert set(project.run().values()) == {"done"}
    return project


def read_all(project):
    return {name: project.rows(name) for name in ("first", "aside", "shaky", "last")}


def test_failed_step_publishes_nothing_of_the_run(fork):
    before, versions = read_all(fork), fork.versions()
    fork.write({"raw.csv": lines("n", "5", "0")})
    assert fork.run() == {
        "raw": "done",
        "first": "done",
        "aside": "done",
        "shaky": "failed",
        "last": "blocked",
    }
    assert read_all(fork) == before
    assert fork.versions() == versions


def test_error_names_step_line_and_rows(fork):
    fork.write({"raw.csv": lines("n", "5", "0")})
    with pytest.raises(StepError) as raised:
        fork.project.run()
    assert raised.value.step == "shaky"
    assert "ZeroDivisionError" in str(raised.value)
    assert "steps/shaky.py:6" in str(raised.value)
    assert "segue/execute" not in str(raised.value)


def test_record_and_ledger_say_what_failed(fork):
    fork.write({"raw.csv": lines("n", "5", "0")})
    result = fork.project.run(check=False)
    assert (result.status, result.snapshot) == ("failed", None)
    record = json.loads(Path(result.record).read_text())
    assert record == fork.project.record()
    assert (record["status"], record["snapshot"]) == ("failed", None)
    assert "ZeroDivisionError" in record["error"]
    steps = {step["step"]: step for step in record["steps"]}
    assert steps["shaky"]["failure"]["code"] == "step-failed"
    assert steps["shaky"]["failure"]["where"].startswith("steps/shaky.py:")
    assert steps["last"]["reasons"] == ["waits for shaky"]
    assert steps["first"]["output"]["version"] is None
    newest, first = fork.project.runs()
    assert (newest.status, first.status) == ("failed", "done")
    assert newest.steps == {"done": 3, "failed": 1, "blocked": 1}


def test_only_the_failed_part_runs_after_the_fix(fork):
    fork.write({"raw.csv": lines("n", "5", "0")})
    fork.run()
    fork.edit("steps/shaky.py", '1 // row["n"]', 'row["n"] + 1')
    plan = fork.plan()
    assert plan["first"].startswith("reuse: staged earlier: by run ")
    assert fork.run() == {
        "raw": "done",
        "first": "reused",
        "aside": "reused",
        "shaky": "done",
        "last": "done",
    }
    assert read_all(fork) == {
        "first": [(0,), (5,)],
        "aside": [(0,), (50,)],
        "shaky": [(1,), (6,)],
        "last": [(7,)],
    }
    assert set(fork.run().values()) == {"up to date"}


def test_staged_results_are_dropped_when_their_inputs_change_again(fork):
    fork.write({"raw.csv": lines("n", "5", "0")})
    fork.run()
    fork.write({"raw.csv": lines("n", "4", "2")})
    assert set(fork.run().values()) == {"done"}
    assert fork.rows("first") == [(2,), (4,)]


def test_staged_results_are_dropped_when_their_code_changes(fork):
    fork.write({"raw.csv": lines("n", "5", "0")})
    fork.run()
    fork.edit("steps/first.sql", "select n from raw", "select n + 1 as n from raw")
    assert fork.run()["first"] == "done"
    assert fork.rows("first") == [(1,), (6,)]


def test_back_to_what_is_published_needs_nothing(fork):
    files = fork.root / "raw.csv"
    before = files.stat()
    fork.write({"raw.csv": lines("n", "5", "0")})
    fork.run()
    fork.write({"raw.csv": lines("n", "1", "2")})
    os.utime(files, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert set(fork.run().values()) == {"up to date"}


def test_failing_again_is_reused_again(fork):
    fork.write({"raw.csv": lines("n", "5", "0")})
    fork.run()
    assert fork.run() == {
        "raw": "done",
        "first": "reused",
        "aside": "reused",
        "shaky": "failed",
        "last": "blocked",
    }
    fork.edit("steps/shaky.py", '1 // row["n"]', 'row["n"]')
    fork.run()
    assert fork.rows("last") == [(5,)]


def test_vacuum_between_failure_and_fix_keeps_what_was_staged_or_makes_it_again(fork):
    fork.write({"raw.csv": lines("n", "5", "0")})
    fork.run()
    fork.project.vacuum(keep=1)
    fork.edit("steps/shaky.py", '1 // row["n"]', 'row["n"]')
    fork.run()
    assert fork.rows("aside") == [(0,), (50,)]


def test_sql_that_fails_while_it_runs(fork):
    fork.edit("steps/last.sql", "sum(n)::bigint", "error('no ' || sum(n)::text)::bigint")
    error = fork.run_error()
    assert "no 1" in error
    assert "steps/last.sql" in error
    assert fork.rows("last") == [(1,)]


def test_sql_that_overflows_is_an_error(fork):
    fork.edit("steps/last.sql", "sum(n)::bigint", "sum(n + 9223372036854775806)::bigint")
    assert fork.run()["last"] == "failed"


def test_sql_of_two_statements_is_refused(make_project):
    with pytest.raises(SegueError, match=r"steps/two\.sql"):
        make_project({"steps/two.sql": "select 1 as n; drop table x"}).run()


def test_failed_contract_publishes_nothing_and_shows_rows(fork):
    before = read_all(fork)
    fork.write(
        {
            "contracts.yml": "first:\n  columns: {n: {between: [0, 3]}}\n",
            "raw.csv": lines("n", "2", "70"),
        }
    )
    with pytest.raises(ContractError, match="70"):
        fork.project.run()
    assert fork.recorded("first")["status"] == "contract failed"
    assert fork.recorded("first")["measurements"][0]["sample"] == [{"n": 70}]
    assert {s["step"]: s["status"] for s in fork.project.record()["steps"]} == {
        "raw": "done",
        "first": "contract failed",
        "aside": "blocked",
        "shaky": "blocked",
        "last": "blocked",
    }
    assert read_all(fork) == before


def test_independent_parts_go_on_and_all_errors_are_kept(make_project):
    bad = "from segue import step\n\n\n@step\ndef {0}() -> list[dict]:\n    raise OSError('{0}!')\n"
    project = make_project(
        {
            "steps/a.py": bad.format("a"),
            "steps/b.py": bad.format("b"),
            "steps/c.sql": "select 1 as n",
            "steps/d.sql": "select * from c",
        }
    )
    assert project.run() == {"a": "failed", "b": "failed", "c": "done", "d": "done"}
    failures = [step["failure"] for step in project.project.record()["steps"]]
    assert [each["message"].rpartition(": ")[2] for each in failures if each] == ["a!", "b!"]


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ("None", "None"),
        ("5", "int"),
        ("'rows'", "str"),
        ("[1, 2]", "int"),
        ("[{'a': 1}, {'b': object()}]", "object"),
        ("[{'a': 1}, {'a': 'x'}]", "'a'"),
        ("{'a': [1]}", "dict"),
    ],
)
def test_results_that_are_no_table_are_refused_in_words(make_project, result, told):
    project = make_project(
        {
            "steps/bad.py": "from segue import step\n\n\n@step\n"
            f"def bad() -> list[dict]:\n    return {result}\n"
        }
    )
    error = project.run_error()
    assert "'bad'" in error
    assert told in error
    assert "Traceback" not in error


def test_exit_in_a_step_is_its_failure(make_project):
    project = make_project(
        {
            "steps/bad.py": "import sys\nfrom segue import step\n\n\n@step\n"
            "def bad() -> list[dict]:\n    sys.exit(3)\n"
        }
    )
    assert project.run() == {"bad": "failed"}
    assert project.project.record()["status"] == "failed"


COUNTED = """\
from segue import step


@step
def first(raw: list[dict]) -> list[dict]:
    return [{"n": row["n"] * 1.5} for row in raw]
"""


@pytest.mark.parametrize(
    "steps",
    [{"steps/first.sql": "select sum(n) as n from raw"}, {"steps/first.py": COUNTED}],
    ids=["sql", "python"],
)
def test_one_bad_value_that_changes_a_columns_type_is_named(make_project, steps):
    toml = TOML + source("raw", "raw.csv")
    project = make_project({"segue.toml": toml, "raw.csv": lines("n", "1", "2"), **steps})
    project.run()
    project.write({"raw.csv": lines("n", "1", "two")})
    with pytest.raises(SegueError, match=r"raw\.n is string now, and was int64 when it was read"):
        project.project.run()


def test_a_lake_that_can_not_be_made_is_told_plainly(make_project, capfd):
    lake = '\n[lake]\npath = "raw.csv/lake"\n'
    project = make_project(
        {
            "segue.toml": TOML + lake + source("raw", "raw.csv"),
            "raw.csv": lines("id", "1"),
            "steps/made.sql": "select id from raw",
        }
    )
    assert run_command(["run", "--project", str(project.root)]) == 1
    told = capfd.readouterr().err
    assert "raw.csv/lake can't be used: Not a directory" in told
    assert "segue itself failed" not in told
