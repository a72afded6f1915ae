"""What a step says about itself, in a decorator or in the ``-- segue:`` line of its SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.declare.window import read_window, write_window
from segue.errors import Location
from segue.registry import nearest
from segue.settings import parse_duration, parse_size
from segue.spec.expression import read_expression
from segue.spec.step import Limits, Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from segue.declare.problems import Problems
    from segue.spec.edge import WindowSpec

HOWS = ("inner", "left", "right", "full")
MODES = ("replace", "append", "merge", "view")
LIMITS = ("retries", "backoff", "timeout", "memory")


@dataclass(frozen=True, slots=True)
class Options:
    """A step's options, validated.

    Attributes:
        mode: How its result becomes its table.
        key: Key columns of a merge.
        by: Columns whose groups are passed to the function one by one.
        sort: Columns that order rows.
        how: How co-groups are joined.
        schema: Declared output schema as an expression.
        tags: Words to select by.
        on: Name of the place.
        limits: Retries, timeout, memory.
        window: Windows in which it sees the rows of the first table that it reads.
        model: Path of the ONNX file that it infers with.
    """

    mode: Mode = Mode.REPLACE
    key: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    how: str = "inner"
    schema: str | None = None
    tags: tuple[str, ...] = ()
    on: str = "local"
    limits: Limits = field(default_factory=Limits)
    window: WindowSpec | None = None
    model: str | None = None

    @property
    def meaning(self) -> tuple[tuple[str, str], ...]:
        """The options that decide the result, where they are not the default."""
        values = {
            "mode": self.mode.value if self.mode != Mode.REPLACE else "",
            "key": "\0".join(self.key),
            "by": "\0".join(self.by),
            "sort": "\0".join(self.sort),
            "how": self.how if self.how != "inner" else "",
            "schema": self.schema or "",
            "window": write_window(self.window) if self.window else "",
            "model": self.model or "",
        }
        return tuple((name, value) for name, value in values.items() if value)


NO_OPTIONS = Options()


def read_options(raw: Mapping[str, Any], location: Location, problems: Problems) -> Options:
    """Validate a step's options; what is wrong is reported and left at its default.

    Args:
        raw: What the user stated, by name; None counts as not stated.
        location: Where.
        problems: Takes what is wrong.
    """
    if not raw:
        return NO_OPTIONS
    read: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    for name, value in raw.items():
        if value is None:
            continue
        try:
            target = limits if name in LIMITS else read
            target[name] = _READERS[name](value)
        except KeyError:
            hint = nearest(name, tuple(_READERS), noun="option")
            problems.add("unknown-option", f"there is no option {name!r}", location, hint)
        except ValueError as error:
            problems.add("bad-option", f"{name}: {error}", location)
    options = Options(**read, limits=Limits(**limits))
    _check_key(options, location, problems)
    return options


def _check_key(options: Options, location: Location, problems: Problems) -> None:
    if options.mode == Mode.MERGE and not options.key:
        hint = 'name the columns that tell rows apart: key: [id] in SQL, key="id" in Python'
        problems.add("merge-without-key", "mode merge needs a key", location, hint)
    if options.key and options.mode != Mode.MERGE:
        hint = "say mode: merge as well, or leave the key out"
        message = f"a key means nothing in mode {options.mode.value}"
        problems.add("key-without-merge", message, location, hint)


def _read_words(value: Any) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else tuple(value) if _is_list(value) else None
    if words is None or not all(isinstance(word, str) and word for word in words):
        raise ValueError(f"{value!r} is neither a name nor a list of names")
    twice = next((word for word in words if words.count(word) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice!r} comes twice")
    return words


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _choice(choices: tuple[str, ...]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in choices:
            hint = nearest(str(value), choices)
            raise ValueError(f"{value!r} is not one of {', '.join(choices)}; {hint}")
        return str(value)

    return read


def _read_word(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a name")
    return value


def _read_schema(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is neither a schema expression nor a pyarrow.Schema")  # noqa: TRY004 - a ValueError is what the caller reports
    read_expression(value)
    return value


def _read_retries(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a whole number from 0")
    return value


def _positive(read: Callable[[Any], float]) -> Callable[[Any], float]:
    def read_positive(value: Any) -> float:
        number = read(value)
        if number <= 0:
            raise ValueError(f"{value!r} is not more than 0")
        return number

    return read_positive


def _read_backoff(value: Any) -> float:
    seconds = parse_duration(value)
    if seconds < 0:
        raise ValueError(f"{value!r} is less than 0")
    return seconds


_READERS: dict[str, Callable[[Any], Any]] = {
    "mode": lambda value: Mode(_choice(MODES)(value)),
    "key": _read_words,
    "by": _read_words,
    "sort": _read_words,
    "how": _choice(HOWS),
    "schema": _read_schema,
    "tags": _read_words,
    "on": _read_word,
    "window": read_window,
    "model": _read_word,
    "retries": _read_retries,
    "backoff": _read_backoff,
    "timeout": _positive(parse_duration),
    "memory": _positive(parse_size),
}
OPTIONS = tuple(_READERS)
"""Names of all options of a step."""
