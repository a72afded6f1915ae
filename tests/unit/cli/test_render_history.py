"""Histories of checks as people see them in a terminal."""

from datetime import UTC, datetime, timedelta

from segue.cli.render_history import draw_line, render_overview, write_number, write_usual
from segue.cli.render_history_chart import HEIGHT, draw_chart
from segue.spec.contract import Verdict
from segue.spec.history import Point, Series, Usual

START = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)
BAND = Usual(10, 7, "", 5.0, 2.0, 8.0)


def series(numbers, *, usual=None, verdicts=(), low=None, high=None, check="rows"):
    points = tuple(
        Point(
            (START + timedelta(days=place)).isoformat(),
            verdicts[place] if verdicts else Verdict.PASS,
            10,
            value=number,
            run_id=f"r{place}",
        )
        for place, number in enumerate(numbers)
    )
    return Series("orders", check, points, tuple(usual or [None] * len(points)), low, high)


def chart(found, width=60):
    return [line.plain for line in draw_chart(found, width)]


def test_a_chart_goes_from_the_least_to_the_greatest_number():
    lines = chart(series([1, 2, 3, 10]))
    assert lines[0] == "orders: rows  value, 4 measurements"
    assert lines[1] == "10 ┤   ▀"
    assert lines[HEIGHT].startswith(" 1 ┤▄")
    assert lines[HEIGHT + 1] == "   └────"
    assert lines[HEIGHT + 2].strip() == "2026-11-04"


def test_what_was_usual_is_shaded_and_what_was_not_is_marked():
    found = series([5, 4, 20, 6], usual=[None, BAND, BAND, BAND])
    lines = chart(found)
    assert lines[HEIGHT + 1].endswith("└──!─")
    assert lines[-1] == "░ usual   ! unusual"
    shaded = [line for line in lines[1 : HEIGHT + 1] if "░" in line]
    assert 2 <= len(shaded) <= 5
    assert found.is_odd(2)
    assert not found.is_odd(1)


def test_verdicts_have_letters_where_there_are_no_colours():
    verdicts = [Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.ERROR]
    lines = chart(series([1, 2, 3, None], verdicts=verdicts))
    assert lines[HEIGHT + 1].endswith("└─WFE")
    assert lines[HEIGHT].endswith("×")
    assert lines[-1] == "W warn   F fail   E error"


def test_near_bounds_are_lines_and_far_ones_are_words():
    near = chart(series([1, 2, 3], low=0, high=4))
    assert near[0].endswith("bounds 0 … 4")
    assert near[1] == "     4 ┤───"
    far = chart(series([1, 2, 3], high=1000))
    assert far[0].endswith("bounds  … 1,000")
    assert not any("─" in line for line in far[1 : HEIGHT + 1])


def test_a_constant_number_and_none_at_all_can_be_drawn():
    assert any("▄" in line or "▀" in line for line in chart(series([7, 7, 7])))
    assert any("▄" in line or "▀" in line for line in chart(series([0, 0])))
    assert "·" in "".join(chart(series([None])))
    assert "×" in "".join(chart(series([None], verdicts=[Verdict.ERROR])))
    assert chart(series([]))


def test_the_newest_points_fit_the_terminal():
    lines = chart(series(range(200)), 40)
    assert max(map(len, lines[1:])) <= 40
    assert "32 measurements" in lines[0]


def test_a_line_of_blocks():
    assert draw_line(series([0, 7, None, 3.5])).plain == "▁█·▅"
    assert draw_line(series([3, 3])).plain == "▁▁"


def test_an_overview_tells_since_when():
    verdicts = [Verdict.PASS, Verdict.FAIL, Verdict.FAIL]
    found = [series([1, 2, 3], verdicts=verdicts), series([], check="never")]
    grid = render_overview(found)
    rows = [[cell.plain for cell in row] for row in grid.rows]
    assert rows[0][:2] == ["rows", "fail"]
    assert rows[0][3:] == ["3", "▁▅█", "3"]
    assert rows[1][:2] == ["never", "not measured yet"]


def test_numbers_are_short():
    assert [write_number(each) for each in (1e15, 12.5, 1234567.891)] == [
        "1e+15",
        "12.5",
        "1,234,567.89",
    ]
    assert write_usual(BAND, share=False) == "2 … 8"
    assert write_usual(Usual(3, 7), share=False) == "3 of 7 points"
    assert write_usual(Usual(9, 7, "on Mondays", 0.1, float("-inf"), 0.2), share=True) == (
        "… 20% on Mondays"
    )
    assert write_usual(None, share=True) == ""
