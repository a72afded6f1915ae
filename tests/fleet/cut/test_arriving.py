"""Tables that nodes send are read like any other: all of it, or each row once."""

import pyarrow as pa
import pytest

COPY = 'select "time", sensor, value, _node from readings'


def rows(*values, start=0):
    times = [(start + i) * 1_000_000 for i in range(len(values))]
    return pa.table(
        {
            "time": pa.array(times, pa.timestamp("us")),
            "sensor": ["a"] * len(values),
            "value": pa.array(values, pa.float64()),
        }
    )


@pytest.fixture
def appending(make_fleet):
    return make_fleet({"steps/taken.sql": f"-- segue: {{mode: append}}\n{COPY}"})


def values(built, table="taken"):
    return sorted(row["value"] for row in built.project.read(table, "rows"))


def test_before_anything_arrives_the_table_is_empty(appending):
    assert appending.rows("readings") == []
    columns = appending.columns("readings")
    assert list(columns)[:4] == ["time", "sensor", "value", "_node"]
    assert columns["_labels"] == "map<string, string>"
    assert appending.run() == {"readings": "done", "taken": "done"}
    assert appending.rows("taken") == []


def test_rows_are_appended_once(appending, open_arrivals):
    appending.run()
    hub = open_arrivals(appending)
    hub.send("readings", rows(1.0, 2.0))
    appending.run()
    assert values(appending) == [1.0, 2.0]
    assert appending.plan()["taken"].startswith("up to date")
    hub.send("readings", rows(3.0), node="n2")
    hub.send("readings", rows(4.0), node="n2")
    assert appending.plan()["taken"] == "run: input changed: 2 new files in readings"
    appending.run()
    assert values(appending) == [1.0, 2.0, 3.0, 4.0]
    assert {row["_node"] for row in appending.project.read("taken", "rows")} == {"n1", "n2"}


def test_rows_that_arrive_after_the_plan_wait_for_the_next_run(appending, open_arrivals):
    hub = open_arrivals(appending)
    hub.send("readings", rows(1.0))
    plan = appending.project._plan((), force=False, since=None, params=None)
    hub.send("readings", rows(2.0))
    from segue import conductor

    conductor.run_plan(appending.project.workspace, plan, "", lambda _: None)
    assert values(appending) == [1.0]
    appending.run()
    assert values(appending) == [1.0, 2.0]


def compact(hub, monkeypatch):
    """Bring the files of the table together, as a hub does once they are many."""
    monkeypatch.setattr("segue.stores.arriving_compact.MANY", 2)
    table = hub.lake._committer("readings").table
    table.compact()
    assert len(table.refresh().files) == 1


def test_compaction_neither_doubles_nor_loses(appending, open_arrivals, monkeypatch):
    hub = open_arrivals(appending)
    for number in range(3):
        hub.send("readings", rows(float(number)))
    appending.run()
    for number in range(3, 6):
        hub.send("readings", rows(float(number)))
    compact(hub, monkeypatch)
    appending.run()
    assert values(appending) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert appending.plan()["taken"].startswith("up to date")


def test_compaction_alone_changes_nothing(make_fleet, open_arrivals, monkeypatch):
    built = make_fleet({"steps/total.sql": "select sum(value) as total from readings"})
    hub = open_arrivals(built)
    for number in range(3):
        hub.send("readings", rows(float(number)))
    built.run()
    compact(hub, monkeypatch)
    assert built.plan()["total"].startswith("up to date")


def test_a_table_that_was_made_anew_is_not_appended(appending, open_arrivals):
    import shutil

    open_arrivals(appending).send("readings", rows(1.0))
    appending.run()
    appending.close()
    shutil.rmtree(appending.root / "lake/readings")
    open_arrivals(appending).send("readings", rows(5.0))
    assert appending.plan()["taken"].startswith("blocked: rewritten: readings")
    appending.run(force=True)
    assert values(appending) == [5.0]


def test_columns_that_came_later_are_null_before(make_fleet, open_arrivals):
    built = make_fleet({"steps/taken.sql": "-- segue: {mode: append}\nselect * from readings"})
    hub = open_arrivals(built)
    hub.send("readings", rows(1.0))
    more = rows(2.0).append_column("unit", pa.array(["C"]))
    hub.send("readings", more)
    found = built.project.query("select value, unit from readings order by all", "rows")
    assert found == [{"value": 1.0, "unit": None}, {"value": 2.0, "unit": "C"}]
    # files of before alone
    hub.send("readings", rows(3.0))
    assert built.run()["taken"] == "done"


def test_gaps_and_rejects_are_tables(make_fleet, open_arrivals):
    built = make_fleet(
        {
            "steps/lost.sql": "select _node, sum(rows) as n from readings__gaps group by all",
            "steps/odd.sql": "select step, unnest(reasons) as reason from readings__rejects",
        }
    )
    assert built.run()["lost"] == "done"
    assert built.rows("odd") == []
    hub = open_arrivals(built)
    hub.send("readings", rows(1.0))
    hub.lose("readings", 7)
    built.run()
    assert built.rows("lost") == [("n1", 7)]
    aside = pa.table({"row": ["{}"], "reasons": [["late"]], "step": ["readings"]})
    hub.send("readings__rejects", aside)
    built.run()
    assert built.rows("odd") == [("readings", "late")]


def test_contracts_are_judged_here_too(make_fleet, open_arrivals):
    contract = (
        "readings:\n  columns:\n    value: {between: [0, 100]}\n  checks: [{rows: {min: 1}}]\n"
    )
    built = make_fleet({"steps/taken.sql": COPY, "contracts.yml": contract})
    hub = open_arrivals(built)
    hub.send("readings", rows(1.0))
    (report,) = built.project.check("readings")
    assert report.verdict == "pass"
    assert built.run()["taken"] == "done"
    hub.send("readings", rows(200.0))
    (report,) = built.project.check("readings")
    assert report.verdict == "fail"
    assert built.run()["readings"] == "contract failed"


def test_a_table_that_was_set_back_is_not_appended(appending, open_arrivals):
    from deltalake import DeltaTable

    hub = open_arrivals(appending)
    hub.send("readings", rows(1.0))
    hub.send("readings", rows(2.0))
    appending.run()
    DeltaTable(appending.root / "lake/readings").restore(0)
    assert appending.plan()["taken"].startswith("blocked: rewritten: readings")
