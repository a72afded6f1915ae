"""Checks of new rows only: appended files, merged rows, sources that grew, and their rejects."""

import pytest

from tests.flow.building import TOML, lines, source

APPEND = "-- segue: {mode: append}\nselect id, v from events"
MERGE = "-- segue: {mode: merge, key: [id]}\nselect id, v from events"
LOW = "v: {between: {min: 0, name: low, new: true, severity: warn}}"
FAILS = "v: {between: {min: 0, name: low, new: true}}"


@pytest.fixture
def growing(make_project):
    """Return a maker of projects whose one step takes files of events."""

    def make(contract, step=APPEND):
        return make_project(
            {
                "segue.toml": TOML + source("events", "in/*.csv"),
                "in/a.csv": lines("id,v", "1,10", "2,-20"),
                "steps/taken.sql": step,
                "contracts.yml": contract,
            }
        )

    return make


def found(project, step="taken", check="low"):
    """Return rows and failing rows of a check, as the last run measured it."""
    told = project.recorded(step)["measurements"]
    return next((each["rows"], each["failing"]) for each in told if each["check"] == check)


@pytest.mark.parametrize("step", [APPEND, MERGE], ids=["append", "merge"])
def test_only_the_files_that_a_run_adds_are_looked_at(growing, step):
    project = growing(f"taken:\n  columns: {{{LOW}}}\n", step)
    project.run()
    assert found(project) == (2, 1)
    project.write({"in/b.csv": lines("id,v", "3,30", "4,-1", "5,-2")})
    if step is MERGE:
        project.write({"in/a.csv": None})
    project.run()
    assert found(project) == (3, 2)
    assert len(project.rows("taken")) == 5


def test_a_table_that_is_replaced_has_new_rows_only(growing):
    project = growing(f"taken:\n  columns: {{{LOW}}}\n", "select id, v from events")
    project.run()
    project.write({"in/b.csv": lines("id,v", "3,30")})
    project.run()
    assert found(project) == (3, 1)


def test_old_rows_that_fail_stop_nothing(growing):
    project = growing(f"taken:\n  columns: {{{LOW}}}\n")
    project.run()
    project.write({"contracts.yml": f"taken:\n  columns: {{{FAILS}}}\n"})
    project.write({"in/b.csv": lines("id,v", "3,30")})
    # a contract is part of the step: it says what is published
    assert project.run("taken", force=True)["taken"] == "contract failed"
    project.write({"in/a.csv": lines("id,v", "1,10", "2,20")})
    assert project.run("taken", force=True)["taken"] == "done"
    project.write({"in/c.csv": lines("id,v", "4,-30")})
    assert project.run()["taken"] == "contract failed"
    assert found(project) == (1, 1)


@pytest.mark.parametrize("step", [APPEND, MERGE], ids=["append", "merge"])
def test_only_new_rows_are_set_aside(growing, step):
    unique = "  columns: {v: {unique: {new: true, name: low}}}\n"
    project = growing(f"taken:\n{unique}  rows: {{min: 1}}\n  rejects: true\n", step)
    project.write({"in/a.csv": lines("id,v", "1,10", "2,20")})
    assert project.run()["taken"] == "done"
    # a new row's value is looked for in all rows, and none of the old ones goes
    project.write({"in/b.csv": lines("id,v", "3,10", "4,5", "5,5", "6,60")})
    if step is MERGE:
        project.write({"in/a.csv": None})
    assert project.run()["taken"] == "done"
    assert project.rows("taken") == [(1, 10), (2, 20), (6, 60)]
    aside = project.rows("taken__rejects")
    assert [row[:2] for row in aside] == [(3, 10), (4, 5), (5, 5)]
    assert found(project, check="rows") == (3, None)


def test_a_source_that_grew_is_judged_by_its_new_files(growing):
    project = growing(f"events:\n  columns: {{{LOW}}}\n")
    project.run()
    assert found(project, "events") == (2, 1)
    project.write({"in/b.csv": lines("id,v", "3,30", "4,-1", "5,-2")})
    project.run()
    assert found(project, "events") == (3, 2)
    assert len(project.rows("taken")) == 5
    project.write({"in/b.csv": lines("id,v", "3,-30")})  # what changed is new, too
    project.run(force=True)
    assert found(project, "events") == (1, 1)


def test_rejects_of_a_source_that_grew(growing):
    contract = f"events:\n  columns: {{{FAILS}}}\n  rejects: true\n"
    project = growing(contract, "select id, v from events")
    project.write({"in/a.csv": lines("id,v", "1,10")})
    project.run()
    project.write({"in/b.csv": lines("id,v", "3,30", "4,-1")})
    project.run()
    assert project.rows("taken") == [(1, 10), (3, 30)]
    assert [row[:2] for row in project.rows("events__rejects")] == [(4, -1)]


def test_checking_again_looks_at_what_the_version_added(growing):
    project = growing(f"taken:\n  columns: {{{LOW}}}\n")
    project.run()
    project.write({"in/b.csv": lines("id,v", "3,30", "4,-1", "5,-2")})
    project.run()
    (report,) = project.project.check("taken")
    assert (report.measurements[0].rows, report.measurements[0].failing) == (3, 2)
    assert sorted(row["id"] for row in report.measurements[0].sample) == [4, 5]


def test_old_rows_that_fail_another_check_leave_and_new_ones_stay_known(growing):
    """Kept files are written anew, and what came is still told from what was there."""
    contract = (
        "taken:\n  columns:\n    id: {references: known.id}\n"
        "    v: {between: {min: 0, name: low, new: true}}\n"
        "  added: {min: 2, max: 2, name: volume}\n  rejects: true\n"
    )
    project = growing(contract)
    project.write(
        {
            "segue.toml": TOML + source("events", "in/*.csv") + source("known", "known.csv"),
            "known.csv": lines("id", "1", "2", "3", "4", "5"),
            "in/a.csv": lines("id,v", "1,10", "2,20"),
        }
    )
    assert project.run()["taken"] == "done"
    project.write(
        {
            "known.csv": lines("id", "2", "3", "4", "5"),
            "in/b.csv": lines("id,v", "3,30", "4,-1", "5,50"),
        }
    )
    assert project.run()["taken"] == "done"
    assert project.rows("taken") == [(2, 20), (3, 30), (5, 50)]
    assert [row[0] for row in project.rows("taken__rejects")] == [1, 4]
    told = {each["check"]: each for each in project.recorded("taken")["measurements"]}
    assert told["volume"]["value"] == 2  # of what is left, two rows came in this run


def test_what_was_judged_is_remembered_though_nothing_was_published(growing):
    project = growing(f"events:\n  columns: {{{LOW}}}\n", "select min(id) as id from events")
    project.run()
    for name in ("b", "c"):
        project.write({f"in/{name}.csv": lines("id,v", "7,-1", "8,1", "9,1")})
        project.run()
        assert found(project, "events") == (3, 1)
    assert project.versions()["taken"] == 1


def test_what_a_failed_run_judged_is_new_again(growing):
    project = growing(f"events:\n  columns: {{{LOW}}}\n", "select id, v from events")
    project.run()
    project.write(
        {
            "in/b.csv": lines("id,v", "7,-1"),
            "steps/taken.sql": "select id, error('no')::int as v from events",
        }
    )
    project.run()
    assert found(project, "events") == (1, 1)
    project.write({"steps/taken.sql": "select id, v from events"})
    project.run()
    assert found(project, "events") == (1, 1)
