"""What runs and what does not, and the reason that is given."""

import pytest

from segue.errors import SegueError
from tests.flow.building import TOML, lines, source

IMPORTS = "import polars as pl\nfrom segue import step\nfrom helpers import scale\n\n\n"


@pytest.fixture
def shop(make_project):
    """Return a project of four steps after its first run."""
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv") + source("stores", "stores.csv"),
            "raw.csv": lines("store,amount", "a,1", "a,2", "b,3"),
            "stores.csv": lines("store,city", "a,Kyiv", "b,Lima"),
            "helpers.py": "RATE = 2\n\n\ndef scale(column):\n    return column * RATE\n",
            "steps/orders.sql": "select store, amount from raw where amount > 0",
            "steps/scaled.py": IMPORTS + "@step\n"
            "def scaled(orders: pl.DataFrame, plus: int = 0) -> pl.DataFrame:\n"
            "    return orders.with_columns(scale(pl.col('amount')) + plus)\n",
            "steps/daily.sql": "select store, sum(amount)::bigint as amount "
            "from scaled group by all",
            "steps/cities.sql": "-- segue: {tags: [slow]}\n"
            "select city, amount from daily join stores using (store)",
        }
    )
    assert len(project.run()) == 6
    return project


def test_nothing_changed_nothing_runs(shop):
    plan = shop.plan()
    assert all(line.startswith("up to date: unchanged: since run ") for line in plan.values())
    assert shop.run() == dict.fromkeys(("orders", "scaled", "daily", "cities"), "up to date")


def test_nothing_to_do_leaves_no_trace(shop):
    shop.close()
    files, runs = shop.lake_files(), shop.project.runs()
    result = shop.project.run()
    assert (result.run_id, result.record, result.snapshot) == ("", "", None)
    shop.close()
    assert shop.lake_files() == files
    assert shop.project.runs() == runs


def test_planning_and_reading_leave_no_trace(shop):
    shop.close()
    files = shop.lake_files()
    shop.edit("raw.csv", "b,3", "b,4")
    shop.plan()
    shop.plan(force=True)
    shop.rows("daily")
    shop.project.check()
    shop.close()
    assert shop.lake_files() == files


def test_changed_source_runs_what_depends_on_it(shop):
    shop.edit("stores.csv", "Lima", "Quito")
    assert shop.plan()["cities"] == "run: input changed: stores"
    assert shop.run() == {
        "stores": "done",
        "orders": "up to date",
        "scaled": "up to date",
        "daily": "up to date",
        "cities": "done",
    }
    assert shop.rows("cities") == [("Kyiv", 6), ("Quito", 6)]


def test_same_rows_upstream_skip_all_below(shop):
    shop.edit("raw.csv", "b,3", "b,3\nb,0")
    assert shop.plan()["scaled"] == "run: input runs: orders"
    assert shop.run() == {
        "raw": "done",
        "stores": "done",
        "orders": "done",
        "scaled": "up to date",
        "daily": "up to date",
        "cities": "up to date",
    }
    assert shop.recorded("scaled")["reasons"] == ["unchanged: inputs came out the same"]
    assert shop.versions()["orders"] == 1
    assert set(shop.run().values()) == {"up to date"}


def test_order_of_rows_is_no_change(shop):
    shop.write({"raw.csv": lines("store,amount", "b,3", "a,2", "a,1")})
    assert shop.run()["scaled"] == "up to date"


def test_touched_source_is_looked_at_and_changes_nothing_below(shop):
    shop.write({"raw.csv": lines("store,amount", "a,1", "a,2", "b,3")})
    assert shop.run()["daily"] == "up to date"


def test_cut_off_in_the_middle(shop):
    shop.edit("raw.csv", "a,1", "a,2")
    shop.edit("raw.csv", "a,2\na,2", "a,2\na,1")
    shop.edit("raw.csv", "a,2\na,1", "a,3\na,0")
    assert shop.run() == {
        "raw": "done",
        "stores": "done",
        "orders": "done",
        "scaled": "done",
        "daily": "done",
        "cities": "up to date",
    }


def test_changed_sql(shop):
    shop.edit("steps/daily.sql", "sum(amount)", "max(amount)")
    assert shop.plan() == {
        "orders": shop.plan()["orders"],
        "scaled": shop.plan()["scaled"],
        "daily": "run: code changed: query",
        "cities": "run: input runs: daily",
    }
    assert shop.run()["cities"] == "done"


def test_formatting_and_comments_are_no_change(shop):
    shop.edit("steps/daily.sql", "select store,", "-- by store\nSELECT store  ,")
    shop.edit("steps/scaled.py", "@step", "# scales\n@step")
    shop.edit("helpers.py", "    return", '    """Scale."""\n    return')
    assert shop.to_do() == set()


def test_changed_helper_and_constant(shop):
    shop.edit("helpers.py", "column * RATE", "column * RATE * 1")
    assert shop.plan()["scaled"] == "run: code changed: helper helpers.scale"
    assert shop.run()["daily"] == "up to date"
    shop.edit("helpers.py", "RATE = 2", "RATE = 3")
    assert shop.plan()["scaled"] == "run: code changed: constant helpers.RATE"
    shop.run()
    assert shop.rows("daily") == [("a", 9), ("b", 9)]


def test_changed_parameter(shop):
    assert shop.plan(params={"scaled.plus": 1})["scaled"] == "run: parameter changed: plus 0 -> 1"
    shop.run(params={"scaled.plus": 1})
    assert shop.rows("daily") == [("a", 8), ("b", 7)]
    assert shop.run(params={"scaled.plus": 1})["scaled"] == "up to date"
    assert shop.plan()["scaled"] == "run: parameter changed: plus 1 -> 0"


def test_changed_contract(shop):
    shop.write({"contracts.yml": "daily:\n  columns: {amount: {between: [0, 100]}}\n"})
    assert shop.plan()["daily"] == "run: contract changed: added"
    assert shop.run()["cities"] == "up to date"
    shop.edit("contracts.yml", "100", "200")
    assert shop.plan()["daily"] == "run: contract changed"
    shop.run()
    shop.edit("contracts.yml", "  columns", "  owner: me@example.com\n  columns")
    assert shop.to_do() == set()
    shop.write({"contracts.yml": None})
    assert shop.plan()["daily"] == "run: contract changed: removed"


def test_added_and_removed_steps(shop):
    shop.write({"steps/more.sql": "select count(*) as n from orders"})
    assert shop.plan()["more"] == "run: never ran"
    assert shop.to_do() == {"more"}
    shop.run()
    shop.write({"steps/more.sql": None})
    assert shop.to_do() == set()
    assert shop.rows("orders")


def test_renamed_step_runs_and_the_old_table_stays_readable(shop):
    shop.write({"steps/cities.sql": None, "steps/towns.sql": "select city from stores"})
    assert shop.run()["towns"] == "done"
    assert ("Kyiv", 6) in shop.rows("cities")


@pytest.mark.parametrize(
    ("terms", "chosen"),
    [
        (("daily",), {"daily"}),
        (("+daily",), {"orders", "scaled", "daily"}),
        (("scaled+",), {"scaled", "daily", "cities"}),
        (("+scaled+",), {"orders", "scaled", "daily", "cities"}),
        (("tag:slow",), {"cities"}),
        (("+tag:slow",), {"orders", "scaled", "daily", "cities"}),
        (("stores+",), {"cities"}),
        (("*d*",), {"orders", "scaled", "daily"}),
        (("orders", "cities"), {"orders", "cities"}),
    ],
)
def test_selections(shop, terms, chosen):
    assert shop.to_do(*terms, force=True) == chosen


@pytest.mark.parametrize("term", ["dayly", "tag:fast", "raw", "+", "x*", ""])
def test_selections_of_nothing_are_refused(shop, term):
    with pytest.raises(SegueError):
        shop.plan(term)


def test_unselected_steps_stay_behind_and_are_caught_up(shop):
    shop.edit("raw.csv", "b,3", "b,4")
    assert shop.run("orders") == {"raw": "done", "orders": "done"}
    assert shop.rows("cities") == [("Kyiv", 6), ("Lima", 6)]
    assert shop.plan()["scaled"] == "run: input changed: orders"
    shop.run()
    assert shop.rows("cities") == [("Kyiv", 6), ("Lima", 8)]


def test_selected_step_whose_input_never_ran_is_refused_with_the_way_out(shop):
    shop.write({"steps/first.sql": "select 1 as n", "steps/second.sql": "select n from first"})
    with pytest.raises(SegueError, match=r"\+second"):
        shop.run("second")
    assert shop.run("+second") == {"first": "done", "second": "done"}


def test_force_runs_what_is_selected(shop):
    assert shop.plan("daily", force=True)["daily"] == "run: asked: --force"
    assert shop.run("daily", force=True) == {"daily": "done"}
    assert shop.versions() == {"orders": 1, "scaled": 1, "daily": 1, "cities": 1}


def test_since_runs_what_is_older(shop):
    first = shop.project.runs()[0].run_id
    shop.run("daily", force=True)
    assert shop.to_do(since="1d") == set()
    assert shop.to_do(since=first) == set()
    last = shop.project.runs()[0].run_id
    assert shop.to_do("daily", since=last) == set()
    assert shop.to_do("cities", since=last) == {"cities"}
    assert "too old" in shop.plan(since="0s")["orders"]
    with pytest.raises(SegueError, match="neither a date"):
        shop.plan(since="last week")


def test_lost_source_blocks_before_anything_runs(shop):
    shop.write({"raw.csv": None})
    assert shop.plan()["orders"].startswith("blocked: missing: table 'raw'")
    assert shop.plan()["daily"].startswith("blocked: input blocked: scaled")
    with pytest.raises(SegueError, match=r"raw\.csv"):
        shop.run()
    assert shop.run("cities") == {"cities": "up to date"}
    assert len(shop.project.runs()) == 1


def test_wrong_parameters_are_refused(shop):
    for params in ({"scaled.minus": 1}, {"scald.plus": 1}, {"scaled.plus": "many"}):
        with pytest.raises(SegueError):
            shop.plan(params=params)


MODES = {
    "replace": "",
    "append": "-- segue: {mode: append}\n",
    "merge": "-- segue: {mode: merge, key: id}\n",
    "view": "-- segue: {mode: view}\n",
}


@pytest.mark.parametrize("before", MODES)
@pytest.mark.parametrize("after", MODES)
def test_changed_mode_keeps_rows_whole(make_project, before, after):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "in/*.csv"),
            "in/a.csv": lines("id,v", "1,1", "2,2"),
            "steps/made.sql": f"{MODES[before]}select * from raw",
            "steps/n.sql": "select count(*) as n from made",
        }
    )
    project.run()
    project.write(
        {"steps/made.sql": f"{MODES[after]}select * from raw", "in/b.csv": lines("id,v", "3,3")}
    )
    project.run()
    assert project.rows("made") == [(1, 1), (2, 2), (3, 3)]
    assert project.rows("n") == [(3,)]
    assert project.to_do() == set()
