"""A contract that sets rows aside no more takes the table of rejects away, and not its history."""

import pytest

from segue.errors import UnknownNameError
from segue.plan.explain import plan_text
from tests.flow.building import TOML, lines, source

CONTRACT = "orders:\n  columns: {id: {between: [0, ~]}}\n"
TOLD = "orders__rejects is taken away: the contract of orders sets no rows aside any more"


def make(make_project, rows=("1", "-2"), mode="{}"):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines("id", *rows),
            "steps/orders.sql": f"-- segue: {mode}\nselect id from raw",
            "contracts.yml": f"{CONTRACT}  rejects: true\n",
        }
    )
    project.run()
    assert set(project.versions()) == {"orders", "orders__rejects"}
    return project


@pytest.mark.parametrize("contract", [CONTRACT.replace("[0, ~]", "[-9, ~]"), ""])
def test_table_goes_and_its_history_stays(make_project, contract):
    project = make(make_project)
    project.write({"contracts.yml": contract})
    planned = project.project.plan()
    assert planned.to_json()["removes"] == ["orders__rejects"]
    assert TOLD in plan_text(planned.plan)
    result = project.project.run()
    assert result.removed == ("orders__rejects",)
    assert project.project.record()["removed"] == ["orders__rejects"]
    assert project.versions() == {"orders": 2}
    with pytest.raises(UnknownNameError, match="orders__rejects"):
        project.rows("orders__rejects")
    assert len(project.rows("orders__rejects", snapshot=1)) == 1
    assert [each.number for each in project.project.history("orders__rejects")] == [1]
    assert project.project.plan().to_json()["removes"] == []


def test_table_goes_where_the_rows_are_the_same(make_project):
    project = make(make_project, rows=("1", "2"))
    project.write({"contracts.yml": CONTRACT})
    result = project.project.run()
    assert (result.snapshot, result.removed) == (2, ("orders__rejects",))
    assert project.versions() == {"orders": 1}


def test_failed_run_takes_nothing_away(make_project):
    project = make(make_project)
    project.write({"contracts.yml": CONTRACT})
    assert project.run()["orders"] == "contract failed"
    assert set(project.versions()) == {"orders", "orders__rejects"}
    assert project.project.record()["removed"] == []


def test_rejects_that_come_back_go_on_counting(make_project):
    project = make(make_project)
    project.write({"contracts.yml": CONTRACT.replace("[0, ~]", "[-9, ~]")})
    project.run()
    project.write({"contracts.yml": f"{CONTRACT}  rejects: true\n"})
    project.run()
    assert project.versions() == {"orders": 3, "orders__rejects": 2}
    assert len(project.rows("orders__rejects")) == 1


def test_append_step_takes_them_away_when_it_next_runs(make_project):
    project = make(make_project, mode="{mode: append}")
    project.write({"contracts.yml": CONTRACT.replace("[0, ~]", "[-9, ~]")})
    assert project.project.plan().to_json()["removes"] == []
    project.write({"raw.csv": lines("id", "3")})
    assert project.project.run().removed == ("orders__rejects",)
    assert set(project.versions()) == {"orders"}


def test_rejects_of_a_source(make_project):
    project = make(make_project)
    project.write({"contracts.yml": "raw:\n  columns: {id: {between: [0, ~]}}\n  rejects: true\n"})
    project.run()
    assert set(project.versions()) == {"orders", "raw__rejects"}
    project.write({"contracts.yml": "", "raw.csv": lines("id", "7")})
    assert project.project.plan().to_json()["removes"] == ["raw__rejects"]
    assert project.project.run().removed == ("raw__rejects",)
    assert set(project.versions()) == {"orders"}
