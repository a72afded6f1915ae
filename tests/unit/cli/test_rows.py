"""Rows for people and for programs."""

import csv
import datetime as dt
import io
import json
from contextlib import nullcontext
from decimal import Decimal

import pyarrow as pa
import pytest

from segue.cli.call import Call
from segue.cli.render_rows import render_rows
from segue.cli.rows import answer_rows, choose_limit
from segue.cli.write_rows import write_csv, write_json_lines
from segue.errors import UsageError
from tests.unit.cli.golden import assert_golden, show

ROWS = pa.table(
    {
        "id": pa.array([1, None, 2**53 + 1]),
        "name": pa.array(['a, "b"', "", None]),
        "amount": pa.array([Decimal("1.10"), None, Decimal("-2.00")]),
        "at": pa.array([1767323040000000000, None, None], pa.timestamp("ns")),
        "zoned": pa.array([1767312000000000, None, None], pa.timestamp("us", "Europe/Rome")),
        "took": pa.array([dt.timedelta(seconds=1.5), None, None], pa.duration("ns")),
        "ratio": pa.array([float("nan"), None, 0.5]),
        "raw": pa.array([b"\x00\xff", None, b""]),
        "tags": pa.array([["x", None], None, []]),
        "ok": pa.array([True, None, False]),
    }
)


def test_table_is_as_agreed():
    assert_golden("rows", show(*render_rows(ROWS, 160), width=160))


@pytest.mark.parametrize("width", [30, 60, 80])
def test_columns_without_room_are_named(width):
    text = show(*render_rows(ROWS, width), width=width)
    table = text.splitlines()
    assert all(len(line) <= width for line in table[: 2 + ROWS.num_rows])
    assert "more columns" in text
    assert "ok" in text


def test_long_values_are_cut():
    text = show(*render_rows(pa.table({"a": ["x" * 500], "b": [1]}), 80), width=80)
    assert "…" in text
    assert max(map(len, text.splitlines())) <= 80


def test_terminal_codes_in_data_are_shown_not_sent():
    text = show(*render_rows(pa.table({"a\x1b": ["\x1b[31mred\nnew line"]}), 80), width=80)
    assert "\x1b" not in text
    assert r"\x1b[31mred\nnew line" in text


def test_empty_table_shows_its_columns():
    assert "id" in show(*render_rows(ROWS.slice(0, 0), 160), width=160)


def test_json_lines_lose_nothing():
    stream = io.StringIO()
    write_json_lines(ROWS.to_reader(), stream)
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert rows[0] == {
        "id": 1,
        "name": 'a, "b"',
        "amount": "1.10",
        "at": "2026-01-02T03:04:00",
        "zoned": "2026-01-02T01:00:00+0100",
        "took": "0:00:01.500000",
        "ratio": "NaN",
        "raw": "00ff",
        "tags": ["x", None],
        "ok": True,
    }
    assert set(rows[1].values()) == {None, ""}
    assert rows[2]["id"] == 2**53 + 1


def test_csv_is_read_back():
    stream = io.StringIO()
    write_csv(ROWS.to_reader(), stream)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert rows[0]["name"] == 'a, "b"'
    assert [row["amount"] for row in rows] == ["1.10", "", "-2.00"]
    assert stream.getvalue().splitlines()[2] == ',"",,,,,,,,'


@pytest.mark.parametrize(
    ("call", "limit", "everything", "as_csv", "most"),
    [
        (Call(), None, False, False, 20),
        (Call(), 5, False, False, 5),
        (Call(), None, True, False, None),
        (Call(), None, False, True, None),
        (Call(as_json=True), None, False, False, None),
        (Call(as_json=True), 3, False, False, 3),
    ],
)
def test_limit(call, limit, everything, as_csv, most):
    assert choose_limit(call, limit, everything=everything, as_csv=as_csv) == most


def test_contradictions_are_refused():
    with pytest.raises(UsageError, match="--limit and --all"):
        choose_limit(Call(), 3, everything=True, as_csv=False)
    with pytest.raises(UsageError, match="--csv and --json"):
        choose_limit(Call(as_json=True), None, everything=False, as_csv=True)


@pytest.mark.parametrize(("rows", "closing"), [(20, "20 rows"), (21, "the first 20 rows;")])
def test_rest_is_announced(capsys, rows, closing):
    data = pa.table({"n": list(range(rows))})
    answer_rows(
        Call(),
        lambda most: nullcontext(data.slice(0, most).to_reader()),
        limit=None,
        everything=False,
        as_csv=False,
    )
    assert closing in capsys.readouterr().out
