"""Drift: the values of a column beside those of a reference."""

import random
from dataclasses import replace

import pytest

from segue.judge.checks import drift
from segue.judge.history import drift_counts
from segue.protocols import Context
from segue.registry import load_check
from segue.spec.contract import Slice, Tolerance, Verdict
from tests.unit.judge.checks.tables import measure
from tests.unit.judge.judging import make_check

BEFORE = Context(before="earlier")
METHODS = ("psi", "js", "ks", "chi2")


def bind(session, now, before=None, *, name="earlier"):
    session.bind("orders", f"select {now} as x, i from range(1000) t(i)")
    if before is not None:
        session.bind(name, f"select {before} as x, i from range(1000) t(i)")


def judge(session, value, context=BEFORE, **more):
    check = make_check("drift", value, ["x"])
    (found,) = measure(session, replace(check, **more), context=context)
    return found


@pytest.mark.parametrize("method", METHODS)
def test_the_same_values_are_no_drift(session, method):
    bind(session, "i * 0.5", "i * 0.5")
    found = judge(session, {"against": "previous", "method": method})
    assert found.verdict is Verdict.PASS
    assert found.value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_moved_values_are_drift(session, method):
    bind(session, "i * 1.0 + 400", "i * 1.0")
    found = judge(session, {"against": "previous", "method": method})
    assert found.verdict is Verdict.FAIL
    assert f"drift of x against the version before ({method}): " in found.message
    assert found.sql
    assert judge(session, {"against": "previous", "method": method, "max": 100}).verdict == "pass"


def test_the_kolmogorov_distance_is_exact(session):
    """Scipy's two-sample test says 0.475 of these."""
    now, before = [2, 2, 2.5, 6, 7, 9, 9, 10, 11, 4], [1, 2, 2, 3, 4, 5, 5.5, 8]
    session.bind("orders", f"select unnest({now})::double as x")
    session.bind("earlier", f"select unnest({before})::double as x")
    found = judge(session, {"against": "previous", "method": "ks", "max": 0.48})
    assert found.value == pytest.approx(0.475)
    assert "(p = 0.27)" in found.message


def test_large_tables_are_compared_by_fine_bins(session, monkeypatch):
    chance = random.Random(1)
    now = [chance.gauss(0.2, 1) for _ in range(4000)]
    session.bind("orders", f"select unnest({now}) as x")
    session.bind("earlier", f"select unnest({[chance.gauss(0, 1) for _ in range(4000)]}) as x")
    exact = judge(session, {"against": "previous", "method": "ks"}).value
    monkeypatch.setattr(drift, "EXACT", 100)
    assert judge(session, {"against": "previous", "method": "ks"}).value == pytest.approx(
        exact, abs=0.002
    )


def test_a_p_value_in_place_of_a_distance(session):
    bind(session, "(i * 7919) % 1000 + 0.0", "(i * 7907) % 990 + 0.0")
    for method in ("ks", "chi2"):
        stated = {"against": "previous", "method": method}
        assert judge(session, {**stated, "p": 0.01}).verdict is Verdict.PASS
        assert judge(session, {**stated, "p": 1}).verdict is Verdict.FAIL


def test_bins_follow_the_quantiles_of_the_reference(session):
    # nine tenths of the values lie above the median now
    bind(session, "case when i < 900 then 900 + i / 10 else i - 900 end", "i")
    found = judge(session, {"against": "previous", "bins": 2})
    # (0.9 - 0.5) ln(0.9 / 0.5) + (0.1 - 0.5) ln(0.1 / 0.5)
    assert found.value == pytest.approx(0.8788898)


@pytest.mark.parametrize("method", ["psi", "js", "chi2"])
def test_texts_are_counted_value_by_value(session, method):
    bind(session, "['a', 'a', 'b', 'new'][i % 4 + 1]", "['a', 'a', 'b'][i % 3 + 1]")
    found = judge(session, {"against": "previous", "method": method})
    assert found.verdict is Verdict.FAIL
    assert "most changed: other values, 0% -> 25%" in found.message


def test_rare_texts_share_a_bin(session):
    bind(session, "'v' || (i % 200)", "'v' || (i % 200)")
    assert judge(session, {"against": "previous"}).value == pytest.approx(0)


def test_methods_agree_with_counts_by_hand(session):
    """Counts 120, 80, 60, 40, 0, 7 and 90, 95, 50, 70, 12, 0: scipy gives these distances."""
    for name, counts in (("earlier", (120, 80, 60, 40, 0, 7)), ("orders", (90, 95, 50, 70, 12, 0))):
        parts = [f"select 'c{n}' as x from range({count})" for n, count in enumerate(counts)]
        session.bind(name, " union all ".join(parts))
    # the value that the reference lacks is an other value, which it is alone in being
    expected = {"js": 0.21777022, "chi2": 0.23173913, "psi": 0.44289075}
    for method, value in expected.items():
        found = judge(session, {"against": "previous", "method": method, "max": 1})
        assert found.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ("date '2026-01-01' + i::int", "date '2026-01-01' + i::int"),
        ("timestamp '2026-01-01' + to_hours(i)", "timestamp '2026-01-01' + to_hours(i)"),
        ("timestamptz '2026-01-01 00:00+01' + to_hours(i)", "timestamp '2026-01-01'"),
        ("i::decimal(18,4)", "i::bigint"),
        ("i % 2 = 0", "i % 2 = 1"),
        ("(i % 5)::utinyint", "(i % 5)::float"),
    ],
)
def test_columns_of_other_types(session, now, before):
    bind(session, now, before)
    found = judge(session, {"against": "previous"})
    assert found.verdict in (Verdict.PASS, Verdict.FAIL), found.message


def test_nulls_are_left_out_and_nan_is_a_value(session):
    bind(session, "case when i % 2 = 0 then i::double end", "i::double")
    assert judge(session, {"against": "previous"}).value == pytest.approx(0, abs=0.01)
    bind(session, "case when i % 2 = 0 then i else 'nan'::double end", "i::double")
    found = judge(session, {"against": "previous"})
    assert found.verdict is Verdict.FAIL
    assert "most changed: NaN, 0% -> 50%" in found.message
    for value in ("'nan'", "'inf'", "'-inf'"):
        bind(session, f"{value}::double", f"{value}::double")
        for method in METHODS:
            found = judge(session, {"against": "previous", "method": method})
            assert (found.verdict, found.value) == (Verdict.PASS, pytest.approx(0)), method


def test_no_earlier_version_is_said(session):
    bind(session, "i")
    found = judge(session, {"against": "previous"}, Context())
    assert found.verdict is Verdict.PASS
    assert found.message.endswith("there is no earlier version to compare with")


def test_an_earlier_version_without_values_is_said(session):
    bind(session, "i", "null::bigint")
    found = judge(session, "previous")
    assert found.verdict is Verdict.PASS
    assert found.message.endswith("the reference has no values to compare")


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_compare_is_an_error(session, method):
    bind(session, "null::bigint", "i")
    found = judge(session, {"against": "previous", "method": method})
    assert found.verdict is Verdict.ERROR
    bind(session, "i", "null::bigint", name="baseline")
    found = judge(session, {"against": "baseline", "method": method})
    assert found.verdict is Verdict.ERROR
    assert "the reference has no values to compare" in found.message


def test_another_table_and_another_column(session):
    bind(session, "i", "i + 900", name="baseline")
    assert judge(session, "baseline", Context()).verdict is Verdict.FAIL
    found = judge(session, {"against": "baseline", "column": "i"}, Context())
    assert found.verdict is Verdict.PASS
    found = judge(session, {"against": "baseline", "column": "y"}, Context())
    assert found.verdict is Verdict.ERROR
    assert "baseline has no column 'y'" in found.message


def test_where_chooses_rows_of_both(session):
    bind(session, "i % 10 * 100 + i", "i % 10 * 100 + i")
    part = Slice(where="i < 100")
    assert judge(session, "previous", slice=part).value == pytest.approx(0)
    bind(session, "case when i < 100 then 1 else i end", "case when i < 100 then i else 1 end")
    assert judge(session, "previous", slice=part).verdict is Verdict.FAIL


def test_what_can_not_be_compared_is_an_error(session):
    bind(session, "[i]", "[i]")
    found = judge(session, "previous")
    assert found.verdict is Verdict.ERROR
    assert "drift is of numbers, dates, times and texts" in found.message
    bind(session, "'a'", "'a'")
    found = judge(session, {"against": "previous", "method": "ks"})
    assert found.verdict is Verdict.ERROR
    assert "ks is of numbers" in found.message


def test_values_of_sensitive_columns_are_not_told(session):
    bind(session, "['secret', 'b'][i % 2 + 1]", "['secret', 'b', 'b', 'b'][i % 4 + 1]")
    assert "secret" in judge(session, "previous").message
    assert "secret" not in judge(session, "previous", sensitive=True).message


def test_a_check_that_warns(session):
    bind(session, "i + 500", "i")
    found = judge(session, "previous", fail=None, warn=Tolerance())
    assert found.verdict is Verdict.WARN


def test_no_row_leaves_the_engine(session):
    bind(session, "i + 0.5", "i")
    judge(session, "previous")
    for query in session.queries:
        assert session._session.fetch(query).num_rows <= 30


def test_names_need_quotes_at_times(session):
    session.bind("orders", 'select i as "order ""by" from range(100) t(i)')
    session.bind("the earlier", 'select i as "order ""by" from range(100) t(i)')
    check = make_check("drift", "previous", ['order "by'])
    (found,) = measure(session, check, context=Context(before="the earlier"))
    assert found.verdict is Verdict.PASS, found.message


def test_engines_without_lists_of_quantiles(session, monkeypatch):
    from segue.errors import UnsupportedError

    bind(session, "i * 1.0 + 100", "i * 1.0")
    expected = judge(session, "previous").value
    fetch = type(session).fetch

    def refuse(self, query):
        if "quantile_cont(v, [" in query:
            raise UnsupportedError("no lists here")
        return fetch(self, query)

    monkeypatch.setattr(type(session), "fetch", refuse)
    assert judge(session, "previous").value == pytest.approx(expected)


def test_many_edges_are_searched_by_halves():
    edges = [float(n) for n in range(1023)]
    assert drift_counts._write_bin(edges).count("case when") == 1023
    deepest = max(
        drift_counts._write_bin(edges)[:place].count("case")
        - drift_counts._write_bin(edges)[:place].count("end")
        for place in range(0, 4000, 7)
    )
    assert deepest <= 10


BAD = [
    ({"max": 0.2}, "expected {against: previous}"),
    (True, "expected {against: previous}"),
    ({"against": "previous", "method": "kl"}, "method is one of psi, js, ks, chi2"),
    ({"against": "previous", "mx": 1}, "unknown key 'mx'"),
    ({"against": "previous", "max": -1}, "max is a number from 0 on"),
    ({"against": "previous", "max": True}, "max is a number from 0 on"),
    ({"against": "previous", "bins": 1}, "bins is a whole number"),
    ({"against": "previous", "p": 0.1}, "p is of the methods ks and chi2"),
    ({"against": "previous", "method": "ks", "p": 0.1, "max": 1}, "takes the place of max"),
    ({"against": "previous", "column": "y"}, "`column` names a column of the table"),
    ({"against": 3}, "expected previous or a table"),
]


@pytest.mark.parametrize(("value", "message"), BAD)
def test_what_makes_no_sense_is_refused(value, message):
    with pytest.raises(ValueError, match=message.replace("{", r"\{")):
        load_check("drift").read(value)
