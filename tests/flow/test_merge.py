"""Merge steps: rows inserted, updated and kept by key."""

import pytest

from segue.errors import ProjectError
from tests.flow.building import TOML, lines, source

SQL = "-- segue: {mode: merge, key: [id]}\nselect * from changes"


@pytest.fixture
def merged(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("changes", "changes.csv"),
            "changes.csv": lines("id,v", "1,a", "2,b"),
            "steps/state.sql": SQL,
        }
    )
    assert project.run()["state"] == "done"
    return project


def test_rows_are_inserted_updated_and_kept(merged):
    merged.write({"changes.csv": lines("id,v", "2,B", "3,c")})
    assert merged.run()["state"] == "done"
    assert merged.rows("state") == [(1, "a"), (2, "B"), (3, "c")]
    assert merged.run() == {"state": "up to date"}
    made = merged.recorded("state")["output"]
    assert (made["rows"], made["mode"]) == (3, "merge")


def test_files_without_a_changed_key_stay_as_they_are(merged):
    first = merged.recorded("state")["output"]["files"][0]["path"]
    merged.write({"changes.csv": lines("id,v", "3,c")})
    merged.run()
    merged.write({"changes.csv": lines("id,v", "3,C")})
    merged.run()
    files = merged.recorded("state")["output"]["files"]
    assert [file["path"] for file in files if not file["new"]] == [first]
    assert merged.rows("state") == [(1, "a"), (2, "b"), (3, "C")]


def test_same_rows_again_change_nothing(merged):
    merged.write({"changes.csv": lines("id,v", "2,b")})
    assert merged.run()["state"] == "done"
    assert merged.versions() == {"state": 1}
    assert merged.run() == {"state": "up to date"}
    merged.write({"changes.csv": "id,v\n"})
    merged.edit("steps/state.sql", "select *", "select id::bigint as id, v::text as v")
    merged.run()
    assert merged.rows("state") == [(1, "a"), (2, "b")]


def test_null_keys_meet(merged):
    merged.write({"changes.csv": lines("id,v", ",x", "1,a2")})
    merged.run()
    merged.write({"changes.csv": lines("id,v", ",y", "4,d")})
    merged.run()
    assert merged.rows("state") == [(1, "a2"), (2, "b"), (4, "d"), (None, "y")]


def test_keys_of_several_columns(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("changes", "changes.csv"),
            "changes.csv": lines("a,b,v", "1,,x", "1,2,y", ",2,z"),
            "steps/state.sql": SQL.replace("[id]", "[a, b]"),
        }
    )
    project.run()
    project.write({"changes.csv": lines("a,b,v", "1,,X", "2,2,n")})
    project.run()
    assert project.rows("state") == [(1, 2, "y"), (1, None, "X"), (2, 2, "n"), (None, 2, "z")]


def test_two_rows_for_a_key_are_refused_and_shown(merged):
    merged.write({"changes.csv": lines("id,v", "2,B", "2,C")})
    error = merged.run_error()
    assert "several rows for one key" in error
    assert "2" in error
    assert merged.rows("state") == [(1, "a"), (2, "b")]


def test_first_run_refuses_two_rows_for_a_key_too(make_project):
    project = make_project(
        {"steps/s.sql": "-- segue: {mode: merge, key: k}\nselect 1 as k from range(2)"}
    )
    assert "several rows for one key" in project.run_error()
    assert project.versions() == {}


def test_other_columns_are_refused_until_forced(merged):
    merged.edit("steps/state.sql", "select *", "select *, 1 as extra")
    error = merged.run_error()
    assert "'extra'" in error
    assert "segue run state --force" in error
    assert merged.rows("state") == [(1, "a"), (2, "b")]
    merged.run("state", force=True)
    assert merged.rows("state") == [(1, "a", 1), (2, "b", 1)]


def test_force_starts_from_nothing(merged):
    merged.write({"changes.csv": lines("id,v", "3,c")})
    merged.run("state", force=True)
    assert merged.rows("state") == [(3, "c")]


def test_missing_key_column_is_named_before_anything_runs(make_project):
    project = make_project({"steps/s.sql": "-- segue: {mode: merge, key: [day]}\nselect 1 as days"})
    with pytest.raises(ProjectError, match=r"'day'(.|\n)*did you mean 'days'"):
        project.run()


def test_python_step_merges(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("changes", "changes.csv"),
            "changes.csv": lines("id,v", "1,1", "2,2"),
            "steps/s.py": "import pandas as pd\nfrom segue import step\n\n\n"
            "@step(mode='merge', key='id')\n"
            "def state(changes: pd.DataFrame) -> pd.DataFrame:\n    return changes\n",
        }
    )
    project.run()
    project.write({"changes.csv": lines("id,v", "2,", "3,3")})
    project.run()
    assert project.rows("state") == [(1, 1), (2, None), (3, 3)]
    assert project.columns("state") == {"id": "int64", "v": "int64"}


def test_rejects_of_a_merge_add_up(merged):
    merged.write(
        {"contracts.yml": "state:\n  columns: {v: {matches: '[a-z]+'}}\n  rejects: true\n"}
    )
    merged.write({"changes.csv": lines("id,v", "2,B", "3,c")})
    merged.run()
    assert merged.rows("state") == [(1, "a"), (2, "b"), (3, "c")]
    assert merged.recorded("state")["rows"]["rejected"] == 1


def test_a_row_whose_new_version_is_set_aside_stays_only_if_it_keeps_the_contract(merged):
    merged.write({"changes.csv": lines("id,v", "2,b2", ",n")})
    assert merged.run()["state"] == "done"
    merged.write(
        {
            "contracts.yml": "state:\n  columns: {v: {matches: '[a-z]+'}}\n  rejects: true\n",
            "changes.csv": lines("id,v", "2,B", ",N"),
        }
    )
    merged.run()
    # the new versions of 2 and of the null key are bad, and the old version of 2 is, too
    assert merged.rows("state") == [(1, "a"), (None, "n")]
    assert {row[1] for row in merged.rows("state__rejects")} >= {"B", "N"}


def test_reader_of_a_merge_table_sees_it_whole(merged):
    merged.write({"steps/n.sql": "select count(*) as n from state"})
    merged.run()
    merged.write({"changes.csv": lines("id,v", "3,c")})
    merged.run()
    assert merged.rows("n") == [(3,)]
