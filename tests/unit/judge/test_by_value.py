"""Patterns and lists that are held against each different text once."""

from dataclasses import replace

import pytest

from segue.judge.measure import measure_table
from segue.protocols import Context
from segue.spec.contract import Slice
from segue.spec.output import DataFile
from tests.unit.judge.judging import make_check, make_contract

ROWS = 1_000_000
FILES = (DataFile("a", ROWS, 1),)
TABLE = f"""
    select case when range % 10 = 0 then null else ['AT', 'be', 'DE'][range % 3 + 1] end as country,
    'c' || range as email, range % 3 as n from range({ROWS})
"""


@pytest.fixture
def measure(session):
    session.bind("orders", TABLE)
    schema = session.describe("select * from orders")

    def measure(*checks, files=FILES):
        session.queries.clear()
        contract = make_contract(*checks)
        context = Context(files=files)
        return measure_table(session, "orders", contract, schema, context=context).measurements

    return measure


def test_few_texts_are_counted_by_value(session, measure):
    checks = (
        make_check("matches", "[A-Z]{2}", ["country"]),
        make_check("in", ["AT", "be", "DE"], ["country"]),
        make_check("length", 2, ["country"]),
        make_check("format", "uuid", ["country"]),
    )
    matches, listed, length, written = measure(*checks)
    assert [each.failing for each in (matches, listed, length)] == [300_000, 0, 0]
    assert written.failing == 900_000
    assert matches.rows == ROWS
    assert matches.sample[0]["country"] == "be"
    assert "group by" in matches.sql
    assert session.fetch(matches.sql).column(0)[0].as_py() == 300_000
    assert not [query for query in session.queries if query.startswith("select count(*) as m0")]
    plain = measure(*checks, files=None)
    assert [each.failing for each in plain] == [300_000, 0, 0, 900_000]


def test_other_checks_share_the_scan(session, measure):
    checks = (
        make_check("matches", "c[0-9]+", ["email"]),
        make_check("in", [0, 1], ["n"]),
        replace(make_check("matches", "[A-Z]{2}", ["country"]), slice=Slice(where="n = 1")),
        replace(
            make_check("matches", "[A-Z]{2}", ["country"], name="by n"), slice=Slice(by=("n",))
        ),
    )
    found = measure(*checks)
    assert [each.failing for each in found] == [0, 333_333, 300_000, 300_000]
    assert not [each for each in found if "__segue_count" in each.sql]


def test_a_small_table_is_scanned_once(session, measure):
    measure(make_check("matches", "[A-Z]{2}|be", ["country"]), files=(DataFile("a", 10, 1),))
    assert not [query for query in session.queries if "approx" in query]


def test_what_the_engine_refuses_is_told_by_the_scan(measure):
    (found,) = measure(make_check("matches", r"(?P<a>.)\C{2000}", ["country"]))
    assert found.verdict == "error"
    assert "can't be measured" in found.message
