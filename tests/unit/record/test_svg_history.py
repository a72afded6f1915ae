"""Histories of checks as a picture."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from segue.record.svg_history import draw_history
from segue.spec.contract import Verdict
from segue.spec.history import Point, Series, Usual

SVG = "{http://www.w3.org/2000/svg}"
USUAL = Usual(10, 7, "", 5.0, 2.0, 8.0)


def make(numbers, **more):
    points = tuple(
        Point(f"2026-11-{day:02}T03:00:00+00:00", Verdict.PASS, 10, value=number)
        for day, number in enumerate(numbers, 1)
    )
    usual = more.pop("usual", (None,) * len(points))
    return Series("orders", more.pop("check", "rows"), points, usual, **more)


def draw(*found):
    return ET.fromstring(draw_history(found, "orders"))  # our own


def shapes(root, tag, kind):
    return [each for each in root.iter(f"{SVG}{tag}") if each.get("class") == kind]


def test_each_check_has_a_chart_and_each_point_a_circle():
    root = draw(make([1, 2, 3]), make([5, 4], check="other"), make([], check="empty"))
    assert len(shapes(root, "rect", "frame")) == 2
    assert len(shapes(root, "circle", "pass")) == 5
    assert len(shapes(root, "polyline", "line")) == 2
    titles = [each.text for each in root.iter(f"{SVG}title")]
    assert titles[0] == "Checks of orders over time"
    assert "2026-11-03 03:00:00, pass, 3" in titles


def test_higher_numbers_stand_higher_and_later_ones_to_the_right():
    circles = shapes(draw(make([1, 5, 3])), "circle", "pass")
    xs, ys = ([float(each.get(axis)) for each in circles] for axis in ("cx", "cy"))
    assert xs == sorted(xs)
    assert ys[1] < ys[2] < ys[0]


def test_what_was_usual_and_what_was_not():
    root = draw(make([5, 20, 6], usual=(None, USUAL, USUAL), high=25.0))
    assert len(shapes(root, "rect", "usual")) == 2
    assert len(shapes(root, "circle", "odd")) == 1
    assert len(shapes(root, "line", "bound")) == 1


def test_verdicts_have_their_classes_and_changes_of_code_their_lines():
    series = make([1, 2, None])
    verdicts = (Verdict.WARN, Verdict.FAIL, Verdict.ERROR)
    points = tuple(
        replace(point, verdict=verdict, code=f"f{place // 2}")
        for place, (point, verdict) in enumerate(zip(series.points, verdicts, strict=True))
    )
    root = draw(replace(series, points=points))
    for verdict in verdicts:
        assert len(shapes(root, "circle", str(verdict))) == 1
    assert len(shapes(root, "line", "code")) == 1


def test_one_sided_bounds_and_single_points_stay_in_the_picture():
    inf = float("inf")
    for usual in (Usual(9, 7, "", 5.0, -inf, 8.0), Usual(9, 7, "", 5.0, 2.0, inf)):
        root = draw(make([5], usual=(usual,)))
        (shade,) = shapes(root, "rect", "usual")
        assert float(shade.get("height")) > 0
    text = draw_history([make([0, 0, 0])], "orders")
    assert "nan" not in text
    assert "inf" not in text


def test_it_needs_nothing_else_and_runs_nothing():
    text = draw_history([make([1, 2], check="<script>&\x00\"'")], "a<b")
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert "<script" not in text
    assert not re.search(r"(?:href|src|url)\s*[=(]", text)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
