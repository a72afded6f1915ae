"""The functions of cases, as a user of pandas would write them.

Their annotations are texts, so that pandas is imported by who runs them alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segue.testing.engines.cases import Case

PANDAS = "pandas.DataFrame"


def make_function(case: Case) -> Callable[..., Any]:
    """Return the function that a case names, with a parameter for each input.

    Args:
        case: With the options ``fn``, and ``by`` if the function is to know its keys.

    Raises:
        ValueError: There is no such function.

    Example:
        >>> from segue.testing.engines.cases import Case
        >>> make_function(Case("all", "batch", (), None, {"fn": "identity"})).__name__
        'identity'
    """
    name = case.options.get("fn", "identity")
    if name not in FUNCTIONS:
        raise ValueError(f"case {case.name!r}: there is no function {name!r}")
    function = _spread(FUNCTIONS[name], case.names("by") or (), len(case.inputs))
    function.__name__ = function.__qualname__ = name
    return annotate(function, PANDAS)


def annotate(function: Callable[..., Any], frame: str, result: str = "") -> Callable[..., Any]:
    """Let all parameters of a function be of one frame.

    Args:
        function: Without annotations, or with others.
        frame: Annotation of each parameter.
        result: Annotation of what it returns; the same without it.
    """
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    function.__annotations__ = {**dict.fromkeys(names, frame), "return": result or frame}
    return function


def _spread(body: Any, keys: Sequence[str], count: int) -> Callable[..., Any]:
    """Return a function with as many parameters as there are inputs."""

    def one(first: Any) -> Any:
        return body([first], keys)

    def two(first: Any, second: Any) -> Any:
        return body([first, second], keys)

    def three(first: Any, second: Any, third: Any) -> Any:
        return body([first, second, third], keys)

    def four(first: Any, second: Any, third: Any, fourth: Any) -> Any:
        return body([first, second, third, fourth], keys)

    return (one, one, two, three, four)[count]


def identity(frames: list[Any], _: Sequence[str]) -> Any:
    """Return the frame unchanged."""
    return frames[0]


def first_row(frames: list[Any], _: Sequence[str]) -> Any:
    """Return only the first row received."""
    return frames[0].head(1)


def count_rows(frames: list[Any], keys: Sequence[str]) -> Any:
    """Return one row: the key columns, and how many rows there were."""
    frame = frames[0]
    if not keys:
        return type(frame)({"n": [len(frame)]})
    return frame[list(keys)].head(1).assign(n=len(frame))


def rebuild_key(frames: list[Any], _: Sequence[str]) -> Any:
    """Return one row of a new frame: the value of key k, and the sum of v."""
    frame = frames[0]
    return type(frame)({"k": [frame["k"].iloc[0]], "s": [frame["v"].sum(min_count=1)]})


def emit_nothing(frames: list[Any], _: Sequence[str]) -> Any:
    """Return zero rows."""
    return frames[0].head(0)


def keep_if_key_is_1(frames: list[Any], _: Sequence[str]) -> Any:
    """Return the frame if column k is 1, else zero rows."""
    frame = frames[0]
    return frame if len(frame) and frame["k"].iloc[0] == 1 else frame.head(0)


def add_null_ts(frames: list[Any], _: Sequence[str]) -> Any:
    """Add a column t that holds only missing timestamps."""
    import numpy as np

    return frames[0].assign(t=np.datetime64("NaT", "us"))


def make_struct(frames: list[Any], keys: Sequence[str]) -> Any:
    """Return one row: the key columns, and a struct."""
    keyed = frames[0][list(keys or "k")].head(1)
    return keyed.assign(s=[{"a": 1}] * len(keyed))


def drop_struct(frames: list[Any], _: Sequence[str]) -> Any:
    """Return only column k."""
    return frames[0][["k"]]


def reverse_columns(frames: list[Any], _: Sequence[str]) -> Any:
    """Return the frame with its columns in reverse order."""
    return frames[0][frames[0].columns[::-1]]


def half_missing_int(frames: list[Any], _: Sequence[str]) -> Any:
    """Add a column m of whole numbers that is floating in memory, every second value missing."""
    nan = float("nan")
    return frames[0].assign(m=[nan if i % 2 else i + 1.0 for i in range(len(frames[0]))])


def explode2(frames: list[Any], _: Sequence[str]) -> Any:
    """Return each row twice."""
    return frames[0].iloc[[position for position in range(len(frames[0])) for _ in "12"]]


def fail_if_key_is_null(frames: list[Any], _: Sequence[str]) -> Any:
    """Raise if key k is missing, else return the frame unchanged."""
    if frames[0]["k"].isna().any():
        raise NotImplementedError("no key")
    return frames[0]


def sizes(frames: list[Any], keys: Sequence[str]) -> Any:
    """Return one row: the key columns, and how many rows each frame has."""
    told = "/".join(str(len(frame)) for frame in frames)
    if not keys:
        return type(frames[0])({"v": [told]})
    filled = next((frame for frame in frames if len(frame)), frames[0])
    return filled[list(keys)].head(1).assign(v=told)


def must_not_run(_: list[Any], __: Sequence[str]) -> Any:
    """Raise, for nobody may call it."""
    raise AssertionError("this function must not be called")


def concat_bytes(frames: list[Any], _: Sequence[str]) -> Any:
    """Append a byte to every value of column b."""
    values = [each + b"\x78" if isinstance(each, bytes) else None for each in frames[0]["b"]]
    return frames[0].assign(b=values)


FUNCTIONS: dict[str, Any] = {
    function.__name__: function
    for function in (
        identity,
        first_row,
        count_rows,
        rebuild_key,
        emit_nothing,
        keep_if_key_is_1,
        add_null_ts,
        make_struct,
        drop_struct,
        reverse_columns,
        half_missing_int,
        explode2,
        fail_if_key_is_null,
        sizes,
        must_not_run,
        concat_bytes,
    )
}
