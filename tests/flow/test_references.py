"""What a contract refers to has changed: tables that are up to date are judged again."""

import pytest

from tests.flow.building import TOML, lines, source

CONTRACT = "orders:\n  columns: {store: {references: stores.store}}\n"


@pytest.fixture
def shop(make_project):
    """Return a project whose orders refer to another step's table, after its first run."""
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv") + source("known", "known.csv"),
            "raw.csv": lines("id,store", "1,a", "2,b"),
            "known.csv": lines("store,city", "a,Kyiv", "b,Lima", "c,Oslo"),
            "steps/stores.sql": "select store from known",
            "steps/orders.sql": "select id, store from raw",
            "steps/daily.sql": "select count(*) as n from orders",
            "contracts.yml": CONTRACT,
        }
    )
    project.run()
    return project


def forget_store(shop, store="b,Lima"):
    return shop.edit("known.csv", f"{store}\n", "")


def measured(shop, table="orders"):
    return [
        (each["run_id"], each["verdict"], each["number"])
        for each in shop.project.workspace.ledger.measurements(table)
    ]


def test_judged_again_and_not_computed(shop):
    forget_store(shop, "c,Oslo")
    plan = shop.plan()
    assert plan["orders"] == "judge: referenced table runs: stores"
    assert plan["daily"].startswith("up to date")
    before, memory = shop.versions(), shop.project.workspace.ledger.memories()["orders"]
    assert shop.run() == {
        "known": "done",
        "stores": "done",
        "orders": "judged again",
        "daily": "up to date",
    }
    assert shop.versions() == before | {"stores": 2}
    run = shop.project.record()
    assert measured(shop)[0] == (run["run_id"], "pass", 1)
    assert shop.recorded("orders")["rows"] == {"read": {}, "made": 0, "rejected": None}
    kept = shop.project.workspace.ledger.memories()["orders"]
    assert (kept.run_id, kept.rows, kept.inputs) == (memory.run_id, memory.rows, memory.inputs)
    assert shop.to_do() == set()


def test_verdict_that_fails_keeps_what_is_published(shop):
    forget_store(shop)
    assert "orders breaks its contract" in shop.run_error()
    assert shop.project.record()["status"] == "failed"
    assert shop.versions() == {"stores": 1, "orders": 1, "daily": 1}
    assert len(shop.rows("stores")) == 3
    assert measured(shop)[0][1:] == ("fail", 1)
    shop.edit("known.csv", "a,Kyiv\n", "a,Kyiv\nb,Lima\n")
    assert shop.run()["orders"] == "up to date"


def test_same_rows_are_not_judged_again(shop):
    shop.edit("known.csv", "Lima", "Quito")
    assert shop.plan()["orders"] == "judge: referenced table runs: stores"
    assert shop.run()["orders"] == "up to date"
    assert len(measured(shop)) == 1


def test_changed_before_this_run(shop):
    forget_store(shop)
    assert shop.run("stores") == {"known": "done", "stores": "done"}
    assert shop.plan()["orders"] == "judge: referenced table changed: stores"
    assert shop.plan("daily")["orders"] == "not selected"
    assert shop.run() == {
        "stores": "up to date",
        "orders": "contract failed",
        "daily": "up to date",
    }
    shop.edit("raw.csv", "2,b\n", "2,a\n")
    plan = shop.plan()
    assert plan["orders"] == "run: input changed: raw; referenced table changed: stores"
    assert shop.run()["orders"] == "done"
    assert shop.to_do() == set()


def test_source_and_view_as_what_is_referred_to(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv") + source("known", "known.csv"),
            "raw.csv": lines("id,store", "1,a", "2,b"),
            "known.csv": lines("store", "a", "b"),
            "steps/open.sql": "-- segue: {mode: view}\nselect store from known",
            "steps/orders.sql": "select id, store from raw",
            "steps/more.sql": "select id, store from raw",
            "contracts.yml": "orders:\n  columns: {store: {references: open.store}}\n"
            "more:\n  columns: {store: {references: known.store}, id: {references: more.id}}\n",
        }
    )
    project.run()
    assert project.to_do() == set()
    project.edit("known.csv", "b\n", "b\nc\n")
    told = "judge: referenced table changed: known"
    assert [project.plan()[name] for name in ("orders", "more")] == [told, told]
    statuses = project.run()
    assert (statuses["orders"], statuses["more"]) == ("judged again", "judged again")
    assert project.to_do() == set()


def test_rejects_come_and_go_with_what_is_referred_to(shop):
    shop.write({"contracts.yml": f"{CONTRACT}  rejects: true\n"})
    shop.run()
    forget_store(shop)
    assert shop.plan()["orders"] == "run: referenced table runs: stores"
    assert shop.run() == {
        "known": "done",
        "raw": "done",
        "stores": "done",
        "orders": "done",
        "daily": "done",
    }
    assert shop.rows("orders") == [(1, "a")]
    assert shop.rows("orders__rejects") == [(2, "b", ["store references"])]
    shop.edit("known.csv", "a,Kyiv\n", "a,Kyiv\nb,Lima\n")
    assert shop.run()["orders"] == "done"
    assert shop.rows("orders") == [(1, "a"), (2, "b")]
    assert shop.rows("orders__rejects") == []
    assert shop.to_do() == set()


@pytest.mark.parametrize("mode", ["{mode: append}", "{mode: merge, key: [id]}"])
def test_rejects_of_tables_that_grow(shop, mode):
    shop.write(
        {
            "contracts.yml": f"{CONTRACT}  rejects: true\n",
            "steps/orders.sql": f"-- segue: {mode}\nselect id, store from raw",
        }
    )
    shop.run()
    forget_store(shop)
    assert shop.run()["orders"] == "done"
    assert shop.rows("orders") == [(1, "a")]
    assert [row[:2] for row in shop.rows("orders__rejects")] == [(2, "b")]
    assert shop.rows("daily") == [(1,)]
    assert shop.to_do() == set()


def test_append_step_without_new_rows_is_judged(shop):
    shop.write({"steps/orders.sql": "-- segue: {mode: append}\nselect id, store from raw"})
    shop.run()
    forget_store(shop, "c,Oslo")
    assert shop.run()["orders"] == "judged again"
    assert shop.rows("orders") == [(1, "a"), (2, "b")]
    assert shop.to_do() == set()


def test_contract_of_a_source_runs_its_readers(shop):
    shop.write({"contracts.yml": "raw:\n  columns: {store: {references: stores.store}}\n"})
    shop.run()
    forget_store(shop)
    assert shop.plan()["orders"] == "run: referenced table runs: stores"
    assert shop.run()["raw"] == "contract failed"
    assert len(shop.rows("orders")) == 2


def test_staged_result_is_not_published_against_other_references(shop):
    shop.write(
        {
            "steps/late.sql": "select 1 / (select min(n) from daily where n > 2) as x, "
            "error('no') as y from daily",
            "raw.csv": lines("id,store", "1,a", "2,b", "3,b"),
        }
    )
    assert shop.run()["orders"] == "done"
    assert shop.versions()["orders"] == 1
    assert shop.plan()["orders"].startswith("reuse")
    forget_store(shop)
    assert shop.plan()["orders"].startswith("run: input changed: raw")
    assert "orders breaks its contract" in shop.run_error()
