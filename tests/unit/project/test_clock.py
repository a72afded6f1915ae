"""Times that users write, and names of runs."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from segue.project.clock import SystemClock, name_run, read_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20", "2026-11-20T00:00:00+00:00"),
        ("2026-11-20T08:30", "2026-11-20T08:30:00+00:00"),
        ("2026-11-20 08:30:05", "2026-11-20T08:30:05+00:00"),
        ("2026-11-20T08:30+02:00", "2026-11-20T06:30:00+00:00"),
        ("2026-11-20T08:30Z", "2026-11-20T08:30:00+00:00"),
    ],
)
def test_times_are_read_as_utc(text, moment):
    assert read_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "20th", "2026-13-01", "h", "-2h", "last", "20261120-081500-1130"],
)
def test_what_is_no_time_is_none(text):
    assert read_moment(text) is None


def test_durations_count_back_from_now():
    before = datetime.now(UTC) - timedelta(hours=2)
    moment = datetime.fromisoformat(read_moment("2h"))
    assert before <= moment <= before + timedelta(minutes=1)


def test_moments_compare_with_the_clock_as_text():
    """`finished_at` of a memory is what the clock wrote."""
    clock = SystemClock()
    assert read_moment("1d") < clock.now() < read_moment("2999-01-01")
    assert clock.monotonic() <= clock.monotonic()


def test_names_of_runs_sort_by_time_and_differ():
    names = {name_run() for _ in range(50)}
    assert len(names) > 40
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", name) for name in names)
