"""``window`` of a step: windows of event time, as a decorator or a SQL header states them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.registry import nearest
from segue.settings import parse_duration
from segue.spec.edge import WindowKind, WindowSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MICROSECONDS = 1_000_000


def read_window(value: Any) -> WindowSpec:
    """Read ``{column: at, size: 1m, every: 10s, late: 30s}`` or ``{column: at, session: 10m}``.

    Raises:
        ValueError: It is none; the message says what was expected.

    Example:
        >>> read_window({"column": "at", "size": "1m"}).size
        60000000
    """
    if not isinstance(value, dict):
        raise ValueError(  # noqa: TRY004 - the caller reports a ValueError
            f"{value!r} is no window: write {{column: at, size: 1m}} or {{..., session: 10m}}"
        )
    for name in value:
        if name not in _READERS:
            hint = nearest(str(name), tuple(_READERS))
            raise ValueError(f"a window has no {name!r}; {hint}")
    read = {name: _READERS[name](name, part) for name, part in value.items()}
    if "column" not in read:
        raise ValueError("a window needs the column of the event time: {column: at, ...}")
    if ("size" in read) == ("session" in read):
        raise ValueError("a window has a size or is a session: {size: 1m} or {session: 10m}")
    return _make_session(read) if "session" in read else _make_fixed(read)


def _make_session(read: Mapping[str, Any]) -> WindowSpec:
    if "every" in read:
        raise ValueError("every means nothing for a session: it begins with its first row")
    span = read["session"]
    late, by = read.get("late", 0), read.get("by", ())
    return WindowSpec(WindowKind.SESSION, read["column"], span, span, late, by)


def _make_fixed(read: Mapping[str, Any]) -> WindowSpec:
    size = read["size"]
    every = read.get("every", size)
    if "by" in read:
        raise ValueError("by is for sessions: windows of a fixed size are the same for all rows")
    if every > size:
        raise ValueError("every is longer than size, so that rows between windows would be lost")
    kind = WindowKind.TUMBLING if every == size else WindowKind.SLIDING
    return WindowSpec(kind, read["column"], size, every, read.get("late", 0))


def _read_name(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} of a window is the name of a column, not {value!r}")
    return value


def _read_names(name: str, value: Any) -> tuple[str, ...]:
    words = value if isinstance(value, list | tuple) else (value,)
    return tuple(_read_name(name, word) for word in words)


def _read_span(name: str, value: Any) -> int:
    span = round(parse_duration(value) * MICROSECONDS)
    if span <= 0:
        raise ValueError(f"{name} of a window is longer than 0, not {value!r}")
    return span


def _read_late(name: str, value: Any) -> int:
    span = round(parse_duration(value) * MICROSECONDS)
    if span < 0:
        raise ValueError(f"{name} of a window is 0 or more, not {value!r}")
    return span


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "column": _read_name,
    "size": _read_span,
    "every": _read_span,
    "late": _read_late,
    "session": _read_span,
    "by": _read_names,
}


def write_window(window: WindowSpec) -> str:
    """Return a window as one text, for a fingerprint: equal windows give equal texts."""
    parts = (window.kind, window.column, window.size, window.every, window.late, *window.by)
    return "\0".join(map(str, parts))
