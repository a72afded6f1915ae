"""How old the newest row may be, in which zone, and what is in the future."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from segue.judge.measure import measure_table
from segue.protocols import Context
from segue.registry import load_check
from segue.spec.contract import Slice
from tests.unit.judge.judging import make_check, make_contract

NOW = datetime(2026, 1, 2, 5, 0, tzinfo=UTC)


def judge(session, type_, values, within="1h", now=NOW, **slices):
    rows = [
        f"select {place} as n, cast({text} as {type_}) as t" for place, text in enumerate(values)
    ]
    session.bind(
        "orders", " union all ".join([*rows, f"select 0 as n, null::{type_} as t where false"])
    )
    check = make_check("fresh", within, ["t"])
    contract = make_contract(replace(check, slice=Slice(**slices)))
    schema = session.describe("select * from orders")
    return measure_table(session, "orders", contract, schema, context=Context(now)).measurements[0]


CASES = [
    ("timestamptz", ["'2026-01-01 23:30:00-05:00'"], "1h", "pass"),
    ("timestamptz", ["'2026-01-01 22:59:59-05:00'"], "1h", "fail"),
    ("timestamptz", ["'2026-01-01 00:00:00-05:00'"], "24h", "pass"),
    ("timestamptz", ["'2026-01-02 05:00:01Z'"], "1h", "fail"),
    ("timestamp", ["'2026-01-02 04:00:00'", "'2020-01-01'", "null"], "1h", "pass"),
    ("timestamp", ["'2026-01-02 03:59:59.999999'"], "1h", "fail"),
    ("timestamp", ["'2026-01-02 05:00:00.000001'"], "1h", "fail"),
    ("timestamp", ["'infinity'"], "1h", "fail"),
    ("timestamp", ["'-infinity'"], "1h", "fail"),
    ("timestamp_ns", ["'2026-01-02 04:30:00.123456789'"], "1h", "pass"),
    ("date", ["'2026-01-02'"], "1h", "pass"),
    ("date", ["'2026-01-01'"], "5h", "pass"),
    ("date", ["'2026-01-01'"], "299m", "fail"),
    ("date", ["'2026-01-03'"], "7d", "fail"),
    ("date", ["'infinity'"], "7d", "fail"),
    ("timestamp", [], "1h", "error"),
    ("timestamp", ["null"], "1h", "error"),
    ("varchar", ["'2026-01-02'"], "1h", "error"),
    ("bigint", ["1"], "1h", "error"),
]


@pytest.mark.parametrize(("type_", "values", "within", "verdict"), CASES)
def test_fresh(session, type_, values, within, verdict):
    found = judge(session, type_, values, within)

    assert str(found.verdict) == verdict, found.message
    assert verdict == "error" or found.sql == 'select max("t") as m0 from "orders"'


def test_the_clock_s_zone_does_not_matter(session):
    east = NOW.astimezone(timezone(timedelta(hours=9)))

    assert judge(session, "timestamp", ["'2026-01-02 04:30:00'"], now=east).verdict == "pass"


def test_messages(session):
    old = judge(session, "timestamp", ["'2026-01-01 00:00:00'"])
    ahead = judge(session, "timestamptz", ["'2026-01-02 06:00:00-01'"])
    day = judge(session, "date", ["'2026-01-01'"])

    told = "t: 2026-01-01 00:00:00Z is 1d 5h ago, expected no more than 1h ago"
    assert (old.message, old.value) == (told, 29 * 3600)
    assert ahead.message.startswith("t: 2026-01-02 07:00:00Z is 2h in the future, expected no more")
    assert day.message == "t: 2026-01-01 is 5h ago, expected no more than 1h ago"


def test_sensitive_moments_are_not_told(session):
    session.bind("orders", "select timestamp '2026-01-01' as t")
    check = replace(make_check("fresh", "1h", ["t"]), sensitive=True)
    schema = session.describe("select * from orders")
    context = Context(NOW)

    (found,) = measure_table(
        session, "orders", make_contract(check), schema, context=context
    ).measurements

    assert (found.verdict, found.value) == ("fail", None)
    assert found.message == (
        "t: its newest value is not shown (sensitive columns), expected no more than 1h ago"
    )


def test_fresh_by_segments(session):
    found = judge(session, "timestamp", ["'2026-01-02 04:30'", "'2026-01-01'"], by=("n",))

    assert [(each.key, str(each.verdict)) for each in found.segments] == [({"n": 1}, "fail")]


READ = [
    ("24h", {"within": "24h"}),
    ({"within": "7d"}, {"within": "7d"}),
    (90, {"within": "90"}),
    ({"column": "t", "within": "15m"}, {"within": "15m", "columns": ["t"]}),
]
WRONG = [
    ("yesterday", "is not a duration"),
    ("0s", "expected a duration"),
    (-5, "expected a duration"),
    ({"column": "t"}, "within: 24h"),
    ({"column": 5, "within": "1h"}, "name of a column"),
    ({"max_age": "1h"}, "unknown key 'max_age': expected column, within"),
    (True, "is not a duration"),
]


@pytest.mark.parametrize(("value", "arguments"), READ)
def test_read(value, arguments):
    assert load_check("fresh").read(value) == arguments


@pytest.mark.parametrize(("value", "message"), WRONG)
def test_read_refuses(value, message):
    with pytest.raises(ValueError, match=message):
        load_check("fresh").read(value)
