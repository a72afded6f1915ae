import datetime as dt

import pyarrow as pa
import pytest

from segue.errors import StepError
from segue.execute.blame import write_rows


def test_rows_are_shown_short_and_in_one_line_each():
    table = pa.table(
        {
            "text": ["two\nlines", "x" * 100],
            "when": pa.array([1, None], pa.timestamp("ns")),
            "list": [[1, None], []],
        }
    )
    lines = write_rows(table).splitlines()
    assert len(lines) == 3
    assert lines[1].split("  ")[1] == r"two\nlines"
    assert "x" * 39 + "…" in lines[2]
    assert "null" in lines[2]
    assert write_rows(pa.table({})) == "  (no columns)"


def test_only_the_first_rows_are_shown():
    assert len(write_rows(pa.table({"n": range(100)})).splitlines()) == 6


def test_long_traces_are_cut_in_the_middle(world):
    world.add(shop=pa.table({"n": [1]}))
    with pytest.raises(StepError, match="RecursionError") as raised:
        world.call(
            """
            def again(n):
                return again(n + 1)

            @step
            def made(shop: list[dict]) -> list[dict]:
                return again(1)
            """
        )
    lines = raised.value.trace.splitlines()
    assert len(lines) < 40
    assert any("more …" in line for line in lines)
    assert lines[-1].startswith("  RecursionError")


def test_frames_of_libraries_are_left_out(world):
    world.add(shop=pa.table({"n": [1]}))
    with pytest.raises(StepError, match="KeyError: 'm'") as raised:
        world.call(
            """
            @step
            def made(shop: pd.DataFrame) -> pd.DataFrame:
                return shop[
                    "m"
                ]
            """
        )
    paths = {line.split(":")[0].strip() for line in raised.value.trace.splitlines()[:-1:2]}
    assert paths == {"steps/functions.py"}


def test_dates_are_shown_as_python_writes_them():
    assert write_rows(pa.table({"d": [dt.date(2020, 1, 2)]})) == "  d\n  2020-01-02"
