"""Rows as JSON: the quick way and the plain way mean the same."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from segue.agent.destinations.plain import number_rows, write_rows
from segue.protocols.edge import Parcel

VALUES = [
    (pa.int8(), [1, None, -128], [1, None, -128]),
    (pa.uint64(), [2**64 - 1, 0, None], [2**64 - 1, 0, None]),
    (pa.float64(), [0.1, 1e300, None], [0.1, 1e300, None]),
    (pa.float64(), [math.nan, math.inf, -math.inf], ["nan", "inf", "-inf"]),
    (pa.float32(), [0.5, None, math.inf], [0.5, None, "inf"]),
    (pa.bool_(), [True, False, None], [True, False, None]),
    (pa.string(), ['a "b"\n', "%s", "é"], ['a "b"\n', "%s", "é"]),
    (pa.binary(), [b"\x00\xff", None, b""], ["AP8=", None, ""]),
    (pa.date32(), [date(2024, 2, 29), None, None], ["2024-02-29", None, None]),
    (pa.time64("us"), [time(1, 2, 3), None, None], ["01:02:03", None, None]),
    (pa.duration("us"), [timedelta(seconds=1), None, None], ["0:00:01", None, None]),
    (pa.decimal128(9, 2), [Decimal("1.20"), None, None], ["1.20", None, None]),
    (pa.list_(pa.int8()), [[1, None], [], None], [[1, None], [], None]),
    (pa.map_(pa.int8(), pa.string()), [[(1, "a")], [], None], [{"1": "a"}, {}, None]),
    (
        pa.struct([("a", pa.date32())]),
        [{"a": date(2024, 1, 1)}, None, {"a": None}],
        [{"a": "2024-01-01"}, None, {"a": None}],
    ),
    (pa.dictionary(pa.int8(), pa.string()), ["a", "a", None], ["a", "a", None]),
    (pa.null(), [None] * 3, [None] * 3),
]


@pytest.mark.parametrize(("type_", "values", "expected"), VALUES, ids=str)
@pytest.mark.parametrize("often", [1, 5])
def test_values(type_, values, expected, often):
    table = pa.table({"a%": pa.array(values * often, type_)})
    assert [json.loads(row)["a%"] for row in write_rows(table)] == expected * often


@pytest.mark.parametrize("often", [1, 5])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Rome"])
def test_times_are_the_same_moment(zone, often):
    moments = [datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)]
    table = pa.table({"a": pa.array([*moments, None] * often, pa.timestamp("us", zone))})
    found = [json.loads(row)["a"] for row in write_rows(table)][:3]
    read = [datetime.fromisoformat(each) for each in found[:2]]
    assert [each if each.tzinfo else each.replace(tzinfo=UTC) for each in read] == moments
    assert found[2] is None


def test_no_rows():
    assert write_rows(pa.table({"a": pa.array([], pa.string())})) == []


def test_rows_have_a_number_in_their_batch():
    table = pa.table({"_sequence": [4, 4, 5, 5, 5]})
    parcel = Parcel("clean", "n", "e", 4, 5, table)
    assert [*number_rows(parcel)] == [(4, 0), (4, 1), (5, 0), (5, 1), (5, 2)]
