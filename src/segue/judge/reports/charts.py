"""Small charts of a report's page, as SVG and HTML without scripts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from segue.frames.html import Markup, write_text
from segue.spec.contract import Verdict
from segue.spec.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.spec.contract import Segment
    from segue.spec.history import Point

KINDS = {"pass": "good", "warn": "warn", "set aside": "warn", "fail": "bad", "error": "bad"}
"""In which colour each verdict is written."""
_POINTS = 60
_WIDTH, _HEIGHT, _MARGIN = 260, 48, 5
_SEGMENTS = 12
_EXACT = 1e15
"""Whole numbers up to this are written out."""


def draw_counts(counts: Mapping[str, int]) -> Markup:
    """Return a bar that is parted as the verdicts are."""
    told = ", ".join(f"{count:,} {word}" for word, count in counts.items())
    parts = "".join(
        f'<i class="{KINDS[word]}" style="flex:{count}"></i>' for word, count in counts.items()
    )
    return Markup(f'<div class="bar" role="img" aria-label="{write_text(told)}">{parts}</div>')


def draw_share(failing: int, rows: int, kind: str) -> Markup:
    """Return a bar as long as the share of failing rows, never so short that it is not seen."""
    percent = 100 * failing / rows if rows else 0.0
    label = f"{failing:,} of {rows:,} rows"
    return Markup(
        f'<div class="share" role="img" aria-label="{label}">'
        f'<i class="{kind}" style="width:max(3px,{percent:.4g}%)"></i></div>'
    )


def draw_segments(segments: Sequence[Segment]) -> Markup:
    """Return the segments that break a check, each with a bar; the longest is the worst."""
    amounts = [_weigh(each) for each in segments]
    known = [abs(each) for each in amounts if each is not None and math.isfinite(each)]
    most = max(known, default=0.0) or 1.0
    lines = []
    for each, amount in list(zip(segments, amounts, strict=True))[:_SEGMENTS]:
        key = ", ".join(f"{name} = {_show(value)}" for name, value in each.key.items())
        finite = amount is not None and math.isfinite(amount)
        width = 100 * abs(amount) / most if amount is not None and finite else 0.0
        told = _tell_segment(each)
        lines.append(
            f'<dt dir="auto">{write_text(printable(key))}</dt><dd><div class="share">'
            f'<i class="{KINDS[str(each.verdict)]}" style="width:max(3px,{width:.4g}%)"></i></div>'
            f"<span>{write_text(told)}</span></dd>"
        )
    more = len(segments) - len(lines)
    rest = f'<p class="soft">and {more:,} more segments</p>' if more > 0 else ""
    return Markup(f'<dl class="segments">{"".join(lines)}</dl>{rest}')


def _weigh(segment: Segment) -> float | None:
    if segment.failing is not None:
        return segment.failing / segment.rows if segment.rows else 0.0
    return segment.value


def _tell_segment(segment: Segment) -> str:
    if segment.failing is not None:
        return f"{segment.failing:,} of {segment.rows:,} rows"
    return "nothing to measure" if segment.value is None else _tell_number(segment.value)


def _show(value: object) -> str:
    return "null" if value is None else str(value)


def draw_history(points: Sequence[Point]) -> Markup:
    """Return what a check measured over time as a line; empty if there are not two numbers."""
    known = [(point, point.number) for point in points[-_POINTS:]]
    drawn = [(point, number) for point, number in known if number is not None]
    drawn = [(point, number) for point, number in drawn if math.isfinite(number)]
    if len(drawn) < 2:  # noqa: PLR2004  # a line has two ends
        return Markup()
    numbers = [number for _, number in drawn]
    low, high = min(numbers), max(numbers)
    spots = [
        (_place(at, len(drawn)), _lift(number, low, high)) for at, number in enumerate(numbers)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    dots = "".join(
        f'<circle class="{KINDS[str(point.verdict)]}" cx="{x:.1f}" cy="{y:.1f}" r="2.6">'
        f"<title>{write_text(point.at[:16])} {_tell_number(number)} {point.verdict}</title>"
        "</circle>"
        for (point, number), (x, y) in zip(drawn, spots, strict=True)
        if point.verdict is not Verdict.PASS or (x, y) == spots[-1]
    )
    first, last = drawn[0][0].at[:10], drawn[-1][0].at[:10]
    share = all(point.value is None for point, _ in drawn)
    least, most = _tell_number(low, share=share), _tell_number(high, share=share)
    bounds = f"always {most}" if least == most else f"{least} to {most}"
    when = f"on {last}" if first == last else f"from {first} to {last}"
    told = f"{len(drawn)} measurements {when}: {bounds}"
    label = write_text(told)
    return Markup(
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
        f' role="img" aria-label="{label}"><polyline points="{line}"/>{dots}</svg>'
        f"<figcaption>{label}</figcaption></figure>"
    )


def _place(at: int, count: int) -> float:
    return _MARGIN + (_WIDTH - 2 * _MARGIN) * at / (count - 1)


def _lift(number: float, low: float, high: float) -> float:
    part = (number - low) / (high - low) if high > low else 0.5
    return _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * part


def _tell_number(value: float, *, share: bool = False) -> str:
    """Return a number of a chart; a share of rows is told in percent.

    Example:
        >>> _tell_number(2_000_000_000), _tell_number(0.1234567), _tell_number(0.5, share=True)
        ('2,000,000,000', '0.123457', '50%')
    """
    if share:
        return f"{100 * value:.3g}%"
    whole = float(value).is_integer() and abs(value) < _EXACT
    return f"{value:,.0f}" if whole else f"{value:,.6g}"
