"""Append steps: each row of a growing input once, whatever else happens."""

import os

import pytest

from tests.flow.building import TOML, Built, lines, source

IMPORTS = "import polars as pl\nfrom segue import step\n\n\n"
SQL = "-- segue: {mode: append}\nselect id, v * 2 as w from events"


@pytest.fixture
def growing(make_project):
    """Return a project whose append step has taken one file."""
    project = make_project(
        {
            "segue.toml": TOML + source("events", "in/*.csv"),
            "in/a.csv": lines("id,v", "1,10", "2,20"),
            "steps/taken.sql": SQL,
        }
    )
    assert project.run()["taken"] == "done"
    return project


def test_only_new_files_are_read(growing):
    growing.write({"in/b.csv": lines("id,v", "3,30")})
    assert growing.plan() == {"taken": "run: input changed: 1 new file in events"}
    growing.run()
    assert growing.rows("taken") == [(1, 20), (2, 40), (3, 60)]
    made = growing.recorded("taken")
    assert made["rows"]["made"] == 1
    assert made["output"]["rows"] == 3
    assert [file["new"] for file in made["output"]["files"]] == [False, True]
    assert growing.run() == {"taken": "up to date"}


def test_nothing_new_is_nothing_to_do(growing):
    before = growing.versions()
    assert growing.run() == {"taken": "up to date"}
    assert growing.versions() == before


def test_archived_files_leave_their_rows(growing):
    growing.write({"in/b.csv": lines("id,v", "3,30"), "in/a.csv": None})
    growing.run()
    assert growing.rows("taken") == [(1, 20), (2, 40), (3, 60)]
    growing.write({"in/c.csv": lines("id,v", "4,40"), "in/b.csv": None})
    growing.run()
    assert len(growing.rows("taken")) == 4


def test_file_that_comes_back_from_the_archive_is_not_taken_twice(growing):
    path = growing.root / "in/a.csv"
    times = path.stat()
    growing.write({"in/b.csv": lines("id,v", "3,30"), "in/a.csv": None})
    growing.run()
    growing.write({"in/a.csv": lines("id,v", "1,10", "2,20")})
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    growing.run()
    assert growing.rows("taken") == [(1, 20), (2, 40), (3, 60)]


def test_moved_project_has_nothing_new(growing):
    growing.close()
    root = growing.root.rename(growing.root.with_name("elsewhere"))
    assert Built(root).run() == {"taken": "up to date"}


def test_rewritten_file_blocks_and_force_builds_anew(growing):
    growing.write({"in/a.csv": lines("id,v", "1,11"), "in/b.csv": lines("id,v", "2,20")})
    assert growing.plan()["taken"].startswith("blocked: rewritten: ")
    assert "a.csv" in growing.plan()["taken"]
    with pytest.raises(Exception, match="rewritten"):
        growing.run()
    assert growing.rows("taken") == [(1, 20), (2, 40)]
    growing.run("taken", force=True)
    assert growing.rows("taken") == [(1, 22), (2, 40)]
    assert growing.run() == {"taken": "up to date"}


def test_changed_code_waits_for_new_rows(growing):
    growing.edit("steps/taken.sql", "v * 2", "v * 3")
    assert growing.run() == {"taken": "up to date"}
    assert "takes effect on new rows" in growing.plan()["taken"]
    growing.write({"in/b.csv": lines("id,v", "3,30")})
    growing.run()
    assert growing.rows("taken") == [(1, 20), (2, 40), (3, 90)]
    growing.run("taken", force=True)
    assert growing.rows("taken") == [(1, 30), (2, 60), (3, 90)]


def test_new_file_without_rows_is_used_up(growing):
    growing.write({"in/b.csv": "id,v\n"})
    growing.run()
    assert len(growing.rows("taken")) == 2
    assert growing.run() == {"taken": "up to date"}
    growing.write({"in/c.csv": lines("id,v", "3,30")})
    assert growing.plan()["taken"] == "run: input changed: 1 new file in events"


def test_other_columns_are_refused_and_the_table_stays(growing):
    growing.edit("steps/taken.sql", "v * 2 as w", "v::text as w")
    growing.write({"in/b.csv": lines("id,v", "3,30")})
    error = growing.run_error()
    assert "'w' is string, and int64 in the table" in error
    assert "--force" in error
    assert growing.rows("taken") == [(1, 20), (2, 40)]


def test_readers_of_an_append_table_append_its_new_rows(growing):
    growing.write(
        {
            "steps/next.py": IMPORTS + "@step(mode='append')\n"
            "def next(taken: pl.DataFrame) -> pl.DataFrame:\n"
            "    return taken.with_columns(seen=pl.lit(taken.height))\n",
            "steps/total.sql": "select sum(w)::bigint as w from taken",
        }
    )
    growing.run()
    assert growing.rows("next") == [(1, 20, 2), (2, 40, 2)]
    growing.write({"in/b.csv": lines("id,v", "3,30")})
    assert growing.run() == {"events": "done", "taken": "done", "next": "done", "total": "done"}
    assert growing.rows("next") == [(1, 20, 2), (2, 40, 2), (3, 60, 1)]
    assert growing.rows("total") == [(120,)]
    assert set(growing.run().values()) == {"up to date"}


def test_forced_append_table_blocks_those_that_appended_it(growing):
    growing.write({"steps/next.sql": "-- segue: {mode: append}\nselect id from taken"})
    growing.run()
    growing.edit("steps/taken.sql", "v * 2", "v * 3")
    growing.run("taken", force=True)
    assert growing.plan()["next"].startswith("blocked: rewritten: ")
    growing.run("next", force=True)
    assert growing.rows("next") == [(1,), (2,)]
    assert set(growing.run().values()) == {"up to date"}
    assert set(growing.run("taken+", force=True).values()) == {"done"}
    assert growing.rows("next") == [(1,), (2,)]


def test_new_files_are_read_with_the_types_of_the_whole_source(growing):
    """Files of a day may hold whole numbers, or nothing, in a column of fractions."""
    growing.write(
        {
            "in/a.csv": lines("id,v,note", "1,1.5,x"),
            "steps/taken.sql": "-- segue: {mode: append}\nselect * from events",
        }
    )
    growing.run(force=True)
    growing.write({"in/b.csv": lines("id,v,note", "2,2,")})
    assert growing.run()["taken"] == "done"
    growing.write({"in/c.csv": lines("id,v,note", "3,,7")})
    assert growing.run()["taken"] == "done"
    assert growing.rows("taken") == [(1, 1.5, "x"), (2, 2.0, None), (3, None, "7")]


def test_each_growing_input_gives_only_its_new_rows(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("a", "a/*.csv") + source("b", "b/*.csv"),
            "a/1.csv": lines("id", "1"),
            "b/1.csv": lines("id", "2"),
            "steps/all_rows.sql": "-- segue: {mode: append}\n"
            "select 'a' as which, id from a union all select 'b', id from b",
            "steps/counted.py": IMPORTS + "@step(mode='append')\n"
            "def counted(a: pl.DataFrame, b: list[dict]) -> list[dict]:\n"
            "    return [{'a': a.height, 'b': len(b)}]\n",
        }
    )
    project.run()
    project.write({"b/2.csv": lines("id", "3")})
    project.run()
    assert project.rows("all_rows") == [("a", 1), ("b", 2), ("b", 3)]
    assert project.rows("counted") == [(0, 1), (1, 1)]
    project.write({"a/2.csv": lines("id", "4"), "b/3.csv": lines("id", "5")})
    project.run()
    assert project.rows("all_rows") == [("a", 1), ("a", 4), ("b", 2), ("b", 3), ("b", 5)]
    assert project.rows("counted") == [(0, 1), (1, 1), (1, 1)]


def test_lookup_tables_are_read_whole_and_start_nothing(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("events", "in/*.csv") + source("names", "names.csv"),
            "in/a.csv": lines("id", "1"),
            "names.csv": lines("id,name", "1,one", "2,two"),
            "steps/named.sql": "-- segue: {mode: append}\n"
            "select id, name from events left join names using (id)",
        }
    )
    project.run()
    project.write({"names.csv": lines("id,name", "1,ONE", "2,TWO")})
    assert project.run() == {"named": "up to date"}
    project.write({"in/b.csv": lines("id", "2")})
    project.run()
    assert project.rows("named") == [(1, "one"), (2, "TWO")]


def test_append_without_a_growing_input_adds_whenever_it_changes(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("state", "state.csv"),
            "state.csv": lines("n", "1"),
            "steps/log.sql": "-- segue: {mode: append}\nselect n from state",
        }
    )
    project.run()
    assert project.run() == {"log": "up to date"}
    project.write({"state.csv": lines("n", "2")})
    project.run()
    assert project.rows("log") == [(1,), (2,)]


def test_through_a_view(growing):
    growing.write(
        {
            "steps/big.sql": "-- segue: {mode: view}\nselect * from events where v > 10",
            "steps/bigs.sql": "-- segue: {mode: append}\nselect id from big",
        }
    )
    growing.run()
    growing.write({"in/b.csv": lines("id,v", "3,30", "4,1")})
    growing.run()
    assert growing.rows("bigs") == [(2,), (3,)]


def test_with_rejects(growing):
    growing.write(
        {"contracts.yml": "taken:\n  columns: {w: {between: [0, 30]}}\n  rejects: true\n"}
    )
    growing.run("taken", force=True)
    assert growing.rows("taken") == [(1, 20)]
    growing.write({"in/b.csv": lines("id,v", "3,5", "4,50")})
    assert growing.run()["taken"] == "done"
    assert growing.rows("taken") == [(1, 20), (3, 10)]
    assert [row[:2] for row in growing.rows("taken__rejects")] == [(2, 40), (4, 100)]
    assert growing.recorded("taken")["rows"]["made"] == 1
    assert growing.recorded("taken")["rows"]["rejected"] == 1
    assert growing.run() == {"taken": "up to date"}


def test_all_new_rows_rejected(growing):
    growing.write(
        {
            "contracts.yml": "taken:\n  columns: {w: {between: [0, 100]}}\n  rejects: true\n",
            "in/b.csv": lines("id,v", "3,500"),
        }
    )
    growing.run()
    assert growing.rows("taken") == [(1, 20), (2, 40)]
    assert [row[:2] for row in growing.rows("taken__rejects")] == [(3, 1000)]


def test_unique_counts_over_old_and_new_rows(growing):
    growing.write({"contracts.yml": "taken:\n  columns: {id: {unique: true}}\n"})
    growing.write({"in/b.csv": lines("id,v", "2,30")})
    assert growing.run()["taken"] == "contract failed"
    assert len(growing.rows("taken")) == 2
    growing.write({"in/b.csv": lines("id,v", "3,30")})
    assert growing.run()["taken"] == "done"
    assert growing.rows("taken") == [(1, 20), (2, 40), (3, 60)]


def test_source_with_rejects(growing):
    growing.write(
        {
            "contracts.yml": "events:\n  columns: {v: {between: [0, 100]}}\n  rejects: true\n",
            "in/b.csv": lines("id,v", "3,30", "4,400"),
        }
    )
    growing.run()
    assert growing.rows("taken") == [(1, 20), (2, 40), (3, 60)]


def test_failed_append_is_tried_again_with_the_same_rows(growing):
    growing.write(
        {"in/b.csv": lines("id,v", "3,30"), "steps/bad.sql": "select error('x') from taken"}
    )
    assert growing.run()["taken"] == "done"
    assert growing.rows("taken") == [(1, 20), (2, 40)]
    growing.write({"steps/bad.sql": "select count(*) as n from taken"})
    assert growing.plan()["taken"].startswith("reuse: staged earlier")
    assert growing.run()["taken"] == "reused"
    assert growing.rows("taken") == [(1, 20), (2, 40), (3, 60)]
    assert growing.rows("bad") == [(3,)]


def test_rows_that_come_after_a_failed_append_are_not_lost(growing):
    growing.write(
        {"in/b.csv": lines("id,v", "3,30"), "steps/bad.sql": "select error('x') from taken"}
    )
    growing.run()
    growing.write({"in/c.csv": lines("id,v", "4,40"), "steps/bad.sql": None})
    growing.run()
    assert growing.rows("taken") == [(1, 20), (2, 40), (3, 60), (4, 80)]
    assert growing.run() == {"taken": "up to date"}


def test_step_in_a_process_of_its_own_sees_only_new_good_rows(growing):
    growing.write(
        {
            "contracts.yml": "events:\n  columns: {v: {between: [0, 100]}}\n  rejects: true\n",
            "steps/taken.sql": None,
            "steps/taken.py": "from segue import step\n\n\n@step(mode='append', timeout='60s')\n"
            "def taken(events: list[dict]) -> list[dict]:\n"
            "    return [{'id': row['id'], 'w': row['v'] * 2} for row in events]\n",
            "in/b.csv": lines("id,v", "3,30", "4,400"),
        }
    )
    growing.run()
    assert growing.rows("taken") == [(1, 20), (2, 40), (3, 60)]
    assert growing.recorded("taken")["rows"]["read"] == {"events": 1}
