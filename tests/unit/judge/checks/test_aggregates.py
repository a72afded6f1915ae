"""``metric``, ``rows`` and ``added``: what one expression over the table measures."""

from dataclasses import replace

import pytest

from segue.judge.measure import measure_table
from segue.protocols import Context
from segue.registry import load_check
from segue.spec.contract import Slice, Verdict
from tests.unit.judge.judging import make_check, make_contract

ORDERS = "from (values ('n', 10, 'paid'), ('n', 20, 'new'), ('s', 30, 'paid')) t(store, x, status)"


def measure(session, *checks, context=None, **rest):
    schema = session.describe("select * from orders")
    contract = make_contract(*checks, **rest)
    return measure_table(session, "orders", contract, schema, context=context).measurements


MEASURED = [
    ("sum(x)", 60),
    ("sum(x) / count(*)", 20),
    ("count(distinct store) * 1.0 / count(*)", [0.66, 0.67]),
    ("sum(x) filter (where status = 'paid') -- of those", 40),
    ("max(store)", "s"),
    ("max(date '2026-01-31' + x)", "2026-03-02"),
    ("bool_and(x > 5)", True),
    ("corr(x, x)", 1),
    ("quantile_cont(x, 0.5)", 20),
    ("percentile_cont(0.5) within group (order by x)", 20),
    ("mad(x) + entropy(x) * 0", 10),
    ("count(*) - count(x)", 0),
    ("any_value(1)", 1),
]


@pytest.mark.parametrize(("text", "expected"), MEASURED)
def test_metric(session, text, expected):
    session.bind("orders", ORDERS)
    stated = {"between": expected} if isinstance(expected, list) else {"equals": expected}

    (found,) = measure(session, make_check("metric", {"metric": text, **stated}))

    assert found.verdict is Verdict.PASS, found.message
    assert " ".join(text.split()) in found.message.replace(" is ", " ")
    assert text in found.sql


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sum(amount)", "can't be measured"),
        ("avg(x) filter (where x > 99)", "there is nothing to measure"),
        ("'nan'::double * count(*)", "is NaN"),
        ("max(store)", "what is measured is a text, and the bound is 5"),
        ("bool_and(x > 0)", "what is measured is true or false"),
    ],
)
def test_what_can_t_be_judged_never_passes(session, text, words):
    session.bind("orders", ORDERS)
    rows = make_check("rows", 3)

    bad, good = measure(session, make_check("metric", {"metric": text, "max": 5}), rows)

    assert bad.verdict is (Verdict.FAIL if "NaN" in words else Verdict.ERROR)
    assert words in bad.message
    assert good.verdict is Verdict.PASS


WRONG = [
    ("x > 1", "is no aggregate such as sum\\(x?"),
    ("1", "is no aggregate"),
    ("upper(store)", "is no aggregate"),
    ("sum(x) over ()", "window function"),
    ("(select sum(x) from t)", "is not one SQL expression"),
    ("sum(x) + (select 1)", "looks into a table"),
    ("exists (from t)", "looks into a table"),
    ("sum(x) + x", "x stands outside of an aggregate"),
    ("sum(max(x))", "aggregate inside of an aggregate"),
    ("max(*)", "a \\* outside"),
    ("max(columns(*))", "\\* outside"),
    ("sum(x) from t", "is not one SQL expression|can't be read"),
    ("sum(x), count(*)", "is not one SQL expression|can't be read"),
    ("sum(x)) or (1", "is not one SQL expression"),
    ("sum(x", "is not complete"),
    ("sum(x) > ?", "a placeholder"),
    ("", "an aggregate as SQL"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_metric_refuses(text, message):
    with pytest.raises(ValueError, match=message):
        load_check("metric").read({"metric": text, "max": 5})


def test_metric_by_segments(session):
    session.bind("orders", ORDERS)
    check = make_check("metric", {"metric": "sum(x)", "between": [0, 30]})

    (passing,) = measure(session, replace(check, slice=Slice(by=("store",))))
    (failing,) = measure(session, replace(check, slice=Slice(by=("status",), where="x > 10")))

    assert passing.verdict is Verdict.PASS
    assert passing.message == "all 2 segments by store keep `sum(x) between 0 and 30`"
    assert failing.verdict is Verdict.PASS
    assert failing.rows == 2


def test_metric_of_sensitive_columns_tells_no_single_value(session):
    session.bind("orders", ORDERS)
    (single, rows) = (
        make_check("metric", {"metric": text, "max": 5}) for text in ("max(x)", "count(x)")
    )

    assert single.arguments["mentions"] == ("x",)
    assert "mentions" not in rows.arguments
    (found,) = measure(session, replace(single, sensitive=True), sensitive=("x",))
    assert (found.verdict, found.value) == (Verdict.FAIL, None)
    assert "30" not in found.message


MANY = f"from {ORDERS.removeprefix('from ')} union all select 'n', 7, 'x' from range(9)"


@pytest.mark.parametrize(
    ("kind", "value", "part", "shown"),
    [
        ("sum", {"max": 5}, {}, True),
        ("mean", {"max": 5}, {}, True),
        ("sum", {"max": 5}, {"where": "x = 30"}, False),
        ("sum", {"max": 5}, {"by": ("store",)}, False),
        ("stddev", {"max": 1}, {"where": "x >= 20"}, False),
        ("metric", {"metric": "sum(x)", "max": 5}, {}, True),
        ("metric", {"metric": "avg(x)", "max": 5}, {"by": ("store",)}, False),
        ("metric", {"metric": "sum(x) filter (status = 'new')", "max": 5}, {}, False),
    ],
)
def test_sums_of_few_sensitive_values_are_not_told(session, kind, value, part, shown):
    session.bind("orders", MANY)
    made = make_check(kind, value, () if kind == "metric" else ["x"])
    check = replace(made, sensitive=True, slice=Slice(**part))

    (found,) = measure(session, check, sensitive=("x",))

    assert found.verdict is Verdict.FAIL
    south = [each for each in found.segments if each.key["store"] == "s"]
    assert all(each.value is None for each in south)
    assert len(south) == ("by" in part)
    assert ("not shown (sensitive columns)" not in found.message) is shown


@pytest.mark.parametrize(
    ("value", "verdict"),
    [({"min": 3}, "pass"), (2, "fail"), ([1, 3], "pass"), ({"between": [4, None]}, "fail")],
)
def test_rows(session, value, verdict):
    session.bind("orders", ORDERS)

    (found,) = measure(session, make_check("rows", value))

    assert (str(found.verdict), found.value) == (verdict, 3)
    assert found.message.startswith("3 rows, ")


def test_added_counts_new_rows(session):
    session.bind("orders", ORDERS)
    session.bind("came", f"{ORDERS} where x > 10")
    new = Slice(new=True)
    whole = replace(make_check("added", {"min": 3}), slice=new)
    parts = replace(make_check("added", {"min": 2}), slice=replace(new, by=("store",)))

    first = measure(session, whole)
    then = measure(session, whole, parts, context=Context(added="came"))

    assert [each.message for each in first] == ["3 new rows, as expected"]
    assert then[0].message == "2 new rows, expected at least 3"
    assert then[1].message == (
        "2 of 2 segments by store: store = 'n': 1 new row, expected at least 2; "
        "store = 's': 1 new row, expected at least 2"
    )
