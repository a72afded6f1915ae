"""Windows mean the same in SQL, in Arrow and in whole numbers."""

import random

import duckdb
import pyarrow as pa
import pytest

from segue.frames.windows import assign_windows
from segue.spec.edge import WindowKind, WindowSpec
from segue.spec.windows import find_starts, write_windows

FIXED = [
    WindowSpec(WindowKind.TUMBLING, "at", 60, 60),
    WindowSpec(WindowKind.SLIDING, "at", 60, 25),
    WindowSpec(WindowKind.SLIDING, "at", 50, 25),
]
SESSIONS = [
    WindowSpec(WindowKind.SESSION, "at", 20, 20),
    WindowSpec(WindowKind.SESSION, "at", 20, 20, by=("sensor",)),
    WindowSpec(WindowKind.SESSION, "at", 20, 20, by=("sensor", "site")),
]
NAMES = ["at", "sensor", "site", "n", "window_start", "window_end"]


def make_rows(seed, unit="us", zone=None):
    draw = random.Random(seed)
    size = 200
    times = [
        draw.choice([None, draw.randrange(-300, 1500)])
        if draw.random() < 0.1
        else draw.randrange(-300, 1500)
        for _ in range(size)
    ]
    return pa.table(
        {
            "at": pa.array(times, pa.timestamp("us", tz=zone)).cast(pa.timestamp(unit, tz=zone)),
            "sensor": [draw.choice(["a", "b", None]) for _ in range(size)],
            "site": [draw.choice([1, 2, None]) for _ in range(size)],
            "n": list(range(size)),
        }
    )


def by_sql(rows, window):
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'Europe/Rome'")
        connection.register("rows", rows)
        return connection.sql(write_windows(window, "rows")).to_arrow_table()


def as_numbers(table):
    plain = table.select(NAMES)
    for name in ("at", "window_start", "window_end"):
        whole = plain[name].cast(pa.timestamp("us", tz=plain.schema.field(name).type.tz))
        plain = plain.set_column(NAMES.index(name), name, whole.cast("int64"))
    return sorted(map(repr, plain.to_pylist()))


@pytest.mark.parametrize("window", FIXED + SESSIONS, ids=str)
@pytest.mark.parametrize(("unit", "zone"), [("us", None), ("us", "UTC"), ("ns", None)])
def test_sql_and_arrow_agree(window, unit, zone):
    rows = make_rows(7, unit, zone)
    told, computed = by_sql(rows, window), assign_windows(rows, window)
    assert told.column_names == computed.column_names == NAMES
    assert as_numbers(told) == as_numbers(computed)
    assert told.schema.field("window_end").type.unit == "us"
    assert computed.schema.field("window_end").type == pa.timestamp("us", tz=zone)


@pytest.mark.parametrize("window", FIXED, ids=str)
def test_arrow_agrees_with_whole_numbers(window):
    rows = make_rows(8)
    expected = sorted(
        (time, start)
        for time in rows["at"].cast("int64").to_pylist()
        if time is not None
        for start in find_starts(window, time)
    )
    made = assign_windows(rows, window)
    found = zip(
        made["at"].cast("int64").to_pylist(),
        made["window_start"].cast("int64").to_pylist(),
        strict=True,
    )
    assert sorted(found) == expected


@pytest.mark.parametrize("window", FIXED + SESSIONS, ids=str)
def test_no_rows_have_no_windows(window):
    empty = make_rows(9).slice(0, 0)
    assert assign_windows(empty, window).num_rows == 0
    assert by_sql(empty, window).num_rows == 0


def test_a_session_ends_with_a_silence_as_long_as_its_size():
    rows = pa.table({"at": pa.array([0, 19, 39, 40], pa.timestamp("us"))})
    made = assign_windows(rows, WindowSpec(WindowKind.SESSION, "at", 20, 20))
    spans = {
        (row["window_start"].microsecond, row["window_end"].microsecond) for row in made.to_pylist()
    }
    assert spans == {(0, 39), (39, 60)}


def test_windows_of_windows_replace_those_of_before():
    rows = assign_windows(make_rows(3), FIXED[0])
    wider = WindowSpec(WindowKind.TUMBLING, "window_start", 300, 300)
    told, computed = by_sql(rows, wider), assign_windows(rows, wider)
    assert told.column_names == computed.column_names == NAMES
    assert as_numbers(told) == as_numbers(computed)
