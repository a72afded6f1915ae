"""Each kind of source in a flow, and sources with contracts."""

import gzip
import io
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from pyarrow import feather

from segue.errors import SegueError
from tests.flow.building import TOML, lines, source

TABLE = pa.table({"id": pa.array([1, 2], pa.int64()), "name": ["a", None]})
COPY = {"steps/copied.sql": "select id, name from given"}
CSV = lines("id,name", "1,a", "2,")
JSONL = lines('{"id": 1, "name": "a"}', '{"id": 2, "name": null}')


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(TABLE, sink)
    return sink.getvalue()


def arrow(*, stream: bool = False) -> bytes:
    sink = io.BytesIO()
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return sink.getvalue()


def as_feather() -> bytes:
    sink = io.BytesIO()
    feather.write_feather(TABLE, sink, compression="zstd")
    return sink.getvalue()


def zipped(name: str, text: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(name, text)
    return sink.getvalue()


KINDS = {
    "in.csv": CSV,
    "in.tsv": CSV.replace(",", "\t"),
    "in.json": json.dumps(TABLE.to_pylist()),
    "in.jsonl": JSONL,
    "in.ndjson": JSONL,
    "in.parquet": parquet(),
    "in.arrow": arrow(),
    "in.arrows": arrow(stream=True),
    "in.feather": as_feather(),
    "in.csv.gz": gzip.compress(CSV.encode()),
    "in.jsonl.gz": gzip.compress(JSONL.encode()),
    "in.csv.zip": zipped("in.csv", CSV),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_gives_the_same_rows(make_project, name):
    project = make_project({"segue.toml": TOML + source("given", name), name: KINDS[name], **COPY})
    assert project.run() == {"given": "done", "copied": "done"}
    assert project.rows("copied") == project.rows("given") == [(1, "a"), (2, None)]
    assert project.columns("copied") == {"id": "int64", "name": "string"}
    assert project.run() == {"copied": "up to date"}


def test_delta_table(make_project, tmp_path):
    write_deltalake(tmp_path / "outside", TABLE)
    project = make_project({"segue.toml": TOML + source("given", "../outside"), **COPY})
    project.run()
    assert project.rows("copied") == [(1, "a"), (2, None)]
    write_deltalake(tmp_path / "outside", TABLE.slice(0, 1), mode="overwrite")
    assert project.plan()["copied"] == "run: input changed: given"
    project.run()
    assert project.rows("copied") == [(1, "a")]


def test_patterns_and_folders_of_files(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("given", "in/**/*.csv") + source("again", "in"),
            "in/a.csv": lines("id,name", "1,a"),
            "in/deep/b.csv": lines("name,id", "b,2"),
            **COPY,
            "steps/n.sql": "select count(*) as n from again",
        }
    )
    project.run()
    assert project.rows("copied") == [(1, "a"), (2, "b")]
    assert project.rows("n") == [(2,)]
    project.write({"in/c.csv": lines("id,name", "3,c")})
    assert project.to_do() == {"copied", "n"}


def test_folders_of_hive(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("given", "in/*/*.csv"),
            "in/day=2026-01-01/a.csv": lines("id", "1"),
            "in/day=2026-01-02/a.csv": lines("id", "2"),
            "steps/days.sql": "select id, day from given",
        }
    )
    project.run()
    assert [str(row[1]) for row in project.rows("days")] == ["2026-01-01", "2026-01-02"]
    project.write({"in/day=2026-01-03/a.csv": lines("id", "3")})
    project.run()
    assert len(project.rows("days")) == 3


def test_one_source_of_several_steps(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("given", "in.csv"),
            "in.csv": CSV,
            **COPY,
            **{f"steps/s{i}.sql": f"select id + {i} as id from given" for i in range(3)},
        }
    )
    assert len(project.run()) == 5
    assert project.rows("s2") == [(3,), (4,)]
    # A text that several steps read is parsed once, so that its rows are known.
    assert project.recorded("given")["rows"]["read"] == {"given": 2}


def test_stated_types_and_markers(make_project):
    project = make_project(
        {
            "segue.toml": TOML
            + source("given", "in.csv", types='{zip = "string"}', nulls='["NA"]', delimiter='";"'),
            "in.csv": lines("zip;n", "01;1", "02;NA"),
            "steps/copied.sql": "select * from given",
        }
    )
    project.run()
    assert project.rows("copied") == [("01", 1), ("02", None)]
    project.edit("segue.toml", '"string"', '"int64"')
    assert project.to_do() == {"copied"}


RULED = {
    "segue.toml": TOML + source("given", "in.csv"),
    "in.csv": lines("id,name", "1,a", "-2,b", "3,c", "-4,d"),
    **COPY,
}


def test_contract_of_a_source_stops_its_readers(make_project):
    project = make_project(
        {**RULED, "contracts.yml": "given:\n  columns: {id: {between: [0, ~]}}\n"}
    )
    assert project.run() == {"given": "contract failed", "copied": "blocked"}
    assert project.versions() == {}
    assert project.project.record()["status"] == "failed"
    project.write({"in.csv": CSV})
    assert project.run() == {"given": "done", "copied": "done"}


def test_readers_of_a_source_with_rejects_see_its_good_rows(make_project):
    project = make_project(
        {
            **RULED,
            "contracts.yml": "given:\n  columns: {id: {between: [0, ~]}}\n  rejects: true\n",
            "steps/aside.sql": "select id, reject_reasons from given__rejects",
            "steps/py.py": "from segue import step\n\n\n@step\n"
            "def py(given: list[dict]) -> list[dict]:\n    return given\n",
        }
    )
    assert set(project.run().values()) == {"done"}
    assert project.rows("copied") == project.rows("py") == [(1, "a"), (3, "c")]
    assert [row[:2] for row in project.rows("given__rejects")] == [(-4, "d"), (-2, "b")]
    assert [row[0] for row in project.rows("aside")] == [-4, -2]
    made = project.recorded("given")["rows"]
    assert (made["read"], made["rejected"]) == ({"given": 4}, 2)
    assert project.recorded("copied")["rows"]["read"] == {"given": 2}
    assert set(project.run().values()) == {"up to date"}
    project.write({"in.csv": CSV})
    project.run()
    assert project.rows("given__rejects") == project.rows("aside") == []


def test_changed_contract_of_a_source_runs_its_readers(make_project):
    project = make_project(
        {
            **RULED,
            "contracts.yml": "given:\n  columns: {id: {between: [0, ~]}}\n  rejects: true\n",
            "steps/view.sql": "-- segue: {mode: view}\nselect * from given",
            "steps/n.sql": "select count(*) as n from view",
        }
    )
    project.run()
    project.edit("contracts.yml", "[0, ~]", "[-3, ~]")
    assert project.plan()["copied"] == "run: contract changed: given"
    assert "view" in project.plan()["n"]
    project.run()
    assert len(project.rows("copied")) == 3
    assert project.rows("n") == [(3,)]
    project.edit("contracts.yml", "  columns", "  owner: me@example.com\n  columns")
    assert project.to_do() == set()


def test_rejects_of_a_source_may_refer_to_a_source_that_no_step_reads(make_project):
    project = make_project(
        {
            **RULED,
            "segue.toml": RULED["segue.toml"] + source("known", "known.csv"),
            "known.csv": lines("id", "1", "3"),
            "contracts.yml": "given:\n  columns: {id: {references: known.id}}\n  rejects: true\n",
        }
    )
    project.run()
    assert project.rows("copied") == [(1, "a"), (3, "c")]


def test_check_measures_a_source_now(make_project):
    project = make_project(
        {**RULED, "contracts.yml": "given:\n  columns: {id: {between: [0, ~]}}\n"}
    )
    (report,) = project.project.check("given")
    assert (report.verdict, report.measurements[0].failing) == ("fail", 2)


def test_references_between_tables_and_to_sources(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("orders", "o.csv") + source("stores", "s.csv"),
            "o.csv": lines("id,store", "1,a", "2,x"),
            "s.csv": lines("store", "a", "b"),
            "steps/shops.sql": "select store from stores where store <> 'b'",
            "steps/sales.sql": "select id, store from orders",
            "contracts.yml": "sales:\n  columns: {store: {references: shops.store}}\n"
            "orders:\n  columns: {store: {references: stores.store}}\n  rejects: true\n",
        }
    )
    assert project.run()["sales"] == "done"
    assert project.rows("sales") == [(1, "a")]
    project.write({"o.csv": lines("id,store", "1,a", "2,b")})
    assert project.run()["sales"] == "contract failed"
    project.edit("steps/shops.sql", " where store <> 'b'", "")
    assert project.run()["sales"] == "done"


def test_source_that_goes_between_plan_and_run_is_no_crash(make_project):
    project = make_project({**RULED})
    project.project.plan()
    (project.root / "in.csv").unlink()
    with pytest.raises(SegueError, match=r"in\.csv"):
        project.run()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"id,name\n1,a\n2,b,c\n", "in.csv:3"),
        (b"id,name\n1,\xff\xfe\n", "in.csv"),
        (b"id,id\n1,2\n", "'id'"),
    ],
)
def test_poisoned_files_leave_the_table_as_it_was(make_project, content, told):
    project = make_project(RULED)
    project.run()
    project.write({"in.csv": content})
    with pytest.raises(SegueError, match=told):
        project.project.run()
    assert len(project.rows("copied")) == 4
    project.write({"in.csv": CSV})
    project.run()
    assert project.rows("copied") == [(1, "a"), (2, None)]


def test_column_that_goes_is_told_before_anything_runs(make_project):
    project = make_project(RULED)
    project.run()
    project.write({"in.csv": lines("id,nane", "1,a")})
    with pytest.raises(SegueError, match="did you mean 'nane'"):
        project.run()
    assert len(project.rows("copied")) == 4


TYPED = {"id": "int64", "name": "string"}
WITHOUT_ROWS = {
    "in.csv": "id,name\n",
    "in.csv.gz": gzip.compress(b"id,name\n\n"),
    "in.json": "[]",
    "in.jsonl": "",
}


@pytest.mark.parametrize("name", WITHOUT_ROWS)
@pytest.mark.parametrize("readers", ["sql", "python", "several"])
def test_text_without_rows_keeps_its_types(make_project, name, readers):
    steps = {
        "steps/more.sql": "select id + 1 as id, name from given",
        "steps/taken.py": "import pyarrow as pa\nfrom segue import step\n\n\n@step\n"
        "def more(given: pa.Table) -> pa.Table:\n    return given\n",
        "steps/other.sql": "select id, name from given",
    }
    wanted = {"sql": ["more.sql"], "python": ["taken.py"], "several": ["more.sql", "other.sql"]}
    chosen = {f"steps/{each}": steps[f"steps/{each}"] for each in wanted[readers]}
    toml = TOML + source("given", name)
    project = make_project({"segue.toml": toml, name: KINDS[name], **chosen})
    project.run()
    for _ in range(2):
        project.write({name: WITHOUT_ROWS[name]})
        assert set(project.run().values()) == {"done"}
        assert project.rows("more") == []
        assert project.columns("more") == project.columns("given") == TYPED
    project.write({name: KINDS[name]})
    project.run()
    assert len(project.rows("more")) == 2


def test_text_without_rows_under_a_contract_keeps_its_types(make_project):
    contract = "given:\n  columns: {id: {between: [0, ~]}}\n  rejects: true\n"
    more = {"contracts.yml": contract, "steps/more.sql": "select id + 1 as n from given"}
    project = make_project({**RULED, **more})
    project.run()
    project.write({"in.csv": "id,name\n"})
    project.run()
    assert project.rows("more") == []
    assert [report.stops for report in project.project.check("given")] == [False]


def test_stated_types_go_before_remembered_ones(make_project):
    project = make_project({"segue.toml": TOML + source("given", "in.csv"), "in.csv": CSV, **COPY})
    project.run()
    stated = source("given", "in.csv", types='{id = "float64"}')
    project.write({"in.csv": "id,name,more\n", "segue.toml": TOML + stated})
    assert project.columns("given") == {"id": "double", "name": "string", "more": "string"}


def test_failed_run_is_not_remembered(make_project):
    project = make_project({**RULED, "contracts.yml": "given:\n  rows: {min: 9}\n"})
    assert project.run()["given"] == "contract failed"
    project.write({"in.csv": "id,name\n"})
    assert project.columns("given") == {"id": "string", "name": "string"}


@pytest.mark.parametrize("empty", ["in/a.csv", "in/z.csv"])
@pytest.mark.parametrize("options", [{}, {"union": "true"}])
def test_one_file_without_rows_leaves_the_types_of_others(make_project, empty, options):
    head = "day,id,more\n" if options else "day,id\n"
    project = make_project(
        {
            "segue.toml": TOML + source("given", "in/*.csv", **options),
            empty: head,
            "in/b.csv": lines("day,id", "31/12/2026,1"),
            "in/c.csv": lines("day,id", "30/12/2026,2"),
            "steps/copied.sql": "select day, id from given",
        }
    )
    project.run()
    assert project.columns("copied") == {"day": "date32[day]", "id": "int64"}
    assert [row[1] for row in project.rows("copied")] == [2, 1]


def test_new_file_without_rows_is_appended_as_nothing(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("given", "in/*.csv"),
            "in/a.csv": CSV,
            "steps/copied.sql": "-- segue: {mode: append}\nselect id, name from given",
        }
    )
    project.run()
    project.write({"in/b.csv": "id,name\n"})
    assert project.run()["copied"] == "done"
    project.write({"in/c.csv": lines("id,name", "3,c")})
    project.run()
    assert project.rows("copied") == [(1, "a"), (2, None), (3, "c")]
