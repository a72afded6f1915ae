"""What changes the fingerprint of a SQL step, and what does not."""

import pytest

from segue.declare.problems import Problems
from segue.declare.sql import read_sql_step

BASE = "select store, sum(amount) as total from orders where status = 'paid' group by all"


def digest(text):
    problems = Problems()
    step = read_sql_step("s", text, "steps/s.sql", problems)
    problems.check()
    return step.fingerprint.digest


@pytest.mark.parametrize(
    "text",
    [
        BASE.replace(" ", "\n  "),
        BASE + ";",
        "-- a comment\n" + BASE,
        BASE.replace("from", "/* here */ from"),
        BASE.replace("select", "SELECT").replace("group by all", "GROUP   BY ALL"),
        BASE.replace("sum(", "SUM("),
        "-- segue: {tags: x, retries: 2, on: far, timeout: 1s, memory: 1GB}\n" + BASE,
        "-- segue: {mode: replace}\n" + BASE,
    ],
)
def test_does_not_change(text):
    assert digest(text) == digest(BASE)


@pytest.mark.parametrize(
    "text",
    [
        BASE.replace("paid", "Paid"),
        BASE.replace("'paid'", "'paid '"),
        BASE.replace("store", "Store"),
        BASE.replace("total", '"total"').replace("total", "Total"),
        BASE.replace("orders", "old_orders"),
        BASE.replace("sum", "avg"),
        BASE + " order by 1",
        "-- segue: {mode: view}\n" + BASE,
        "-- segue: {mode: merge, key: store}\n" + BASE,
        "-- segue: {schema: 'store: string, total: float64'}\n" + BASE,
    ],
)
def test_changes(text):
    assert digest(text) != digest(BASE)


def test_a_column_named_like_a_keyword_keeps_its_case():
    assert digest("select date from t") != digest("select Date from t")
