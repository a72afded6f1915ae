"""Queries of one value, and queries that must find no rows."""

import pytest

from segue.judge.measure import measure_table
from segue.registry import load_check
from tests.unit.judge.judging import make_check, make_contract


@pytest.fixture
def orders(session):
    session.bind(
        "orders", "from (values (1, 10, 'a@x'), (2, -5, 'b@x'), (3, 0, null)) t(id, v, mail)"
    )
    session.bind("ledger", "from (values (1, 10), (2, -5)) t(order_id, v)")
    return session


def judge(session, value, sensitive=()):
    contract = make_contract(make_check("sql", value), make_check("rows", 3), sensitive=sensitive)
    schema = session.describe("select * from orders")
    found, rows = measure_table(session, "orders", contract, schema).measurements
    assert rows.verdict == "pass"
    return found


MISSING = "select count(*) from orders o anti join ledger l on l.order_id = o.id"
VALUES = [
    ({"sql": MISSING, "equals": 1}, "pass", "the query gives 1, as expected"),
    ({"sql": MISSING, "equals": 0}, "fail", "the query gives 1, expected exactly 0"),
    ({"sql": "select sum(v) from orders; -- all", "between": [0, 10]}, "pass", "the query gives 5"),
    ({"sql": "select max(mail) from orders", "max": "a"}, "fail", "gives b@x, expected at most a"),
    ({"sql": "select 0.5", "max": "x"}, "error", "what is measured is a number"),
    ({"sql": "select 'nan'::double", "max": 5}, "fail", "the query gives NaN"),
    ({"sql": "select date 'infinity'", "max": "2026-01-01"}, "fail", "9999"),
    ({"sql": "select max(v) from orders where false", "max": 5}, "error", "nothing that can be"),
    ({"sql": "select v from orders where false", "max": 5}, "error", "gives no row"),
    ({"sql": "select v from orders", "max": 5}, "error", "gives more than one row"),
    ({"sql": "select 1 as a, 2 as b", "max": 5}, "error", "gives 2 columns, not one: a, b"),
    ({"sql": "select amount from orders", "max": 5}, "error", "can't be measured"),
    ({"sql": "select mail::int from orders", "max": 5}, "error", "can't be measured"),
]


@pytest.mark.parametrize(("value", "verdict", "message"), VALUES)
def test_value(orders, value, verdict, message):
    found = judge(orders, value)

    assert str(found.verdict) == verdict, found.message
    assert message in found.message
    assert found.sql == value["sql"].partition(";")[0]


def test_rows_that_must_not_be(orders):
    bad = judge(orders, "select id, v from orders where v <= 0 order by id -- wrong ones")
    good = judge(orders, {"sql": "from orders where v > 99"})

    assert bad.message == "the query finds 2 rows, expected none"
    assert (str(bad.verdict), bad.failing) == ("fail", 2)
    assert bad.sample == ({"id": 2, "v": -5}, {"id": 3, "v": 0})
    assert (str(good.verdict), good.failing) == ("pass", 0)
    assert good.message == "the query finds no rows, as expected"


def test_samples_are_short(session):
    wide = ", ".join(f"i as c{i}" for i in range(20))
    session.bind("orders", "from range(3) t(id)")

    found = judge(session, f"select repeat('x', 999) as long, {wide} from range(99) t(i)")

    assert found.failing == 99
    assert len(found.sample) == 5
    assert len(found.sample[0]) == 12
    assert len(found.sample[0]["long"]) == 200


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("from orders where id = 1", {"id": 1, "v": 10, "mail": "***"}),
        ("select id from orders where id = 1", {"id": 1}),
        ("select id, Mail as m from orders where id = 1", {"id": "***", "m": "***"}),
        ("with t(a, b, c) as (from orders) select c from t where a = 1", {"c": "***"}),
    ],
)
def test_samples_mask_what_is_sensitive(orders, query, shown):
    assert judge(orders, query, sensitive=("mail",)).sample == (shown,)


def test_values_that_are_sensitive_are_not_told(orders):
    told = judge(orders, {"sql": "select max(mail) from orders", "max": "a"}, ("mail",))
    cast = judge(orders, {"sql": "select max(mail::int) from orders", "max": 1}, ("mail",))
    count = judge(orders, {"sql": "select count(mail) from orders", "max": 1}, ("mail",))

    assert (told.verdict, told.value) == ("fail", None)
    assert "b@x" not in told.message
    assert cast.verdict == "error"
    assert "@x" not in cast.message
    assert count.message == "the query gives 2, expected at most 1"


def test_tables_that_it_reads_are_told():
    arguments = load_check("sql").read(f"with o as (from orders) {MISSING}")

    assert arguments["reads"] == ("orders", "ledger")


WRONG = [
    ("", "a SELECT as text"),
    ({"equals": 0}, "expected {sql"),
    ("selec 1", "is not a SELECT|does not parse"),
    ("insert into a values (1)", "INSERT is not a SELECT"),
    ("select 1; select 2", "a second statement"),
    ("from 'data.csv'", "reads past the project"),
    ("from read_csv('data.csv')", "reads past the project"),
    ("from a.b", "names a schema or database"),
    ("select ?", "placeholders"),
    ("select\n'a", "a quote or comment is not closed, line 2"),
    ({"sql": "select 1", "min": 5, "max": 1}, "nothing is between"),
]


@pytest.mark.parametrize(("value", "message"), WRONG)
def test_refuses(value, message):
    with pytest.raises(ValueError, match=message):
        load_check("sql").read(value)
