# ruff: noqa: DTZ001 - times of columns without a zone
"""CSV, logfmt, pairs and bare text."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.unit.agent.formats.reading import parse


def test_csv_fields_are_in_the_order_of_the_columns():
    data = b'a,b,c\n1,x,1.5\n2,"y, ""q""",\n'
    rows, rejects = parse("csv", "a: int64, b: string, c: float64", data)
    assert rows == [{"a": 1, "b": "x", "c": 1.5}, {"a": 2, "b": 'y, "q"', "c": None}]
    assert rejects == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'3,"open,2', "a quote is not closed, or stands inside a field"),
        (b'6,x"y,"abc', "a quote is not closed, or stands inside a field"),
        (b'9,"a"b,1', "a quote is not closed, or stands inside a field"),
        (b"4,z", "2 fields, not 3"),
        (b'4,"a,b",1,2', "4 fields, not 3"),
        (b"x,y,1", "a: 'x' is not int64"),
        (b'5,"",x', "c: 'x' is not float64"),
        (b"5,y,1e999", "c: '1e999' is not float64"),
        (b"5,\xff,1", "not utf-8: byte 0xff at 3"),
    ],
)
def test_csv_lines_that_do_not_fit(line, reason):
    schema = "a: int64, b: string, c: float64"
    data = b'1,"k",1\n' * 5 + line + b"\n" + b"2,k,2\n" * 5
    rows, rejects = parse("csv", schema, data)
    assert [row["a"] for row in rows] == [1] * 5 + [2] * 5
    assert rejects == [(line, reason)]


def test_csv_with_other_signs():
    options = {"delimiter": ";", "quote": "'", "escape": "\\", "nulls": ["NA"], "decimal": ","}
    data = b"x;b;a\n9;'a;\\'b';1,5\n9;NA;NA\n9;'NA';2\n"
    schema = "a: decimal(5,2), b: string"
    rows, rejects = parse("csv", schema, data, fields=["x", "b", "a"], **options)
    assert rows == [
        {"a": Decimal("1.50"), "b": "a;'b"},
        {"a": None, "b": None},
        {"a": Decimal("2.00"), "b": "NA"},
    ]
    assert rejects == []


def test_csv_headers_are_left_out_wherever_they_stand_unless_told_otherwise():
    data = b"a\nx\na\n"
    assert parse("csv", "a: string", data)[0] == [{"a": "x"}]
    assert parse("csv", "a: string", data, header=False)[0] == [{"a": t} for t in "axa"]


def test_csv_nested_values_are_json():
    rows, rejects = parse("csv", "a: int64, l: list<int64>", b'1,"[1,2]"\n2,"[x]"\n3,\n')
    assert rows == [{"a": 1, "l": [1, 2]}, {"a": 3, "l": None}]
    assert len(rejects) == 1


def test_csv_without_quotes():
    rows, _ = parse("csv", "a: string, b: string", b'a "x,b"\n', quote="", header=False)
    assert rows == [{"a": 'a "x', "b": 'b"'}]


def test_logfmt():
    data = (
        b'at=2024-01-01T00:00:00Z level=info n=3 ok msg="a \\"b\\" c=d\\n"\n'
        b'  n=1   ok=false  \nfoo=1\nmsg=a"b level=\n'
    )
    rows, rejects = parse(
        "logfmt", "at: timestamp, level: string, n: int64, ok: bool, msg: string", data
    )
    none = dict.fromkeys(("at", "level", "n", "ok", "msg"))
    assert rows == [
        {"at": datetime(2024, 1, 1), "level": "info", "n": 3, "ok": True, "msg": 'a "b" c=d\n'},
        {**none, "n": 1, "ok": False},
        none,
        {**none, "msg": 'a"b'},
    ]
    assert rejects == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"n=1 n=2", "n: stands there twice"),
        (b'msg="open', "no pair at 1: 'msg=\"open'"),
        (b"=3", "no pair at 1: '=3'"),
        (b"n=x", "n: 'x' is not int64"),
        (b'n=1 msg="a"b', "no pair at 5: 'msg=\"a\"b'"),
    ],
)
def test_logfmt_lines_that_do_not_fit(line, reason):
    data = b"n=1\n" + line + b"\nn=2\n"
    rows, rejects = parse("logfmt", "n: int64, msg: string", data)
    assert [row["n"] for row in rows] == [1, 2]
    assert rejects == [(line, reason)]


def test_pairs_with_signs_of_ones_own():
    data = b"temp: 21.5; door: 'a;b'\ntemp:1 ;door:half open\ntemp\n"
    rows, rejects = parse(
        "pairs", "temp: float64, door: string", data, between=";", assign=":", quote="'"
    )
    assert rows == [{"temp": 21.5, "door": "a;b"}, {"temp": 1.0, "door": "half open"}]
    assert rejects == [(b"temp", "'temp' has no value")]
    rows, _ = parse("pairs", "a: int64, b: int64", b"a=>1 || b=>2\n", between="||", assign="=>")
    assert rows == [{"a": 1, "b": 2}]


def test_text_is_one_value_a_line():
    assert parse("text", "line: string", b" a \n\nb\n")[0] == [{"line": " a "}, {"line": "b"}]
    rows, rejects = parse("text", "v: float64", b"1.5\nx\n 2 \n")
    assert rows == [{"v": 1.5}, {"v": 2.0}]
    assert rejects == [(b"x", "v: 'x' is not float64")]


def test_dates_times_and_markers_of_null():
    rows, rejects = parse(
        "csv", "d: date, t: timestamp", b"2024-01-01,-\n-,2024-01-01 10:00\n", nulls=["-"]
    )
    assert rows == [
        {"d": date(2024, 1, 1), "t": None},
        {"d": None, "t": datetime(2024, 1, 1, 10)},
    ]
    assert rejects == []


def test_times_with_and_without_offset_in_one_block():
    data = b"2024-01-01T00:00:00Z\n2024-01-01T02:00:00\n2024-01-01T04:00:00+02:00\nx\n2024-01-01\n"
    rows, rejects = parse("text", "t: timestamp", data)
    assert [row["t"].hour for row in rows] == [0, 2, 2, 0]
    assert len(rejects) == 1


def test_bare_text_of_hostile_shape_takes_no_time():
    lines = [b'a="' + b"\\" * 50_000, b"x" * 500_000, b'a="' * 50_000, b" " * 50_000 + b"x"]
    for line in lines:
        parse("logfmt", "a: string", line + b"\n")
        parse("csv", "a: string", line + b"\n")
        parse("pairs", "a: string", line + b"\n", between=";")
