"""Spark's errors as segue's: one sentence instead of two stack traces."""

from __future__ import annotations

import re
import textwrap
import warnings
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from segue.errors import (
    EngineError,
    SegueError,
    SqlError,
    StepError,
    StorageFullError,
    UnsupportedError,
    VersionClashError,
)
from segue.spec.failure import unseal

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\] (.+?)(?: SQLSTATE: \w+)?(?:\n|$)")
_WIDTH = 300
_ADVICE = re.compile(r"\.? (?:Use ['`]|If necessary set|Correct the value).*", re.DOTALL)
"""What Spark suggests, which is not what a user of segue can do."""

_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)

_VALUES = (
    "ARITHMETIC_OVERFLOW",
    "BINARY_ARITHMETIC_OVERFLOW",
    "CAST_INVALID_INPUT",
    "CAST_OVERFLOW",
    "CANNOT_PARSE",
    "DATETIME_FIELD_OUT_OF_BOUNDS",
    "DATETIME_OVERFLOW",
    "DIVIDE_BY_ZERO",
    "INTERVAL",
    "INVALID_ARRAY_INDEX",
    "INVALID_FORMAT",
    "NUMERIC_OUT_OF",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "REMAINDER_BY_ZERO",
    "SCALAR_SUBQUERY_TOO_MANY_ROWS",
    "USER_RAISED_EXCEPTION",
    "VALUE_OUT_OF_RANGE",
)
"""Beginnings of the conditions in which a value is at fault, and not the engine."""


class _Silence:
    """Keeps a warning back while any thread wants it: filters belong to the whole process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wanted = 0
        self._kept = ExitStack()

    def begin(self) -> None:
        with self._lock:
            if not self._wanted:
                self._kept.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
            self._wanted += 1

    def end(self) -> None:
        with self._lock:
            self._wanted -= 1
            if not self._wanted:
                self._kept.close()


_SILENCE = _Silence()


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep back what PySpark says of pandas' version, at many calls: segue uses no pandas in it."""
    _SILENCE.begin()
    try:
        yield
    finally:
        _SILENCE.end()


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise what goes wrong with Spark as segue's errors.

    Args:
        doing: What is being done, as a message begins: ``the query``.

    Raises:
        SegueError: The error that a worker raised, or one that tells what Spark said.
    """
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # it ships no types
    from pyspark.errors import PySparkException

    kinds: list[type[Exception]] = [PySparkException, Py4JError, ConnectionError]
    try:
        from grpc import RpcError
    except ModuleNotFoundError:
        pass
    else:
        kinds.append(RpcError)
    try:
        with without_warnings():
            yield
    except tuple(kinds) as error:
        raise translate_error(error, doing) from None


def translate_error(error: Exception, doing: str) -> SegueError:
    """Return the error that a user is to see; see `translated`."""
    text = str(error)
    sealed = unseal(text)
    if sealed is not None:
        if isinstance(sealed, StepError):
            sealed.engine = "spark"
        return sealed
    if _FULL.search(text):
        return StorageFullError("no room is left for Spark's temporary files", hint="make room")
    name, said = _read_condition(error, text)
    if name == "PYTHON_VERSION_MISMATCH":
        return VersionClashError(said, hint="let workers run the Python of this process")
    if name.startswith(_VALUES):
        return SqlError(f"{doing} failed: {said}", engine="spark")
    if type(error).__name__ in ("AnalysisException", "ParseException"):
        return UnsupportedError(
            f"Spark can't do this: {said}", hint="ask for it in another way, or on another engine"
        )
    return EngineError(f"{doing} failed on Spark: {said}")


def _read_condition(error: Exception, text: str) -> tuple[str, str]:
    """Return the name of an error's condition, and what it says in one line."""
    found = _CONDITION.search(text)
    if found is not None:
        return found[1], _shorten(found[2])
    caused = re.search(r"Caused by: [\w.$]+: (.+)", text)
    lines = [line for line in text.strip().splitlines() if line.strip()]
    plain = (
        caused[1] if caused else lines[-1] if "Traceback" in text else (lines or ["it broke"])[0]
    )
    return str(getattr(error, "getCondition", lambda: "")() or ""), _shorten(plain)


def _shorten(text: str) -> str:
    text = _ADVICE.sub("", text)
    return textwrap.shorten(text.strip().rstrip("."), _WIDTH, placeholder=" …")
