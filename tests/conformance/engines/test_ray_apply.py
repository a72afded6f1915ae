"""Users' functions on Ray: which rows come together, and how errors come back."""

import dataclasses
import os
import signal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from segue.engines.ray import apply as applying
from segue.engines.ray.engine import RayEngine
from segue.errors import OutputError, StepCrashedError, StepError
from segue.spec.layout import Layout
from segue.spec.scan import Scan
from segue.spec.step import PlaceSpec
from tests.conformance.engines.ray_work import BATCHES, PANDAS, apply, lay_out

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.timeout(300)]

ROWS = 10_000
TABLE = pa.table(
    {
        "k": pa.array([None if n % 11 == 0 else n % 7 for n in range(ROWS)], pa.int64()),
        "row": range(ROWS),
        "text": [f"row {n}" for n in range(ROWS)],
    }
)
EXPECTED = {
    (k, pc.sum(rows).as_py(), len(rows))
    for k, rows in (
        (k, TABLE.filter(pc.is_null(TABLE["k"]) if k is None else pc.equal(TABLE["k"], k))["row"])
        for k in (None, *range(7))
    )
}
SUMS = "k: int64, total: int64, n: int64, worker: int64"
WHOLE = "n: int64, worker: int64"


def sum_rows(group: pa.Table) -> pa.Table:
    rows = group["row"]
    assert rows.to_pylist() == sorted(rows.to_pylist())
    return pa.table(
        {
            "k": group["k"].slice(0, 1),
            "total": [pc.sum(rows).as_py()],
            "n": [len(rows)],
            "worker": [os.getpid()],
        }
    )


def count_rows(part: pa.Table) -> pa.Table:
    return pa.table({"n": [part.num_rows], "worker": [os.getpid()]})


@pytest.fixture
def session(live_ray, tmp_path):
    with RayEngine().open(PlaceSpec("cluster", "ray"), tmp_path) as opened:
        yield opened


@pytest.fixture(params=["files", "blocks", "query"])
def rows(request, session, tmp_path):
    """Bind the table, as files, as blocks or as a SELECT."""
    if request.param == "blocks":
        session.bind("t", TABLE)
        return session
    folder = tmp_path / "t"
    folder.mkdir()
    for number in range(3):
        part = TABLE.slice(number * 4_000, 4_000)
        pq.write_table(part, folder / f"{number}.parquet", row_group_size=500)
    paths = tuple(str(path) for path in sorted(folder.iterdir()))
    session.bind("files", Scan("parquet", paths))
    session.bind("t", Scan("parquet", paths) if request.param == "files" else "select * from files")
    return session


def read_sums(found):
    return {tuple(row[name] for name in ("k", "total", "n")) for row in found.to_pylist()}


def test_groups_are_whole_and_each_is_called_once(rows):
    layout = lay_out("k: int64", sort=("row",))
    found = apply(rows, ["t"], sum_rows, SUMS, layout)
    assert found.num_rows == len(EXPECTED)
    assert read_sums(found) == EXPECTED


@pytest.mark.parametrize("parts", [1, 3, 50])
def test_groups_in_as_many_parts_as_are_asked_for(rows, parts):
    layout = lay_out("k: int64", sort=("row",), parts=parts)
    found = apply(rows, ["t"], sum_rows, SUMS, layout)
    assert read_sums(found) == EXPECTED
    if parts == 1:
        assert len(set(found["worker"].to_pylist())) == 1


def test_groups_that_no_memory_holds_come_as_a_sorted_stream(rows, monkeypatch):
    narrow = dataclasses.replace(applying.limit_tasks(rows._cluster), held=10_000)
    monkeypatch.setattr(applying, "limit_tasks", lambda _: narrow)
    layout = lay_out("k: int64", sort=("-row",))
    found = apply(rows, ["t"], last_row, "k: int64, row: int64", layout)
    last = {k: max(row["row"] for row in TABLE.to_pylist() if row["k"] == k) for k in range(7)}
    assert {row["k"]: row["row"] for row in found.to_pylist() if row["k"] is not None} == last


def last_row(group: pa.Table) -> pa.Table:
    return group.select(["k", "row"]).slice(0, 1)


def test_without_keys_all_rows_are_one_call(rows):
    found = apply(rows, ["t"], count_rows, WHOLE, Layout())
    assert found["n"].to_pylist() == [ROWS]


def test_one_call_even_without_rows(session):
    session.bind("t", TABLE.slice(0, 0))
    assert apply(session, ["t"], count_rows, WHOLE, Layout())["n"].to_pylist() == [0]
    grouped = apply(session, ["t"], sum_rows, SUMS, lay_out("k: int64"))
    assert (grouped.num_rows, grouped.schema.names) == (0, ["k", "total", "n", "worker"])
    for layout in (Layout(parts=3), Layout(part_rows=10), Layout(loose=True)):
        assert sum(apply(session, ["t"], count_rows, WHOLE, layout)["n"].to_pylist()) == 0


@pytest.mark.parametrize(
    ("layout", "sizes"),
    [
        (Layout(parts=3), [3_333, 3_333, 3_334]),
        (Layout(part_rows=4_000), [2_000, 4_000, 4_000]),
        (Layout(part_rows=4_000, even=True), [3_333, 3_333, 3_334]),
    ],
)
def test_parts_without_keys(rows, layout, sizes):
    found = apply(rows, ["t"], count_rows, WHOLE, layout)
    assert sorted(found["n"].to_pylist()) == sizes


def test_rows_that_stand_alone_are_worked_on_where_they_are(rows):
    found = apply(rows, ["t"], double_rows, "row: int64, of: int64", Layout(loose=True))
    assert sorted(found["row"].to_pylist()) == [2 * n for n in range(ROWS)]
    assert set(found["of"].to_pylist()) == {ROWS // 2}


def double_rows(part: pa.Table) -> pa.Table:
    sizes = pa.array([part.num_rows] * part.num_rows, pa.int64())
    return pa.table({"row": pc.multiply(part["row"], 2), "of": sizes})


def test_an_iterator_gets_all_rows_piece_by_piece(rows, monkeypatch):
    narrow = dataclasses.replace(applying.limit_tasks(rows._cluster), held=10_000)
    monkeypatch.setattr(applying, "limit_tasks", lambda _: narrow)
    layout = Layout(sort=("-row",))
    found = apply(rows, ["t"], pass_batches, "row: int64", layout, BATCHES)
    assert found["row"].to_pylist() == list(range(ROWS - 1, -1, -1))


def pass_batches(batches):
    for batch in batches:
        yield batch.select(["row"])


@pytest.mark.parametrize("held", [10**9, 1_000])
@pytest.mark.parametrize("files", [True, False])
@pytest.mark.parametrize("narrow", [True, False])
def test_cogroups_of_keys_with_different_types(session, tmp_path, monkeypatch, held, files, narrow):
    limits = dataclasses.replace(applying.limit_tasks(session._cluster), held=held)
    monkeypatch.setattr(applying, "limit_tasks", lambda _: limits)
    kind = pa.int32() if narrow else pa.int64()
    left = TABLE.select(["k", "row"])
    right = pa.table({"b": ["x"] * 4, "k": pa.array([1, 1, None, 9], kind)})
    for name, table in (("l", left), ("r", right)):
        if files:
            pq.write_table(table, tmp_path / f"{name}.parquet")
            session.bind(name, Scan("parquet", (str(tmp_path / f"{name}.parquet"),)))
        else:
            session.bind(name, table)
    layout = lay_out("k: int64")
    schema = "k: int64, sizes: string"
    found = apply(session, ["l", "r"], sizes, schema, layout, how="full")
    counts = {k: n for k, _, n in EXPECTED}
    expected = {k: f"{n}/0" for k, n in counts.items()}
    expected |= {1: f"{counts[1]}/2", None: f"{counts[None]}/1", 9: "0/1"}
    assert {row["k"]: row["sizes"] for row in found.to_pylist()} == expected


def sizes(left: pa.Table, right: pa.Table) -> pa.Table:
    key = (left if left.num_rows else right)["k"].slice(0, 1).cast(pa.int64())
    return pa.table({"k": key, "sizes": [f"{left.num_rows}/{right.num_rows}"]})


def test_two_inputs_without_keys_are_one_call(session):
    session.bind("l", TABLE)
    session.bind("r", TABLE.slice(0, 10))
    found = apply(session, ["l", "r"], count_both, "l: int64, r: int64", Layout())
    assert found.to_pylist() == [{"l": ROWS, "r": 10}]


def count_both(left: pa.Table, right: pa.Table) -> pa.Table:
    return pa.table({"l": [left.num_rows], "r": [right.num_rows]})


def test_a_result_is_an_input_and_a_table_for_sql(session):
    session.bind("t", TABLE)
    apply(session, ["t"], sum_rows, SUMS, lay_out("k: int64"))
    session.bind("sums", 'select * from "result"')
    assert session.fetch("select sum(n)::int64 as n from sums").to_pylist() == [{"n": ROWS}]
    again = apply(session, ["result"], last_total, "total: int64", Layout())
    assert again.num_rows == 1


def last_total(part: pa.Table) -> pa.Table:
    return part.select(["total"]).slice(0, 1)


def test_pandas_functions_of_columns_that_sql_cannot_tell_apart(session):
    session.bind("t", pa.table({"k": [1, 1, 2], "K": ["a", "b", "c"]}))
    found = apply(session, ["t"], join_texts, "k: int64, K: string", lay_out("k: int64"), PANDAS)
    assert sorted(found.to_pylist(), key=lambda row: row["k"]) == [
        {"k": 1, "K": "ab"},
        {"k": 2, "K": "c"},
    ]


def join_texts(group: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"k": group["k"].iloc[:1], "K": ["".join(group["K"])]})


def test_more_rows_than_the_object_store_holds(session):
    count = 12_000_000
    table = pa.table({"k": np.arange(count) % 1_000, "x": np.arange(count), "y": np.zeros(count)})
    assert table.nbytes > 200 * 2**20
    session.bind("t", table)
    del table
    found = apply(session, ["t"], sum_x, "k: int64, x: int64", lay_out("k: int64"))
    assert pc.sum(found["x"]).as_py() == count * (count - 1) // 2
    total = session.fetch("select sum(x)::int64 as x from t")
    assert total.to_pylist() == [{"x": count * (count - 1) // 2}]
    kept = apply(session, ["t"], keep_rows, "k: int64, x: int64, y: float64", Layout(loose=True))
    assert kept.num_rows == count


def sum_x(group: pa.Table) -> pa.Table:
    return pa.table({"k": group["k"].slice(0, 1), "x": [pc.sum(group["x"]).as_py()]})


def keep_rows(part: pa.Table) -> pa.Table:
    return part


def fail_in_one(group: pa.Table) -> pa.Table:
    if group["k"][0].as_py() == 3:
        raise NotImplementedError("three is too many")
    return group.select(["row"])


def test_an_error_names_the_group_and_the_users_line(rows):
    with pytest.raises(StepError) as found:
        apply(rows, ["t"], fail_in_one, "row: int64", lay_out("k: int64"))
    error = found.value
    assert (error.engine, error.group) == ("ray", "k=3")
    assert "three is too many" in error.message
    line = fail_in_one.__code__.co_firstlineno + 2
    assert (error.location.path, error.location.line) == ("test_ray_apply.py", line)
    assert "row 3" in error.sample
    assert rows.fetch("select count(*) as n from t").to_pylist() == [{"n": ROWS}]


def test_a_result_of_another_type_is_refused(session):
    session.bind("t", TABLE)
    with pytest.raises(OutputError) as found:
        apply(session, ["t"], count_rows, "n: date, worker: int64", Layout())
    assert "'n'" in found.value.message


def die(group: pa.Table) -> pa.Table:
    os.kill(os.getpid(), signal.SIGKILL)
    return group


def test_a_worker_that_dies_is_told_with_a_hint(session):
    session.bind("t", TABLE)
    apply(session, ["t"], count_rows, WHOLE, Layout())
    with pytest.raises(StepCrashedError) as found:
        session.apply("x", ["t"], _work(session, die), Layout())
    assert (found.value.engine, bool(found.value.hint)) == ("ray", True)
    assert session.fetch('select n from "result"').to_pylist() == [{"n": ROWS}]


def _work(session, function):
    from tests.conformance.engines.ray_work import make_work

    return make_work(session, ["t"], function, "row: int64", Layout())


def test_what_cannot_leave_this_process(session):
    import threading

    lock = threading.Lock()
    session.bind("t", TABLE)

    def locked(part: pa.Table) -> pa.Table:
        with lock:
            return part.select(["row"])

    with pytest.raises(StepError, match="sent to workers"):
        apply(session, ["t"], locked, "row: int64", Layout())


def test_closing_ends_what_runs(live_ray, tmp_path):
    import threading

    session = RayEngine().open(PlaceSpec("cluster", "ray"), tmp_path)
    session.bind("t", TABLE)
    started = tmp_path / "started"
    os.mkfifo(started)
    failures = []

    def wait_for_ever(part: pa.Table) -> pa.Table:
        with started.open("w") as pipe:
            pipe.write("now")
        signal.pause()
        return part.select(["row"])

    def work():
        try:
            apply(session, ["t"], wait_for_ever, "row: int64", Layout())
        except StepError as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    with started.open() as pipe:
        assert pipe.read() == "now"
    session.close()
    thread.join(60)
    assert [error.message for error in failures] == ["the engine was closed"]
