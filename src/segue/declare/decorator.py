"""``@step``: what marks a function as a step, and nothing more."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

P = ParamSpec("P")
R = TypeVar("R")
ATTRIBUTE = "__segue_step__"


@dataclass(frozen=True, slots=True)
class StepMark:
    """What a user stated about a step.

    Attributes:
        name: Name of the step; None for the function's own.
        options: Other options by name, as stated.
    """

    name: str | None
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MarkedFunction:
    """A function that was marked while a project was loaded.

    Attributes:
        function: The function.
        mark: What was stated.
        module: Name of the module whose loading marked it.
        line: Line of that module at which it did.
    """

    function: Callable[..., Any]
    mark: StepMark
    module: str
    line: int


COLLECTOR: ContextVar[list[MarkedFunction] | None] = ContextVar("COLLECTOR", default=None)
"""Where marks are gathered while a project is loaded: factories and loops leave no global."""


@overload
def step(function: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def step(
    *,
    name: str | None = None,
    by: str | Sequence[str] | None = None,
    sort: str | Sequence[str] | None = None,
    how: Literal["inner", "left", "right", "full"] | None = None,
    mode: Literal["replace", "append", "merge"] | None = None,
    key: str | Sequence[str] | None = None,
    schema: Any = None,
    tags: str | Sequence[str] | None = None,
    on: str | None = None,
    retries: int | None = None,
    backoff: float | str | None = None,
    timeout: float | str | None = None,
    memory: int | str | None = None,
    window: Mapping[str, Any] | None = None,
    model: str | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def step(
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    **options: Any,
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a function as the step that makes the table of the same name.

    The function comes back unchanged, so that a unit test calls it as it is.

    Args:
        function: The function, where the decorator is used bare.
        name: Name of the step and its table; the function's own if not stated.
        **options: `by` calls it once per group of these columns; `sort` orders rows, ``-day``
            for descending; `how` joins co-groups: inner, left, right, full; `mode` is replace,
            append or merge, and `key` the columns that tell a merge's rows apart; `schema` is
            the result's, as an expression, a `pyarrow.Schema`, a dict of types by name, or a
            TypedDict, dataclass, pydantic or pandera model; `tags` are words to select by;
            `on` names a place; `retries`, `backoff`, `timeout` and `memory` limit attempts;
            `window` lets it see ``window_start`` and ``window_end`` of each row's windows:
            ``{"column": "at", "size": "1m"}``; `model` is an ONNX file that nodes of a fleet
            infer with.

    Example:
        >>> @step(by="store", sort="day")
        ... def forecast(daily: "pd.DataFrame", horizon: int = 14) -> "pd.DataFrame":
        ...     return daily.tail(horizon)
    """

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        if not hasattr(function, "__code__"):
            raise TypeError(f"@step marks functions, and {function!r} is none")
        made = StepMark(name, options)
        setattr(function, ATTRIBUTE, made)
        collector = COLLECTOR.get()
        if collector is not None:
            collector.append(MarkedFunction(function, made, *_find_module()))
        return function

    return mark if function is None else mark(function)


def _find_module() -> tuple[str, int]:
    """Return the module that is being loaded, and the line at which it stands."""
    frame = sys._getframe(2)  # noqa: SLF001 - the cheap way to the caller
    while frame.f_code.co_name != "<module>" and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_globals.get("__name__", ""), frame.f_lineno
