"""Work as workers do it: rows in any order, in order, and tagged; sealed errors; pickles."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import cloudpickle
import pandas as pd
import pyarrow as pa
import pytest

from segue.errors import OutputError, StepError
from segue.execute.blame import Blame
from segue.execute.skipped import SKIPPED, part_skipped
from segue.execute.work import FunctionWork, WorkInput
from segue.frames.arrow_types import from_arrow, to_arrow
from segue.spec.failure import WorkerFailure, unseal
from segue.spec.layout import INPUT, Layout, key_name, row_name
from segue.spec.step import FrameKind, FrameSpec
from segue.spec.types import Column, parse_schema, parse_type

NAN = float("nan")
SALES = pa.table({"k": [1.0, None, NAN, 1.0, None, 2.0], "v": [3, 1, 2, 4, 5, None]})
ARROW, ROWS = FrameSpec(FrameKind.ARROW), FrameSpec(FrameKind.ROWS)
BLAME = Blame("function 'f'", __file__.rpartition("/")[0])
BY_K = Layout(by=(Column("k", parse_type("float64")),))


def make_work(function, *tables, layout=BY_K, frame=ARROW, result="k: float64, n: int64", **more):
    inputs = tuple(
        WorkInput(f"t{number}", "", frame, from_arrow(table.schema))
        for number, table in enumerate(tables)
    )
    return FunctionWork(
        function, inputs, layout, BLAME, result=result and parse_schema(result), **more
    )


def count(*tables):
    key = next(table["k"][0].as_py() for table in tables if table.num_rows)
    return [{"k": key, "n": sum(table.num_rows for table in tables)}]


def sort_rows(table):
    order = sorted(range(len(table)), key=lambda row: _rank(table["k"][row].as_py()))
    return table.take(order)


def _rank(key):
    return (2, 0) if key is None else (1, 0) if key != key else (0, key)  # noqa: PLR0124 - NaN


def tag(*tables):
    """Return a tagged stream, as engines make it."""
    rows = []
    for number, table in enumerate(tables):
        for row in table.to_pylist():
            packed = {row_name(other): None for other in range(len(tables))}
            packed[row_name(number)] = row
            rows.append({key_name(0): row["k"], INPUT: number, **packed})
    rows.sort(key=lambda row: (_rank(row[key_name(0)]), row[INPUT]))
    schema = pa.schema(
        [
            (key_name(0), pa.float64()),
            (INPUT, pa.int32()),
            *((row_name(n), pa.struct(list(table.schema))) for n, table in enumerate(tables)),
        ]
    )
    return pa.Table.from_pylist(rows, schema=schema)


EXPECTED = "{'k': [1.0, 2.0, nan, None], 'n': [2, 1, 1, 2]}"


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_groups_of_rows_in_order_and_in_any(rows, monkeypatch):
    monkeypatch.setattr("segue.execute.blocks.BLOCK_BYTES", 1)
    work = make_work(count, SALES)
    held = pa.Table.from_batches(list(work.run_tables([SALES])))
    streamed = work.run_stream(sort_rows(SALES).to_batches(max_chunksize=rows))
    assert str(held.to_pydict()) == str(pa.Table.from_batches(streamed).to_pydict()) == EXPECTED
    assert held.schema == pa.schema([("k", pa.float64()), ("n", pa.int64())])


OTHER = pa.table({"k": [None, 9.0, 1.0], "w": ["a", "b", "c"]})


@pytest.mark.parametrize("rows", [1, 3, 100])
@pytest.mark.parametrize(
    ("how", "sizes"),
    [
        ("inner", "{1.0: 3, None: 3}"),
        ("left", "{1.0: 3, 2.0: 1, nan: 1, None: 3}"),
        ("right", "{1.0: 3, 9.0: 1, None: 3}"),
        ("full", "{1.0: 3, 2.0: 1, 9.0: 1, nan: 1, None: 3}"),
    ],
)
def test_tagged_streams(how, sizes, rows, monkeypatch):
    monkeypatch.setattr("segue.execute.blocks.BLOCK_BYTES", 1)
    work = make_work(count, SALES, OTHER, how=how)
    for batches in (
        work.run_tables([SALES, OTHER]),
        work.run_stream(tag(SALES, OTHER).to_batches(max_chunksize=rows)),
    ):
        made = pa.Table.from_batches(batches, to_arrow(work.schema)).to_pydict()
        assert str(dict(zip(made["k"], made["n"], strict=True))) == sizes


def test_tagged_streams_without_keys_are_one_call():
    work = make_work(
        lambda a, b: [{"k": 0, "n": 10 * len(a) + len(b)}], SALES, OTHER, layout=Layout()
    )
    tagged = tag(SALES, OTHER).drop_columns([key_name(0)])
    for batches in (work.run_stream(tagged.to_batches()), work.run_tables([SALES, OTHER])):
        assert pa.Table.from_batches(batches)["n"].to_pylist() == [63]
    assert pa.Table.from_batches(work.run_stream([]))["n"].to_pylist() == [0]


def test_a_stream_is_handed_on_as_it_comes():
    given = []

    def batches():
        for number in range(3):
            given.append(number)
            yield pa.record_batch({"k": [float(number)], "v": [number]})

    def look(rows):
        for table in rows:
            yield [{"k": None, "n": given[-1]} for _ in range(table.num_rows)]

    frame = FrameSpec(FrameKind.ARROW, iterator=True)
    work = make_work(look, SALES, layout=Layout(), frame=frame)
    assert pa.Table.from_batches(work.run_stream(batches()))["n"].to_pylist() == [0, 1, 2]


def test_whole_parts_are_called_without_rows_and_pieces_are_not():
    calls = []

    def note(table):
        calls.append(table.num_rows)
        return []

    for layout in (Layout(), Layout(parts=2), Layout(part_rows=3), Layout(loose=True)):
        work = make_work(note, SALES, layout=layout)
        list(work.run_tables([SALES.slice(0, 0)]))
        list(work.run_stream([]))
    assert calls == [0, 0]


def fail_on_two(table: pa.Table) -> pa.Table:
    if table["k"][0].as_py() == 2:
        raise ArithmeticError("two")
    return table


@pytest.mark.parametrize("way", ["tables", "stream"])
def test_errors_leave_a_worker_sealed(way):
    work = make_work(fail_on_two, SALES, result="k: float64, v: int64")
    run = (
        (lambda: work.run_tables([SALES]))
        if way == "tables"
        else (lambda: work.run_stream(sort_rows(SALES).to_batches()))
    )
    with pytest.raises(WorkerFailure) as raised:
        list(run())
    error = unseal(f"py4j.SomeError: {pickle.loads(pickle.dumps(raised.value))} at java")
    assert type(error) is StepError
    assert error.message == "function 'f' raised ArithmeticError: two"
    assert (error.group, error.sample) == ("k=2.0", "  k    v\n  2.0  null")
    assert error.location.line == fail_on_two.__code__.co_firstlineno + 2


def test_results_that_do_not_fit_leave_a_worker_sealed():
    work = make_work(lambda table: table, SALES, result="k: float64, v: string")
    with pytest.raises(WorkerFailure) as raised:
        list(replace(work, result=parse_schema("k: float64, v: date")).run_tables([SALES]))
    error = unseal(str(raised.value))
    assert type(error) is OutputError
    assert "column 'v' is int64 and can't be date" in error.message
    assert error.group == "k=1.0"


def test_skipped_groups_travel_with_the_rows():
    work = make_work(
        fail_on_two, SALES, result="v: int64, k: float64", skip=(ArithmeticError,), reports=True
    )
    made = pa.Table.from_batches(work.run_tables([SALES]))
    assert made.schema.names == ["v", "k", SKIPPED.name]
    assert from_arrow(made.schema) == work.schema
    rows, skipped = part_skipped(made)
    assert sorted(map(str, rows["v"].to_pylist())) == ["1", "2", "3", "4", "5"]
    assert list(map(str, skipped)) == ["k=2.0: ArithmeticError: two"]


def test_effects_have_one_column_and_no_rows():
    nothing = FrameSpec(FrameKind.NOTHING)
    work = make_work(lambda _: None, SALES, returns=nothing, result="", reports=True)
    work = replace(work, result=parse_schema(""))
    assert work.schema.names == (SKIPPED.name,)
    assert list(work.run_tables([SALES])) == []


def test_many_small_results_are_converted_together(monkeypatch):
    from segue.execute import results

    seen = []
    convert = results.from_frame
    monkeypatch.setattr(results, "from_frame", lambda *a: seen.append(1) or convert(*a))
    table = pa.table({"k": [float(n) for n in range(5_000)]})
    for frame in (FrameKind.PANDAS, FrameKind.POLARS, FrameKind.ARROW, FrameKind.ROWS):
        seen.clear()
        work = make_work(lambda f: f, table, frame=FrameSpec(frame), result="k: float64")
        assert sum(batch.num_rows for batch in work.run_tables([table])) == 5_000
        assert len(seen) == 5


def double(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    yield frame
    yield frame


def test_work_travels_by_any_pickle_and_to_a_process_without_the_users_modules(tmp_path):
    work = make_work(
        double, SALES, frame=FrameSpec(FrameKind.PANDAS), result="k: float64, v: int64"
    )
    for packed in (pickle.dumps(work), cloudpickle.dumps(work)):
        (tmp_path / "work").write_bytes(packed)
        (tmp_path / "rows").write_bytes(pickle.dumps(SALES))
        code = (
            "import pickle, sys; from pathlib import Path; p = Path(sys.argv[1]);"
            "work, rows = (pickle.loads((p / n).read_bytes()) for n in ('work', 'rows'));"
            "print(sum(b.num_rows for b in work.run_tables([rows])), 'tests' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert done.stdout.split() == ["12", "False"], done.stderr
