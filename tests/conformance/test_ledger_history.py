"""What a ledger tells of the past: every measurement, passes included."""

import time
from dataclasses import replace

import pytest

from segue.spec.contract import Measurement, Report, Segment, Verdict
from segue.spec.history import Judged
from tests.publications import outcome


def measured(value=None, *, check="amount sum", table="a", verdict=Verdict.PASS, **more):
    found = Measurement(table, check, "sum", ("amount",), verdict, 10, None, "said", value=value)
    return replace(found, **more)


def judged(*measurements, **more):
    return Judged(Report("a", 10, measurements), **more)


def test_points_come_oldest_first_with_their_run_and_version(site):
    for value in (1.0, 2.5):
        staged = site.stage("a", [(int(value), "x")])
        report = Report("a", 10, (measured(value, seconds=0.25),))
        site.publish(outcome(staged, report=report))
    first, second = site.ledger.history("a")
    assert (first.value, second.value) == (1.0, 2.5)
    assert (first.version, second.version) == (1, 2)
    assert second.run_id == site.ledger.run("last").run_id
    assert (second.code, second.seconds, second.check) == ("f1", 0.25, "amount sum")
    assert (second.rows, second.failing, second.verdict) == (10, None, Verdict.PASS)
    assert first.at < second.at


def test_what_failed_is_kept_without_a_version(site):
    lease = site.begin()
    bad = measured(verdict=Verdict.FAIL, failing=3)
    site.ledger.note(lease, [outcome(site.stage("a", [(1, "x")]), report=Report("a", 10, (bad,)))])
    (point,) = site.ledger.history("a", "amount sum")
    assert (point.verdict, point.failing, point.version) == (Verdict.FAIL, 3, None)
    assert point.number == 0.3


def test_a_step_that_is_noted_again_is_one_point(site):
    lease = site.begin()
    told = outcome(site.stage("a", [(1, "x")]), report=Report("a", 10, (measured(1.0),)))
    site.ledger.note(lease, [told])
    site.ledger.note(lease, [told])
    assert len(site.ledger.history("a")) == 1


def test_checks_outside_of_runs_are_points_too(site):
    site.ledger.note_checks([judged(measured(1.0), version=4, code="f9")])
    (point,) = site.ledger.history("a")
    assert (point.run_id, point.version, point.code) == ("", 4, "f9")
    assert site.ledger.runs() == ()
    assert site.ledger.measurements("a")[0]["value"] == 1.0


def test_a_history_is_of_one_check_one_table_and_one_environment(site):
    site.ledger.note_checks([judged(measured(1.0), measured(2.0, check="other"))])
    site.ledger.note_checks([Judged(Report("b", 1, (measured(3.0, table="b"),)))])
    site.ledger.note_checks([judged(measured(4.0))], environment="dev")
    history = site.ledger.history
    assert [point.value for point in history("a", "amount sum")] == [1.0]
    assert [(point.check, point.value) for point in history("a")] == [
        ("amount sum", 1.0),
        ("other", 2.0),
    ]
    assert [point.value for point in history("b", "amount sum")] == [3.0]
    assert [point.value for point in history("a", environment="dev")] == [4.0]
    assert history("a", "never") == history("never") == ()


def test_the_newest_points_are_chosen(site):
    for value in range(5):
        site.ledger.note_checks([judged(measured(float(value)))])
    assert [p.value for p in site.ledger.history("a", "amount sum", limit=2)] == [3.0, 4.0]
    assert [p.value for p in site.ledger.history("a", limit=2)] == [3.0, 4.0]


def test_segments_come_back(site):
    segments = (
        Segment({"store": "s1"}, Verdict.PASS, 3, value=1.5),
        Segment({"store": None}, Verdict.FAIL, 2, failing=1),
    )
    site.ledger.note_checks([judged(measured(tracked=segments))])
    assert site.ledger.history("a")[0].segments == segments


@pytest.mark.parametrize("value", [float("inf"), -1e300, 0.1 + 0.2, None])
def test_values_come_back_as_they_are(site, value):
    site.ledger.note_checks([judged(measured(value))])
    assert site.ledger.history("a")[0].value == value


def test_names_and_values_of_any_length(site):
    long = "x" * 5000 + " 名前"
    site.ledger.note_checks([judged(measured(1.0, check=long))])
    (point,) = site.ledger.history("a", long)
    assert point.check == long


def test_a_long_history_is_read_quickly(site):
    """One check of 20 over 2,000 runs: 40,000 rows, of which 200 are read by an index."""
    checks = [measured(float(n), check=f"check {n}") for n in range(20)]
    for _ in range(20):
        site.ledger.note_checks([judged(*checks) for _ in range(100)])
    began = time.perf_counter()
    points = site.ledger.history("a", "check 7", limit=200)
    assert len(points) == 200
    assert time.perf_counter() - began < 1
