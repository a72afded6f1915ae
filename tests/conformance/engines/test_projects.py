"""One project on every engine: only the place's engine changes, and the same is published."""

import json
import textwrap

import pyarrow.compute as pc
import pytest

import segue
from segue.errors import ContractError, RunError, StepError

pytestmark = pytest.mark.timeout(300)

SETTINGS = """
[project]
name = "shop"
lake = "lake"
[tables.orders]
path = "orders.csv"
[tables.stores]
path = "stores.csv"
[places.there]
{place}
[steps]
clean.on = "there"
late.on = "there"
daily.on = "there"
joined.on = "there"
counted.on = "there"
told.on = "there"
"""

STEPS = {
    "clean.py": """
        import pandas as pd

        from rates import rate
        from segue import step

        @step
        def clean(orders: pd.DataFrame) -> pd.DataFrame:
            return orders.assign(amount=orders["amount"] * rate())
        """,
    "rates.py": """
        def rate():
            return 2
        """,
    "late.py": """
        import polars as pl

        from segue import step

        @step(by="store", sort=["-day", "amount"])
        def late(clean: pl.DataFrame, most: int = 2) -> pl.DataFrame:
            return clean.head(most)
        """,
    "joined.py": """
        from segue import step

        @step(by="store", how="full", schema="store: int64, n: int64, city: string")
        def joined(clean: list[dict], stores: list[dict]) -> list[dict]:
            rows = clean or stores
            city = stores[0]["city"] if stores else None
            return [{"store": rows[0]["store"], "n": len(clean), "city": city}]
        """,
    "told.py": """
        import pyarrow as pa

        from segue import step

        @step(by="store")
        def told(clean: pa.Table) -> None:
            assert clean.num_rows
        """,
    "daily.sql": """
        -- segue: {mode: merge, key: [store, day]}
        select store, day, sum(amount) as amount, count(*) as n, max(note) as note
        from clean where store is not null group by all
        """,
    "seen.sql": """
        -- segue: {mode: view}
        select * from daily where n > 1
        """,
    "counted.sql": """
        select city, count(*) as days, sum(amount) as amount, max(day) as last
        from seen left join stores using (store) group by city order by city
        """,
}

CONTRACT = """
late:
  columns:
    amount: {between: [0, 1000]}
"""


def write_project(folder, place, steps=None, contracts=""):
    (folder / "steps").mkdir(parents=True)
    for name, text in (steps or STEPS).items():
        where = folder if name == "rates.py" else folder / "steps"
        (where / name).write_text(textwrap.dedent(text).lstrip())
    keys = "\n".join(f"{key} = {json.dumps(value)}" for key, value in place.items())
    settings = SETTINGS.format(place=keys).replace('lake = "lake"\n', "")
    kept = [
        line
        for line in settings.splitlines()
        if not line.endswith('.on = "there"')
        or steps is None
        or f"{line.partition('.')[0]}.py" in steps
    ]
    (folder / "segue.toml").write_text("\n".join(kept))
    if contracts:
        (folder / "contracts.yml").write_text(contracts)
    rows = [f"{i % 5 if i % 7 else ''},2026-01-{1 + i % 9:02d},{i},n{i % 3}\n" for i in range(200)]
    (folder / "orders.csv").write_text("store,day,amount,note\n" + "".join(rows))
    (folder / "stores.csv").write_text("store,city\n0,Rome\n1,Bonn\n2,\n9,Lima\n")


def run_project(folder):
    with segue.load(folder) as project:
        run = project.run()
        record = json.loads((folder / run.record).read_text())
        return run, record, {name: project.read(name, returns="arrow") for name in PUBLISHED}


PUBLISHED = ("clean", "late", "joined", "daily", "counted")


def hashes(record):
    return {
        step["step"]: step["output"]["content_hash"] for step in record["steps"] if step["output"]
    }


class SameProject:
    """What holds for a project wherever it runs; subclasses tell the place."""

    def test_the_same_is_published_as_on_this_machine(self, place, tmp_path):
        write_project(tmp_path / "here", {"engine": "duckdb"})
        write_project(tmp_path / "there", place)
        _, record, here = run_project(tmp_path / "here")
        _, other_record, there = run_project(tmp_path / "there")
        assert {name: table.schema for name, table in there.items()} == {
            name: table.schema for name, table in here.items()
        }
        assert hashes(other_record) == hashes(record)
        assert set(hashes(record)) == set(PUBLISHED)

    def test_new_rows_are_merged_there(self, place, tmp_path):
        write_project(tmp_path, place)
        run_project(tmp_path)
        with (tmp_path / "orders.csv").open("a") as file:
            file.write("3,2026-02-01,5,x\n3,2026-02-01,6,y\n")
        _, _, tables = run_project(tmp_path)
        rows = tables["daily"].filter(pc.field("store") == 3).to_pylist()
        (new,) = (row for row in rows if str(row["day"]) == "2026-02-01")
        assert (new["amount"], new["n"], new["note"]) == (22, 2, "y")

    def test_a_bug_in_one_group_is_told_as_it_is_here(self, place, tmp_path):
        broken = {
            "late.py": """
                import pandas as pd

                from segue import step

                @step(by="store")
                def late(orders: pd.DataFrame) -> pd.DataFrame:
                    if (orders["store"] == 3).any():
                        raise ValueError("three is no store")
                    return orders
                """
        }
        told = []
        for name, where in (("here", {"engine": "duckdb"}), ("there", place)):
            write_project(tmp_path / name, where, broken)
            with segue.load(tmp_path / name) as project, pytest.raises(StepError) as caught:
                project.run()
            error = caught.value
            (path,) = (tmp_path / name / "lake" / "_runs").glob("*.json")
            steps = json.loads(path.read_text())["steps"]
            (failure,) = (step["failure"] for step in steps if step["failure"])
            assert failure["engine"] == error.engine
            told.append((error.message, error.location, error.group, error.trace, error.sample))
        assert told[0] == told[1]
        assert told[0][1].path == "steps/late.py"
        assert told[0][1].line == 8
        assert caught.value.engine == ("" if place["engine"] == "duckdb" else place["engine"])

    @pytest.mark.parametrize("fails", [True, False], ids=["raises", "breaks"])
    def test_what_is_made_of_sensitive_columns_is_not_told(self, place, tmp_path, fails):
        steps = {
            "clean.sql": "select store, day, amount, 'canary' || note as remark from orders",
            "late.py": f"""
                import pandas as pd

                from segue import step

                @step(by="store")
                def late(clean: pd.DataFrame) -> pd.DataFrame:
                    if {fails} and len(clean):
                        raise ValueError(clean["remark"].iloc[0])
                    return clean
                """,
        }
        marked = "orders:\n  columns: {note: {sensitive: true}}\n"
        checks = "late:\n  columns: {remark: {in: [x]}}\n"
        write_project(tmp_path, place, steps, marked + checks)
        with segue.load(tmp_path) as project, pytest.raises(RunError) as caught:
            project.run()
        (path,) = (tmp_path / "lake" / "_runs").glob("*.json")
        told = path.read_text()
        assert "canary" not in told + str(caught.value) + getattr(caught.value, "sample", "")
        assert "***" in told

    def test_rows_that_break_a_contract_publish_nothing(self, place, tmp_path):
        write_project(tmp_path, place, contracts=CONTRACT.replace("1000", "100"))
        with segue.load(tmp_path) as project:
            with pytest.raises(ContractError):
                project.run()
            assert not [info for info in project.tables() if info.version]


class TestDuckDB(SameProject):
    @pytest.fixture
    def place(self):
        return {"engine": "duckdb", "threads": 1}


@pytest.mark.xdist_group("spark")
class TestSpark(SameProject):
    @pytest.fixture
    def place(self, live_spark):
        return {"engine": "spark"}


@pytest.mark.xdist_group("ray")
class TestRay(SameProject):
    @pytest.fixture
    def place(self, live_ray):
        return {"engine": "ray"}


@pytest.mark.xdist_group("dask")
class TestDask(SameProject):
    @pytest.fixture
    def place(self, live_dask):
        return {"engine": "dask", "address": live_dask.scheduler.address}
