"""Sessions: what is described is what is fetched and streamed, and files hold it."""

import pyarrow as pa
import pytest

from segue.anywhere.run_query import quote_ticked
from segue.errors import SegueError
from segue.frames.arrow_types import to_arrow
from segue.registry import load_engine, load_local_engine
from segue.spec.nearest import find_storage
from segue.spec.scan import Scan
from segue.spec.step import PlaceSpec
from segue.spec.types import TableSchema
from segue.testing.engines.bench import find_gap
from segue.testing.engines.cases import read_cases
from segue.testing.engines.compare import expect_table
from segue.testing.engines.notation import read_schema
from segue.testing.engines.queries import OPERATIONS, name_inputs, write_query

pytestmark = pytest.mark.timeout(300)
SELECTS = [case for case in read_cases() if case.op in OPERATIONS]
STORED = [case for case in read_cases() if case.op in (*OPERATIONS, "cast", "roundtrip")]
ENGINES = [
    pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("spark", "ray", "dask")
]


@pytest.fixture
def local(tmp_path):
    with load_local_engine().open(PlaceSpec("here", threads=2), tmp_path / "scratch") as opened:
        yield opened


@pytest.fixture(params=["duckdb", *ENGINES])
def session(request, tmp_path):
    engine = load_engine(request.param)
    live = request.getfixturevalue(f"live_{request.param}")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    opened = (
        engine.open(PlaceSpec("here", engine=request.param, threads=2), scratch)
        if isinstance(live, str)
        else engine.attach(live, scratch)
    )
    with opened:
        opened.gaps = engine.capabilities.gaps
        yield opened


def bind_inputs(session, case):
    for name, table in zip(name_inputs(case), case.tables, strict=True):
        session.bind(name, table)


@pytest.mark.parametrize("op", sorted({case.op for case in SELECTS}))
def test_what_is_described_is_streamed(session, op):
    for case in SELECTS:
        if case.op != op or case.out is None or find_gap(case.name, session.gaps):
            continue
        bind_inputs(session, case)
        query = quote_ticked(write_query(case))
        assert to_arrow(session.describe(query)) == case.expected.schema, case.name
        expect_table(session.stream(query, 1).read_all(), case.expected, ordered=case.ordered)


def test_names_are_of_one_session(session):
    session.bind("t", pa.table({"a": [1]}))
    with session.fork() as other:
        other.bind("u", pa.table({"a": [2]}))
        with pytest.raises(SegueError):
            other.fetch("select a from t")
        assert other.fetch("select a from u")["a"].to_pylist() == [2]
    session.bind("t", "select 3 as a")
    assert session.fetch("select a from t")["a"].to_pylist() == [3]
    session.unbind("t")
    with pytest.raises(SegueError):
        session.fetch("select a from t")


def store(session, query, folder, schema=None):
    folder.mkdir()
    schema = schema or session.describe(query)
    files = session.write(query, folder, "part", schema, find_storage)
    return Scan("parquet", tuple(str(folder / file.path) for file in files), schema=schema)


def write_stored(case):
    """Return the SELECT of a case, and the columns to which its result is cast."""
    if case.op in OPERATIONS:
        return write_query(case), None
    source = read_schema(case.inputs[0][0])
    target = read_schema(case.options.get("to", ""))
    columns = tuple(target.find(column.name) or column for column in source)
    return "select * from t0", TableSchema(columns)


@pytest.mark.parametrize("case", STORED, ids=lambda case: case.name)
def test_files_hold_what_a_case_says(local, case, tmp_path):
    out = tmp_path / "out"

    def run():
        for name, table in zip(name_inputs(case), case.tables, strict=True):
            local.bind("raw", table)
            local.bind(name, store(local, "select * from raw", tmp_path / name))
        query, schema = write_stored(case)
        return store(local, query, out, schema)

    if case.out is None:
        with pytest.raises(SegueError):
            run()
        assert not out.exists() or not list(out.iterdir())
        return
    local.bind("result", run())
    expect_table(local.fetch("select * from result"), case.expected)
