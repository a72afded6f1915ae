"""What failing rows have in common: planted causes are found, and none is made up."""

from dataclasses import replace

import pytest

from segue.errors import UnsupportedError
from segue.judge.measure import measure_table
from segue.spec.contract import Slice
from tests.unit.judge.judging import NotingSession, make_check, make_contract

FLIGHTS = """
    select range as id,
        case when range % 50 = 0 then 'XX' when range % 50 < 30 then 'UA' else null end as carrier,
        date '2024-01-01' + (range % 30)::int as day,
        timestamp '2024-01-01' + interval (range) minute as seen,
        hash(range) % 7 as gate,
        {amount} as amount
    from range(20000)
"""
PLANTED = "case when range % 50 = 0 and hash(range) % 10 > 0 then -1 - range else 1 end"
RANDOM = "case when hash(range + 7) % 20 = 0 then -1 - range else 1 end"


def measure(session, *checks, **rest):
    schema = session.describe("select * from orders")
    return measure_table(session, "orders", make_contract(*checks, **rest), schema)


def explain(session, amount, *checks, **rest):
    session.bind("orders", FLIGHTS.format(amount=amount))
    checks = checks or (make_check("between", [0, 9], ["amount"]),)
    return [found.shared for found in measure(session, *checks, **rest).measurements]


def test_a_planted_cause_is_told_with_its_usual_share(session):
    assert explain(session, PLANTED) == [("all of them have carrier = 'XX' (2% of all rows)",)]


def test_most_of_them_are_enough(session):
    mixed = "case when range % 50 = 0 or hash(range) % 1000 = 0 then -1 - range else 1 end"

    [[told]] = explain(session, mixed)

    assert told.startswith("9")
    assert told.endswith("% of them have carrier = 'XX' (2% of all rows)")


def test_days_and_missing_values_are_told(session):
    one_day = "case when range between 2880 and 4319 then -1 - range else 1 end"
    no_carrier = "case when range % 50 >= 30 and hash(range) % 5 = 0 then -1 - range else 1 end"

    assert explain(session, one_day) == [
        ("all of them have day of seen = 2024-01-03 (7.2% of all rows)",)
    ]
    assert explain(session, no_carrier) == [("all of them have carrier = null (40% of all rows)",)]


def test_a_value_of_the_checked_column_is_told(session):
    sentinel = "case when hash(range) % 100 = 0 then -99 else 1 end"

    assert explain(session, sentinel) == [("all of them have amount = -99 (0.86% of all rows)",)]


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_made_up_of_random_failures(session, seed):
    rare = (
        f"case when hash(range + {seed * 1000}) % {10 + seed * 40} = 0 then -1 - range else 1 end"
    )

    assert explain(session, rare) == [()]


def test_a_value_that_nearly_all_rows_have_explains_nothing(session):
    session.bind(
        "orders",
        "select range as id, 'shop' as kind, if(hash(range) % 50 = 0, -range, 1) as amount"
        " from range(1, 5000)",
    )

    [found] = measure(session, make_check("between", [0, 9], ["amount"])).measurements

    assert found.failing
    assert found.shared == ()


def test_a_condition_is_no_explanation_of_itself(session):
    check = make_check("between", [0, 9], ["amount"])
    within = replace(check, slice=Slice(where="carrier = 'UA'"))

    assert explain(session, RANDOM, within) == [()]


def test_sensitive_columns_are_left_out(session):
    assert explain(session, PLANTED, sensitive=("carrier",)) == [()]


def test_two_queries_explain_all_checks_and_none_where_all_is_well(tmp_path):
    checks = (
        make_check("between", [0, 9], ["amount"]),
        make_check("in", [1], ["amount"]),
        make_check("required", True, ["carrier"]),
    )
    with NotingSession(tmp_path) as session:
        explain(session, PLANTED, *checks)
        asked = [query for query in session.queries if "__segue_k" in query]
        told = [
            query for query in session.queries if " filter (where \"carrier\" = 'XX') as m" in query
        ]
        assert (len(asked), len(told)) == (1, 1)

        session.queries.clear()
        explain(session, "1", *checks[:2])
        assert len(session.queries) == 1


def test_the_same_answer_each_time(session):
    several = "case when range % 50 = 0 then -1 when range % 30 = 3 then -2 else 1 end"

    assert len({str(explain(session, several)) for _ in range(5)}) == 1


def test_an_engine_that_refuses_leaves_the_report_as_it_is(tmp_path):
    class Refusing(NotingSession):
        def fetch(self, query):
            if "grouping sets" in query:
                raise UnsupportedError("no grouping sets here")
            return super().fetch(query)

    with Refusing(tmp_path) as session:
        assert explain(session, PLANTED) == [()]
