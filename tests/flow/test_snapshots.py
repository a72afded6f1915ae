"""Snapshots: what readers see, then and now; history and vacuum."""

import shutil

import pytest

from segue.errors import SegueError
from segue.project import load
from tests.flow.building import TOML, lines, source


@pytest.fixture
def versioned(make_project):
    """Return a project of two tables after three runs; `fixed` is the same in all."""
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines("n", "1"),
            "steps/moving.sql": "select n from raw",
            "steps/fixed.sql": "select 7 as n",
            "steps/seen.sql": "-- segue: {mode: view}\nselect n + 100 as n from moving",
        }
    )
    project.run()
    for n in (2, 3):
        project.write({"raw.csv": lines("n", str(n))})
        project.run()
    return project


def test_older_snapshots_stay_readable(versioned):
    assert [versioned.rows("moving", snapshot=n) for n in (1, 2, 3)] == [[(1,)], [(2,)], [(3,)]]
    assert versioned.rows("fixed", snapshot=1) == versioned.rows("fixed", snapshot=3) == [(7,)]
    assert versioned.rows("seen", snapshot=2) == [(102,)]
    for number in (0, 4, -1):
        with pytest.raises(SegueError):
            versioned.rows("moving", snapshot=number)


def test_table_that_did_not_change_gets_no_version(versioned):
    assert versioned.versions() == {"moving": 3, "fixed": 1}
    assert [each.number for each in versioned.project.history("fixed")] == [1]
    assert [each.rows for each in versioned.project.history("moving")] == [1, 1, 1]
    runs = [run.run_id for run in reversed(versioned.project.runs())]
    assert [each.run_id for each in versioned.project.history("moving")] == runs


def test_forced_run_of_the_same_rows_makes_no_snapshot(versioned):
    before = versioned.lake_files()
    result = versioned.project.run(force=True)
    assert (result.status, result.snapshot) == ("done", None)
    assert versioned.versions() == {"moving": 3, "fixed": 1}
    assert {name for name in versioned.lake_files() if name.endswith(".parquet")} == {
        name for name in before if name.endswith(".parquet")
    }


def test_vacuum_deletes_what_only_old_snapshots_need(versioned):
    planned = versioned.project.vacuum(keep=1, dry_run=True)
    assert len(planned.files) == 2
    assert versioned.rows("moving", snapshot=1) == [(1,)]
    assert versioned.project.vacuum(keep=1).files == planned.files
    assert versioned.rows("moving") == [(3,)]
    assert versioned.rows("fixed") == [(7,)]
    assert versioned.project.vacuum(keep=1).files == ()
    with pytest.raises(SegueError) as raised:
        versioned.rows("moving", snapshot=1)
    assert "vacuum" in str(raised.value) or "snapshot" in str(raised.value)
    assert set(versioned.run().values()) == {"up to date"}


def test_vacuum_keeps_as_many_as_are_asked_for(versioned):
    versioned.project.vacuum(keep=2)
    assert versioned.rows("moving", snapshot=2) == [(2,)]
    with pytest.raises(SegueError):
        versioned.rows("moving", snapshot=1)


@pytest.mark.parametrize("keep", [0, -1])
def test_vacuum_never_takes_what_readers_see(versioned, keep):
    versioned.project.vacuum(keep=keep)
    assert versioned.rows("moving") == [(3,)]


def test_vacuum_keeps_the_files_of_append_tables(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "in/*.csv"),
            "in/1.csv": lines("n", "1"),
            "steps/all_rows.sql": "-- segue: {mode: append}\nselect n from raw",
        }
    )
    project.run()
    for n in (2, 3, 4):
        project.write({f"in/{n}.csv": lines("n", str(n))})
        project.run()
    project.project.vacuum(keep=1)
    assert project.rows("all_rows") == [(1,), (2,), (3,), (4,)]
    project.write({"in/5.csv": lines("n", "5")})
    project.run()
    assert len(project.rows("all_rows")) == 5


def test_step_that_is_gone_stays_readable_and_is_kept_by_vacuum(versioned):
    versioned.write({"steps/fixed.sql": None})
    versioned.project.vacuum(keep=1)
    assert versioned.rows("fixed") == [(7,)]


def test_recover_has_nothing_to_do_after_good_runs(versioned):
    files = versioned.lake_files()
    assert versioned.project.recover() == ()
    assert versioned.lake_files() == files


def test_lost_ledger_is_rebuilt(versioned):
    versioned.close()
    for path in (versioned.root / "lake").glob("ledger.db*"):
        path.unlink()
    versioned.project.rebuild()
    assert versioned.rows("moving") == [(3,)]
    assert versioned.rows("fixed") == [(7,)]
    versioned.write({"raw.csv": lines("n", "4")})
    versioned.run()
    assert versioned.rows("moving") == [(4,)]
    assert versioned.versions()["moving"] == 4


def test_lost_lake_is_made_again(versioned):
    versioned.close()
    shutil.rmtree(versioned.root / "lake")
    assert set(versioned.run().values()) == {"done"}
    assert versioned.versions() == {"moving": 1, "fixed": 1}


def test_two_loaded_projects_see_each_others_runs(versioned):
    with load(versioned.root) as one, load(versioned.root) as other:
        assert one.read("moving", "rows") == [{"n": 3}]
        versioned.write({"raw.csv": lines("n", "4")})
        other.run()
        assert one.read("moving", "rows") == [{"n": 4}]
        assert one.run().run_id == ""


def test_loaded_project_sees_sources_as_they_are_and_code_as_it_was_loaded(versioned):
    with load(versioned.root) as project:
        versioned.edit("steps/moving.sql", "select n", "select n * 2 as n")
        versioned.write({"raw.csv": lines("n", "5")})
        project.run()
        assert project.read("moving", "rows") == [{"n": 5}]
    with load(versioned.root) as project:
        project.run()
        assert project.read("moving", "rows") == [{"n": 10}]


def test_python_edits_are_seen_by_the_next_load_of_the_same_process(make_project):
    code = "from segue import step\nfrom helper import N\n\n\n@step\ndef one() -> list[dict]:\n"
    project = make_project(
        {"steps/a.py": f"{code}    return [{{'n': N}}]\n", "helper.py": "N = 1\n"}
    )
    project.run()
    project.write({"helper.py": "N = 2\n"})
    assert project.run() == {"one": "done"}
    assert project.rows("one") == [(2,)]
    project.edit("steps/a.py", "'n': N", "'n': N + 1")
    project.run()
    assert project.rows("one") == [(3,)]


def test_two_projects_of_one_process_have_modules_of_their_own(make_project):
    code = (
        "from segue import step\nimport helper\n\n\n@step\ndef one() -> list[dict]:\n"
        "    return [{'n': helper.N}]\n"
    )
    made = [
        make_project({"steps/a.py": code, "helper.py": f"N = {n}\n"}, folder=f"p{n}")
        for n in (1, 2)
    ]
    first, second = (each.project for each in made)
    second.run()
    first.run()
    assert (made[0].rows("one"), made[1].rows("one")) == ([(1,)], [(2,)])


def test_query_reads_tables_views_and_sources_together(versioned):
    found = versioned.project.query(
        "select raw.n as r, m.n as m, seen.n as s from raw, moving m, seen, fixed", "rows"
    )
    assert found == [{"r": 3, "m": 3, "s": 103}]
    for frame in ("pandas", "polars", "arrow"):
        assert len(versioned.project.query("select * from moving", frame)) == 1
    for sql in ("select", "select * from nothing", "drop table moving", "select 1; select 2"):
        with pytest.raises(SegueError):
            versioned.project.query(sql)
    with pytest.raises(SegueError):
        versioned.project.read("moving", "numpy")
