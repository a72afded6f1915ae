"""``project.check``: what a run judged is not measured again unless something may have changed."""

import pytest

from segue.errors import UnknownNameError
from tests.flow.building import TOML, lines, source


@pytest.fixture
def judged(make_project):
    """Return a maker of projects that have run once."""

    def make(contract, step="select id, v from raw"):
        project = make_project(
            {
                "segue.toml": TOML + source("raw", "raw.csv"),
                "raw.csv": lines("id,v", "1,10", "2,-5", "3,", "4,40"),
                "steps/made.sql": step,
                "contracts.yml": contract,
            }
        )
        assert project.run().get("made", "done") == "done"  # a view has no outcome
        return project

    return make


LOW = "made:\n  columns: {v: {between: {min: 0, severity: warn}}}\n"


def check(project, **options):
    (report,) = project.project.check(**options)
    return report


def test_what_a_run_judged_is_told_as_it_measured_it(judged):
    project = judged(LOW)
    run = project.project.record()["run_id"]
    recalled, measured = check(project), check(project, force=True)
    assert (recalled.run_id, measured.run_id) == (run, "")
    (was,), (now,) = recalled.measurements, measured.measurements
    assert (was.check, was.verdict, was.failing, was.rows, was.message) == (
        now.check,
        now.verdict,
        now.failing,
        now.rows,
        now.message,
    )
    assert was.sample == now.sample == ({"v": -5, "id": 2},)


def test_another_contract_is_another_judgement(judged):
    project = judged(LOW)
    project.write({"contracts.yml": LOW.replace("min: 0", "min: -9")})
    report = check(project)
    assert (report.run_id, str(report.verdict)) == ("", "pass")
    project.write({"contracts.yml": LOW.replace("made:", "made:\n  owner: me")})
    assert check(project).run_id  # who owns it decides nothing


@pytest.mark.parametrize(
    "contract",
    [
        "made:\n  checks: [{rule: \"id < extract('year' from current_date)\"}]\n",
        "made:\n  columns: {id: {references: raw.id}}\n",
        "made:\n  columns: {v: {between: {min: 0}}}\n  rejects: true\n",
        "made:\n  columns: {v: {sensitive: true, between: {min: -9}}}\n",
    ],
    ids=["time", "another table", "rows are gone", "sensitive"],
)
def test_what_may_have_changed_is_measured(judged, contract):
    report = check(judged(contract))
    assert (report.run_id, str(report.verdict)) == ("", "pass")


def test_no_value_is_recalled_that_is_sensitive_since(judged):
    project = judged("made:\n  columns: {v: {between: {min: 0, severity: warn}}}\n")
    assert check(project).measurements[0].sample[0]["v"] == -5
    project.edit("contracts.yml", "{v: {", "{v: {sensitive: true, ")
    assert check(project).measurements[0].sample[0]["v"] == "***"


def test_views_and_sources_are_measured(judged):
    project = judged(
        LOW + LOW.replace("made", "raw"), "-- segue: {mode: view}\nselect id, v from raw"
    )
    assert [report.run_id for report in project.project.check()] == ["", ""]


def test_checks_are_chosen_by_name_kind_column_and_pattern(judged):
    project = judged("made:\n  columns: {v: {type: int64}, id: {unique: true, required: true}}\n")
    for pattern, names in {
        "id unique": ["id unique"],
        "unique": ["id unique"],
        "id": ["id unique", "id required"],
        "id *": ["id unique", "id required"],
    }.items():
        found = [each.check for each in check(project, select=(pattern,)).measurements]
        assert found == names
    with pytest.raises(UnknownNameError, match="no check is called 'id uniqe'") as caught:
        check(project, select=("id uniqe",))
    assert "'id unique'" in caught.value.hint
