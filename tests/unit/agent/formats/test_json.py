# ruff: noqa: DTZ001 - times of columns without a zone
import json
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from tests.unit.agent.formats.reading import open_for, parse


def test_members_are_columns_by_name():
    rows, rejects = parse("json", "n: int64, s: string", b'{"s":"a","n":1,"x":[1]}\n{"n":2}\n')
    assert rows == [{"n": 1, "s": "a"}, {"n": 2, "s": None}]
    assert rejects == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"n":"1"}', "n: '1' is not int64"),
        (b'{"n":1.5}', "n: 1.5 is not int64"),
        (b'{"n":9223372036854775808}', "n: 9223372036854775808 is not int64"),
        (b'{"n":true}', "n: True is not int64"),
        (b'{"n":{"a":1}}', "n: {'a': 1} is not int64"),
        (b'{"n":1', "not JSON: Expecting ',' delimiter at 7"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"1", "not a JSON object"),
        (b"nonsense", "not JSON: Expecting value at 1"),
        (b'{"n":1}{"n":2}', "not JSON: Extra data at 8"),
        (b'{"n":1}null{"n":2}', "not JSON: Extra data at 8"),
        (b'{"n":1,"n":2}', "n: stands there twice"),
        (b'{"n":1,"s":"\xff"}', "not utf-8: byte 0xff at 13"),
        (b'{"n":1,"s":"\\ud800"}', "s: '\\ud800' is not string"),
        (b'{"d":1.001}', "d: '1.001' is not decimal(10,2)"),
        (b'{"f":1e39}', "f: 1E+39 is not float32"),
        (b'{"at":"yesterday"}', "at: 'yesterday' is not timestamp"),
        (b'{"at":5}', "at: 5 is not timestamp"),
        (b'{"at":"2024-02-30T00:00:00"}', "at: '2024-02-30T00:00:00' is not timestamp"),
    ],
)
def test_a_line_that_does_not_fit_is_told_and_its_neighbours_flow(line, reason):
    schema = "n: int64, s: string, d: decimal(10,2), f: float32, at: timestamp"
    data = b'{"n":1}\n' * 300 + line + b"\n" + b'{"n":2}\n' * 300
    rows, rejects = parse("json", schema, data)
    assert [row["n"] for row in rows] == [1] * 300 + [2] * 300
    assert rejects == [(line, reason)]
    assert parse("json", schema, line + b"\n") == ([], [(line, reason)])


def test_an_object_over_several_lines_is_none():
    rows, rejects = parse("json", "n: int64", b'{"n":\n1}\n{"n":2}\n')
    assert rows == [{"n": 2}]
    assert len(rejects) == 2


def test_blank_lines_carriage_returns_and_marks_are_no_records():
    data = b'\xef\xbb\xbf{"n":1}\r\n\n  {"n":2}  \n\r\n{"n":3}'
    assert parse("json", "n: int64", data) == ([{"n": 1}, {"n": 2}, {"n": 3}], [])


def test_every_type():
    schema = (
        "b: bool, u: uint8, f: float32, g: float64, s: string, y: binary, d: decimal(38,9), "
        "day: date, t: time, at: timestamp, z: timestamp(us, UTC), w: duration(ms), "
        "l: list<int64>, m: map<string, int64>, c: categorical<string>, "
        "st: struct<a: int64, deep: list<struct<x: date>>>"
    )
    record = {
        "b": True,
        "u": 255,
        "f": 1.5,
        "g": 1,
        "s": "é",
        "y": "ab",
        "d": "12345678901234567890.123456789",
        "day": "2024-02-29",
        "t": "23:59:59.5",
        "at": "2024-01-01T02:00:00+02:00",
        "z": "2024-01-01T00:00:00Z",
        "w": 1500,
        "l": [1, None],
        "m": {"k": 2},
        "c": "red",
        "st": {"a": None, "deep": [{"x": "2024-01-01"}]},
    }
    rows, rejects = parse("json", schema, json.dumps(record).encode() + b"\n")
    assert rejects == []
    assert rows == [
        {
            **record,
            "y": b"ab",
            "d": Decimal("12345678901234567890.123456789"),
            "day": date(2024, 2, 29),
            "t": time(23, 59, 59, 500000),
            "at": datetime(2024, 1, 1),
            "z": datetime(2024, 1, 1, tzinfo=UTC),
            "w": timedelta(milliseconds=1500),
            "m": [("k", 2)],
            "st": {"a": None, "deep": [{"x": date(2024, 1, 1)}]},
        }
    ]


@pytest.mark.parametrize(
    ("unit", "number", "found"),
    [
        ("s", b"1700000000", datetime(2023, 11, 14, 22, 13, 20)),
        ("s", b"1700000000.1234567", datetime(2023, 11, 14, 22, 13, 20, 123456)),
        ("ms", b"1700000000123", datetime(2023, 11, 14, 22, 13, 20, 123000)),
        ("us", b"-1", datetime(1969, 12, 31, 23, 59, 59, 999999)),
        ("ns", b"1700000000123456789", datetime(2023, 11, 14, 22, 13, 20, 123456)),
        ("s", b'"1700000000"', datetime(2023, 11, 14, 22, 13, 20)),
    ],
)
def test_epochs_are_read_only_where_they_are_stated(unit, number, found):
    line = b'{"at":' + number + b"}\n"
    assert parse("json", "at: timestamp", line, epoch={"at": unit}) == ([{"at": found}], [])
    assert parse("json", "at: timestamp", line)[0] == []


def test_a_time_without_offset_needs_a_zone_where_the_column_has_one():
    line = b'{"at":"2024-07-01T12:00:00"}\n'
    assert parse("json", "at: timestamp(us, UTC)", line)[0] == []
    rows, _ = parse("json", "at: timestamp(us, UTC)", line, zone="Europe/Rome")
    assert rows == [{"at": datetime(2024, 7, 1, 10, tzinfo=UTC)}]


def test_times_have_formats_of_their_own():
    line = b'{"at":"01.02.2024 03:04","d":"1/2/24"}\n'
    options = {"time_format": {"at": "%d.%m.%Y %H:%M", "d": "%d/%m/%y"}}
    rows, rejects = parse("json", "at: timestamp, d: date", line + b'{"d":"2024"}\n', **options)
    assert rows == [{"at": datetime(2024, 2, 1, 3, 4), "d": date(2024, 2, 1)}]
    assert rejects == [(b'{"d":"2024"}', "d: '2024' is not date")]


def test_another_encoding():
    data = '{"s":"é"}\n'.encode("latin-1")
    assert parse("json", "s: string", data, encoding="latin-1") == ([{"s": "é"}], [])


def test_the_table_has_exactly_the_declared_columns_also_without_rows():
    parsed = open_for("json", "n: int8, c: categorical<string>").parse(b"x\n")
    assert parsed.table.schema == pa.schema(
        [("n", pa.int8()), ("c", pa.dictionary(pa.int32(), pa.string()))]
    )
    assert parsed.rejects.schema == pa.schema([("line", pa.binary()), ("reason", pa.string())])


def test_nothing_that_is_nested_deep_or_long_ends_the_process():
    deep = b'{"n":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    long = b'{"n":2,"s":"' + b"x" * 3_000_000 + b'"}\n'
    rows, rejects = parse("json", "n: int64", deep + long + b'{"n":3}\n' + b"{" * 1000 + b"}\n")
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert len(rejects) == 1


def test_a_block_of_bad_lines_only():
    rows, rejects = parse("json", "n: int64", b'{"n":"x"}\n' * 3000)
    assert rows == []
    assert len(rejects) == 3000


def test_zeros_behind_the_last_place_of_a_decimal_are_no_loss():
    data = b'{"d":1.250}\n{"d":"1.2500"}\n{"d":1.2501}\n{"d":12345.6}\n'
    rows, rejects = parse("json", "d: decimal(6,2)", data)
    assert [str(row["d"]) for row in rows] == ["1.25", "1.25"]
    assert [reason for _, reason in rejects] == [
        "d: '1.2501' is not decimal(6,2)",
        "d: '12345.6' is not decimal(6,2)",
    ]


def test_nothing_heavy_is_loaded_before_the_first_rows():
    code = (
        "import sys; from tests.unit.agent.formats.reading import open_for;"
        "from segue import registry; [registry.load(registry.EDGE_SOURCES, n) for n in"
        " ('tail', 'folder', 'command', 'serial', 'tcp', 'syslog')];"
        "[open_for(n, 's: string') for n in ('json', 'csv', 'logfmt', 'pairs', 'text')];"
        "print([m for m in ('pyarrow', 'numpy', 'pydantic', 'serial') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
