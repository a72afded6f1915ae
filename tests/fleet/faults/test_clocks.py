"""Agents whose wall clocks are wrong, and one whose clock is set back while it works."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from segue.spec.edge import WindowKind, WindowSpec
from segue.testing.processes import wait_until
from tests.edge_slots import source, sql_step
from tests.fleet.faults.agents import (
    SCHEMA,
    SECONDS,
    agent,
    make_slot,
    numbers,
    rows_of,
    run_once,
    status,
    write_numbers,
)

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
pytestmark = [
    pytest.mark.timeout(300),  # hubs and workers load much when they start
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed"),
]
COUNTED = """-- segue: {on: shops}
select n from readings
"""
ROWS = 400


SLEEP = """import select, time
time.sleep = lambda seconds: select.select((), (), (), seconds) and None
"""
"""libfaketime takes the steady deadlines of Python's sleep for times of the wall clock."""


@pytest.fixture
def wrong(tmp_path):
    """Variables of processes whose wall clock is wrong, while their steady clocks go on."""
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "sitecustomize.py").write_text(SLEEP)
    steady = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    steady["PYTHONPATH"] = str(tmp_path / "python")
    return lambda **more: {"LD_PRELOAD": str(LIBRARY), **steady, **more}


@pytest.mark.parametrize(
    ("clock", "quality"), [("@1970-01-01 00:00:10", "unsure"), ("+10y", "unsure"), ("-2h", "ok")]
)
def test_a_clock_that_is_wrong_stops_nothing(hub, home, lines, tmp_path, wrong, clock, quality):
    write_numbers(lines, 0, ROWS)
    run_once(home, make_slot(tmp_path / "1", lines), **wrong(FAKETIME=clock))
    assert numbers(hub) == list(range(ROWS))
    assert {row["_clock"] for row in rows_of(hub)} == {quality}
    told = datetime.fromtimestamp(status(home)["clock"], UTC)
    assert abs(told - datetime.now(UTC)).total_seconds() > 3600


def test_a_clock_that_is_set_back_in_the_middle_of_a_window(hub, home, lines, tmp_path, wrong):
    (hub.folder / "steps" / "counted.sql").write_text(COUNTED)
    hub.stop()
    hub.start("--tls")
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    size = 100 * 10**6
    stamped = sql_step(
        "stamped", 'select n, make_timestamp(n * 1000000) as "at" from readings',
        "n: int64, at: timestamp",
    )  # fmt: skip
    counted = sql_step(
        "counted", "select window_start, count(*) as n from stamped group by all",
        "window_start: timestamp, n: int64", "stamped",
        window=WindowSpec(WindowKind.TUMBLING, "at", size, size),
    )  # fmt: skip
    steps = [stamped, counted]
    slot = make_slot(tmp_path / "1", lines, steps=steps, send=[source(lines, SCHEMA), counted])
    moving = wrong(FAKETIME_TIMESTAMP_FILE=str(offset), FAKETIME_NO_CACHE="1")
    write_numbers(lines, 0, 150)
    with agent(home, slot, **moving):
        wait_until(lambda: len(numbers(hub)) == 150, "the first rows", SECONDS)
        offset.write_text("-2h\n")
        write_numbers(lines, 150, 350)
        wait_until(lambda: len(numbers(hub)) == 350, "rows after the clock was set", SECONDS)
        wait_until(lambda: status(home)["clock_quality"] == "stepped", "the status", SECONDS)
    run_once(home, slot, **moving)
    rows = sorted(rows_of(hub), key=lambda row: row["_sequence"])
    assert [row["n"] for row in rows] == list(range(350))
    assert {row["_clock"] for row in rows[:150]} == {"ok"}
    assert {row["_clock"] for row in rows[150:]} == {"stepped"}
    assert numbers(hub, "counted")[:3] == [100, 100, 100]
