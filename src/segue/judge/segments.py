"""Checks with `by`: each segment is judged by itself, and the worst of them decides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segue.judge.cells import read_cell
from segue.judge.verdict import judge_unmeasured, measurement
from segue.spec.contract import Segment, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from segue.judge.compile import CompiledCheck
    from segue.judge.gather import Segments
    from segue.spec.contract import Measurement

MOST = 100_000
"""Segments that are judged; with more of them the columns are hardly segments."""
KEPT = 20
"""Segments that a measurement names, at most."""
_TOLD = 3
MASK = "***"
_ORDER = list(Verdict)


def judge_segments(one: CompiledCheck, found: Segments, sensitive: Collection[str]) -> Measurement:
    """Judge a check on every segment.

    Args:
        one: The check.
        found: What was measured of each segment.
        sensitive: Columns whose values are masked.
    """
    table, check = found.table, one.check
    rows = sum(value.as_py() for value in table.column(f"m{found.places[0]}"))
    if table.num_rows > MOST:
        problem = f"there are {table.num_rows:,} segments by {', '.join(one.by)}: too many"
        return judge_unmeasured(check, rows, problem, found.query)
    judged = [_judge(one, *parts, sensitive) for parts in _read_segments(one, found)]
    bad = [(each, told) for each, told in judged if each.verdict is not Verdict.PASS]
    bad.sort(key=_place)
    verdict = bad[0][0].verdict if bad else Verdict.PASS
    failing = sum(each.failing or 0 for each, _ in judged) if one.kind.row_level else None
    message = _say(one, len(judged), bad)
    finished = measurement(check, verdict, rows, message=message, failing=failing, sql=found.query)
    masked = any(name in sensitive for name in one.by)
    tracked = () if check.anomaly is None or masked else tuple(each for each, _ in judged)
    return replace(finished, segments=tuple(each for each, _ in bad[:KEPT]), tracked=tracked)


def _place(judged: tuple[Segment, str]) -> tuple[int, int, str]:
    """Return where a segment stands: the worst first, and always in the same order."""
    segment = judged[0]
    key = str([*segment.key.values()])
    return -_ORDER.index(segment.verdict), -(segment.failing or 0), key


def _read_segments(
    one: CompiledCheck, found: Segments
) -> Iterator[tuple[dict[str, Any], int, Any]]:
    """Go through the segments: key, rows, and what was measured."""
    table = found.table
    keys = [list(map(read_cell, table.column(f"s{place}"))) for place in range(len(one.by))]
    rows, values = (list(map(read_cell, table.column(f"m{place}"))) for place in found.places)
    for place, (count, value) in enumerate(zip(rows, values, strict=True)):
        key = {name: keys[at][place] for at, name in enumerate(one.by)}
        yield key, int(count), value


def _judge(
    one: CompiledCheck, key: Mapping[str, Any], rows: int, value: Any, sensitive: Collection[str]
) -> tuple[Segment, str]:
    """Return what a segment came to, and in words."""
    plain = {name: MASK if name in sensitive else _make_plain(part) for name, part in key.items()}
    if value is None:
        return Segment(plain, Verdict.ERROR, rows), "there is nothing to measure"
    judged = one.kind.judge(one.check, value, rows)
    return Segment(plain, judged.verdict, rows, judged.failing, judged.value), judged.message


def _say(one: CompiledCheck, count: int, bad: list[tuple[Segment, str]]) -> str:
    state = getattr(one.kind, "state", None)
    statement = f"`{state(one.check)}` " if state else ""
    names = ", ".join(one.by)
    if not bad:
        return f"all {count:,} segments by {names} keep {statement}".strip()
    told = "; ".join(f"{_say_key(each.key)}: {words}" for each, words in bad[:_TOLD])
    more = f"; and {len(bad) - _TOLD:,} more" if len(bad) > _TOLD else ""
    return f"{len(bad):,} of {count:,} segments by {names}: {told}{more}"


def _say_key(key: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in key.items())


def _make_plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
