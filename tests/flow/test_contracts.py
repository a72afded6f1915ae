"""Contracts in runs: verdicts, tolerances, rejects, and every row accounted for."""

import pytest

from tests.flow.building import TOML, lines, source

ROWS = lines("id,v", "1,10", "2,-5", "3,", "4,40")


@pytest.fixture
def judged(make_project):
    def make(contract, rows=ROWS, **files):
        return make_project(
            {
                "segue.toml": TOML + source("raw", "raw.csv"),
                "raw.csv": rows,
                "steps/made.sql": "select id, v from raw",
                "steps/after.sql": "select count(*) as n from made",
                "contracts.yml": f"made:\n{contract}",
                **files,
            }
        )

    return make


def verdicts(project, step="made"):
    return {each["check"]: each["verdict"] for each in project.recorded(step)["measurements"]}


def test_warning_publishes_and_is_on_record(judged):
    project = judged("  columns: {v: {between: {min: 0, severity: warn}}}\n")
    assert project.run()["after"] == "done"
    assert list(verdicts(project).values()) == ["warn"]
    (measured,) = project.recorded("made")["measurements"]
    assert (measured["failing"], measured["rows"], measured["rejected"]) == (1, 4, False)
    assert measured["sample"] == [{"id": 2, "v": -5}]


@pytest.mark.parametrize(
    ("tolerance", "status", "verdict"),
    [
        ("fail: 1", "done", "pass"),
        ("fail: 0", "contract failed", "fail"),
        ("fail: 25%", "done", "pass"),
        ("fail: 24.9%", "contract failed", "fail"),
        ("warn: 0, fail: 1", "done", "warn"),
        ("warn: 0", "done", "warn"),
    ],
)
def test_tolerances(judged, tolerance, status, verdict):
    project = judged(f"  columns: {{v: {{between: {{min: 0, {tolerance}}}}}}}\n")
    assert project.run()["made"] == status
    assert list(verdicts(project).values()) == [verdict]


@pytest.mark.parametrize(
    ("contract", "failing"),
    [
        ("  columns: {v: {required: true}}\n", 1),
        ("  columns: {id: {unique: true}}\n", None),
        ("  unique: [[id, v]]\n", None),
        ("  columns: {id: {in: [1, 2]}}\n", 2),
        ("  columns: {id: {type: int64}}\n", None),
        ("  columns: {id: {type: string}}\n", 4),
        ("  rows: {min: 1, max: 4}\n", None),
        ("  rows: {max: 3}\n", 4),
        ("  checks:\n    - {name: positive, rule: v > 0}\n", 1),
        ("  checks:\n    - {name: positive, rule: v > 0, where: id > 2}\n", None),
    ],
)
def test_each_check_lets_pass_or_stops(judged, contract, failing):
    project = judged(contract)
    assert project.run()["made"] == ("done" if failing is None else "contract failed")
    assert project.run()["made"] == ("up to date" if failing is None else "contract failed")


def test_rejects_are_set_aside_with_their_reasons(judged):
    project = judged(
        "  columns:\n    v: {required: true, between: [0, ~]}\n    id: {in: [1, 2, 3]}\n"
        "  rejects: true\n"
    )
    assert project.run()["after"] == "done"
    assert project.rows("made") == [(1, 10)]
    assert project.rows("after") == [(1,)]
    aside = {row[0]: row[2] for row in project.rows("made__rejects")}
    assert set(aside) == {2, 3, 4}
    assert all(len(reasons) == 1 for reasons in aside.values())
    rows = project.recorded("made")["rows"]
    assert (rows["made"], rows["rejected"]) == (1, 3)


def test_every_row_is_accounted_for(judged):
    """Read = made + rejected, for a source that is counted."""
    project = judged("  columns: {v: {between: [0, 20]}}\n  rejects: true\n")
    project.edit(
        "contracts.yml", "made:", "raw: {columns: {v: {required: true}}, rejects: true}\nmade:"
    )
    project.run()
    raw, made = project.recorded("raw")["rows"], project.recorded("made")["rows"]
    assert raw == {"read": {"raw": 4}, "made": None, "rejected": 1}
    assert made == {"read": {"raw": 3}, "made": 1, "rejected": 2}
    assert len(project.rows("raw__rejects")) + len(project.rows("made__rejects")) == 3


def test_rejects_go_when_the_rows_are_good(judged):
    project = judged("  columns: {v: {between: [0, 20]}}\n  rejects: true\n")
    project.run()
    assert len(project.rows("made__rejects")) == 2
    project.write({"raw.csv": lines("id,v", "1,10")})
    project.run()
    assert project.rows("made__rejects") == []
    assert project.run() == {"made": "up to date", "after": "up to date"}


def test_rejects_are_a_table_for_steps(judged):
    project = judged(
        "  columns: {v: {between: [0, 20]}}\n  rejects: true\n",
        **{"steps/bad.sql": "select id, len(reject_reasons) as n from made__rejects"},
    )
    project.run()
    assert project.rows("bad") == [(2, 1), (4, 1)]
    project.write({"raw.csv": ROWS.replace("4,40", "4,4")})
    project.run()
    assert project.rows("bad") == [(2, 1)]
    assert set(project.run().values()) == {"up to date"}


def test_new_rejects_alone_run_only_their_readers(judged):
    project = judged(
        "  columns: {v: {between: [0, 20]}}\n  rejects: true\n",
        **{"steps/bad.sql": "select id from made__rejects"},
    )
    project.run()
    project.write({"raw.csv": ROWS + "5,500\n"})
    assert project.run() == {
        "raw": "done",
        "made": "done",
        "after": "up to date",
        "bad": "done",
    }
    assert project.versions()["made"] == 1
    assert project.versions()["made__rejects"] == 2


def test_tolerance_bounds_what_may_be_set_aside(judged):
    project = judged("  columns: {v: {between: {min: 0, fail: 50%}}}\n  rejects: true\n")
    project.run()
    assert [row[0] for row in project.rows("made__rejects")] == [2]
    project.write({"raw.csv": lines("id,v", "1,-1", "2,-5", "3,3")})
    assert project.run()["made"] == "contract failed"
    assert len(project.rows("made")) == 3


def test_checks_of_the_whole_table_judge_what_is_left(judged):
    project = judged("  columns: {v: {between: [0, 20]}}\n  rows: {min: 3}\n  rejects: true\n")
    assert project.run()["made"] == "contract failed"
    assert project.versions() == {}


def test_duplicates_are_all_set_aside(judged):
    project = judged(
        "  columns: {id: {unique: true}}\n  rejects: true\n", lines("id,v", "1,1", "1,2", "2,3")
    )
    project.run()
    assert project.rows("made") == [(2, 3)]
    assert [row[:2] for row in project.rows("made__rejects")] == [(1, 1), (1, 2)]


def test_column_that_the_table_has_not_is_found_before_the_run(judged):
    project = judged("  columns: {value: {required: true}}\n")
    with pytest.raises(Exception, match="'value'"):
        project.run()
    assert project.project.runs() == ()


def test_sensitive_values_stay_out_of_the_record(judged):
    project = judged(
        "  columns: {name: {sensitive: true, in: [x]}}\n",
        lines("id,name", "1,canary-7351"),
        **{"steps/made.sql": "select * from raw"},
    )
    assert project.run()["made"] == "contract failed"
    assert "canary-7351" not in str(project.project.record())


def test_check_measures_what_is_published(judged):
    project = judged("  columns: {v: {between: {min: 0, severity: warn}}}\n")
    project.run()
    (report,) = project.project.check()
    assert (report.table, report.verdict, report.rows) == ("made", "warn", 4)
    project.edit("contracts.yml", "severity: warn", "fail: 0")
    (report,) = project.project.check("made")
    assert (report.verdict, report.stops) == ("fail", True)
    with pytest.raises(Exception, match="no contract"):
        project.project.check("after")


def test_contract_of_a_table_without_rows(judged):
    project = judged(
        "  columns: {id: {unique: true, required: true, in: [7]}}\n  rejects: true\n", "id,v\n"
    )
    project.edit("segue.toml", 'raw.csv"\n', 'raw.csv"\ntypes = {id = "int64"}\n')
    project.run()
    assert project.rows("made") == project.rows("made__rejects") == []


def test_contract_that_is_tightened_after_publication_keeps_the_old_table(judged):
    project = judged("  columns: {v: {between: [-10, 100]}}\n")
    project.run()
    project.edit("contracts.yml", "-10", "0")
    assert project.run()["made"] == "contract failed"
    assert len(project.rows("made")) == 4
    project.edit("contracts.yml", "[0", "[-10")
    assert set(project.run().values()) == {"up to date"}
