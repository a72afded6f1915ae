"""What `anomaly` makes of a measurement: verdicts and words."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from segue.judge.history.anomaly_verdict import choose_points, judge_anomaly, trace_usual
from segue.spec.contract import Measurement, Segment, Slice, Tolerance, Verdict
from segue.spec.history import Point
from tests.unit.judge.judging import make_check

START = datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
NOW = START + timedelta(days=30)
PASSED = Measurement("orders", "rows", "rows", (), Verdict.PASS, 100, None, "100 rows", value=100.0)
STEADY = [98.0, 101.0, 99.0, 102.0, 100.0, 103.0, 97.0, 100.0, 101.0, 99.0]


def watch(check=None, **anomaly):
    check = check or make_check("rows", {"min": 1})
    return replace(check, anomaly=anomaly)


def past(values, *, verdicts=(), **more):
    points = []
    for place, value in enumerate(values):
        verdict = verdicts[place] if verdicts else Verdict.PASS
        at = (START + timedelta(days=place)).isoformat()
        points.append(Point(at, verdict, 100, value=value, **more))
    return lambda _: points


def judge(check, value=100.0, history=None, **more):
    measured = replace(PASSED, value=value, **more)
    return judge_anomaly(check, measured, history or past(STEADY), NOW)


def test_a_check_without_it_is_left_alone():
    assert judge(make_check("rows", {"min": 1}), 1e9) == replace(PASSED, value=1e9)


def test_as_usual():
    found = judge(watch(season="none"))
    assert found.verdict is Verdict.PASS
    assert found.message == "100 rows; usual: 90.7 to 109.3, median 100 of 10 earlier points"


def test_unusual_fails_or_warns_as_the_check_does():
    found = judge(watch(), 150.0)
    assert found.verdict is Verdict.FAIL
    assert "; 150 is unusual: 90.7 to 109.3, median 100 of 10 earlier points" in found.message
    warns = make_check("rows", {"min": 1}, fail=None, warn=Tolerance())
    assert judge(watch(warns), 150.0).verdict is Verdict.WARN


def test_one_side():
    assert judge(watch(side="above"), 50.0).verdict is Verdict.PASS
    assert judge(watch(side="below"), 50.0).verdict is Verdict.FAIL
    assert "at most 109.3" in judge(watch(side="above"), 50.0).message
    assert "at least 90.7" in judge(watch(side="below"), 50.0).message


def test_sensitivity_and_least():
    assert judge(watch(sensitivity=0.1), 150.0).verdict is Verdict.PASS
    found = judge(watch(least=20), 1e9)
    assert found.verdict is Verdict.PASS
    assert found.message.endswith("too little history for `anomaly`: 10 of 20 points")


def test_a_season_that_lacks_history_is_named():
    found = judge(watch(season="weekday"), 1e9)
    assert found.verdict is Verdict.PASS
    assert found.message.endswith("too little history on Wednesdays for `anomaly`: 2 of 7 points")


def test_a_verdict_that_is_bad_already_stays():
    for verdict in (Verdict.FAIL, Verdict.ERROR):
        assert judge(watch(), 100.0, verdict=verdict).message == "100 rows"


def test_fewer_failing_rows_are_never_unusual():
    history = [Point(START.isoformat(), Verdict.PASS, 1000, failing=100 + n % 3) for n in range(20)]
    check = watch(make_check("required", True, ("id",), fail=Tolerance(share=0.5)))
    few, many = (
        judge_anomaly(
            check, replace(PASSED, rows=1000, value=None, failing=count), lambda _: history, NOW
        )
        for count in (0, 300)
    )
    assert few.verdict is Verdict.PASS
    assert many.verdict is Verdict.FAIL
    assert "30% is unusual: at most 14.8%" in many.message


def test_no_history_is_said():
    found = judge_anomaly(watch(), PASSED, None, NOW)
    assert found.verdict is Verdict.PASS
    assert "no history is kept here" in found.message


def test_numbers_of_sensitive_columns_are_not_told():
    check = replace(watch(), sensitive=True)
    assert "150" not in judge(check, 150.0, message="not shown").message
    assert judge(check, 150.0).verdict is Verdict.FAIL
    assert "sensitive columns are not kept" in judge(check, None).message


def test_what_failed_is_no_example():
    verdicts = [Verdict.PASS] * 10 + [Verdict.FAIL, Verdict.ERROR] * 6
    history = past(STEADY + [150.0] * 12, verdicts=verdicts)
    found = judge(watch(), 150.0, history)
    assert found.verdict is Verdict.FAIL
    assert found.message.endswith("of 10 earlier points")
    assert len(choose_points(history(""))) == 16, "errors are no points"


def test_what_only_warned_becomes_usual():
    verdicts = [Verdict.PASS] * 10 + [Verdict.WARN] * 40
    history = past(STEADY + [150.0 + n % 5 for n in range(40)], verdicts=verdicts)
    assert judge(watch(season="none"), 151.0, history).verdict is Verdict.PASS


def test_a_version_counts_once():
    assert len(choose_points(past([1.0] * 30, version=3)(""))) == 1
    assert len(choose_points(past([1.0] * 30)(""))) == 30


def segment(store, value, verdict=Verdict.PASS):
    return Segment({"store": store}, verdict, 10, value=value)


def judge_parts(values, history, **more):
    check = replace(watch(season="none"), slice=Slice(by=("store",)))
    parts = tuple(segment(store, value) for store, value in values.items())
    measured = replace(PASSED, value=None, tracked=parts, **more)
    return judge_anomaly(check, measured, lambda _: history, NOW)


def parted(*columns, verdict=Verdict.PASS):
    return [
        Point(
            (START + timedelta(days=place)).isoformat(),
            verdict,
            100,
            segments=tuple(segment(store, value) for store, value in zip("ab", row, strict=True)),
        )
        for place, row in enumerate(zip(*columns, strict=True))
    ]


def test_each_segment_has_its_own_past():
    history = parted(STEADY, [10 * each for each in STEADY])
    assert judge_parts({"a": 100.0, "b": 1000.0}, history).verdict is Verdict.PASS
    found = judge_parts({"a": 1000.0, "b": 1000.0}, history)
    assert found.verdict is Verdict.FAIL
    assert [(each.key["store"], each.verdict) for each in found.segments] == [("a", Verdict.FAIL)]
    assert [each.verdict for each in found.tracked] == [Verdict.FAIL, Verdict.PASS]
    assert "1 of 2 unusual: store = 'a': 1,000 is unusual" in found.message


def test_a_segment_that_failed_spoils_no_other():
    history = parted(STEADY, STEADY, verdict=Verdict.FAIL)
    found = judge_parts({"a": 100.0, "b": 500.0}, history, verdict=Verdict.FAIL)
    assert [each.verdict for each in found.tracked] == [Verdict.PASS, Verdict.FAIL]


def test_new_segments_have_too_little_history():
    found = judge_parts({"c": 1.0}, parted(STEADY, STEADY))
    assert found.verdict is Verdict.PASS
    assert "too little history for `anomaly` of 1 of 1 segments" in found.message


def test_masked_segments_have_no_history():
    found = judge_parts({}, parted(STEADY, STEADY))
    assert "segments were not held against their history" in found.message


@pytest.mark.parametrize("moment", ["2026-01-05T03:30:00", "2026-01-05T05:30:00+02:00"])
def test_times_with_and_without_zone(moment):
    history = [replace(point, at=moment) for point in past(STEADY)("")]
    found = judge_anomaly(watch(season="hour"), PASSED, lambda _: history, START)
    assert "10 earlier points from 03:00 to 03:59 UTC" in found.message


def test_a_trace_knows_only_what_was_before():
    points = past([*STEADY, 500.0, 100.0])("")
    traced = trace_usual(watch(season="none"), points, 12)
    assert [usual.known for usual in traced] == [False] * 7 + [True] * 5
    assert [usual.holds(p.number) for usual, p in zip(traced, points, strict=True)] == (
        [True] * 10 + [False, True]
    )
    assert trace_usual(watch(season="none"), points, 3) == traced[-3:]
    assert trace_usual(make_check("rows", 1), points, 12) == [None] * 12


def in_season(season, at):
    """Return what is usual at a time: much by day, little on Sundays, most in December."""
    part = {"hour": 8 <= at.hour < 20, "weekday": at.weekday() != 6, "month": at.month == 12}
    return 1000.0 if part[season] else 100.0


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "found"])
@pytest.mark.parametrize(
    ("season", "step", "count", "at", "where"),
    [
        ("hour", timedelta(hours=1), 60 * 24, 3, "from 03:00 to 03:59 UTC"),
        ("weekday", timedelta(days=1), 180, 0, "on Saturdays"),
        ("month", timedelta(days=1), 1070, 0, "in December"),
    ],
)
def test_months_of_history_in_seasons(season, step, count, at, where, stated):
    chance = random.Random(7)
    times = [START + place * step for place in range(count)]
    points = [
        Point(each.isoformat(), Verdict.PASS, 9, value=in_season(season, each) * wobble)
        for each in times
        for wobble in [chance.gauss(1, 0.05)]
    ]
    now = START + count * step + timedelta(hours=at - START.hour if season == "hour" else 0)
    check = watch(**({"season": season} if stated else {}))
    usual = in_season(season, now)
    told = {}
    for number in (usual, 1100.0 - usual):
        measured = replace(PASSED, value=number)
        told[number] = judge_anomaly(check, measured, lambda _: points[-1000:], now)
    assert told[usual].verdict is Verdict.PASS
    assert told[1100.0 - usual].verdict is Verdict.FAIL
    assert where in told[usual].message


def test_a_season_of_the_first_time_has_too_little_history():
    points = [
        Point((START + timedelta(days=place)).isoformat(), Verdict.PASS, 9, value=1000.0)
        for place in range(330)
    ]
    found = judge_anomaly(
        watch(season="month"),
        replace(PASSED, value=5000.0),
        lambda _: points,
        START.replace(month=12),
    )
    assert found.verdict is Verdict.PASS
    assert "too little history in December for `anomaly`: 0 of 7 points" in found.message
