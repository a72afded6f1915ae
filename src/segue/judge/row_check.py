"""What the kinds have in common whose failing rows a predicate can tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from segue.judge.verdict import judge_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class RowCheck(ABC):
    """A kind that single rows break: it is measured by counting them."""

    name: str
    scope: str = "column"
    row_level: bool = True

    @abstractmethod
    def read(self, value: Any) -> Mapping[str, Any]:
        """Turn what stands in a contract into the check's arguments."""

    @abstractmethod
    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate that is true for failing rows, and false for all others."""

    @abstractmethod
    def state(self, check: Check) -> str:
        """Return the check as a short statement, such as ``amount between 0 and 100``."""

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that counts failing rows."""
        return f"count(*) filter (where {self.failing(check, types, table)})"

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold the count of failing rows against the check's tolerances."""
        return judge_rows(check, int(value), rows, self.state(check))


def read_flag(value: Any, kind: str) -> None:
    """Accept ``kind: true`` and the long form that has nothing but tolerances.

    Raises:
        ValueError: It says something else.
    """
    if value is not True and value is not None and value != {}:
        raise ValueError(
            f"expected `{kind}: true`, found {value!r}; leave it out if it need not be"
        )


def read_text(value: Any, expected: str) -> str:
    """Return a text that is not empty.

    Raises:
        ValueError: It is something else; `expected` says what it should be.
    """
    text = value if isinstance(value, str) else ""
    if not text.strip():
        raise ValueError(f"expected {expected}, found {value!r}")
    return text


def read_long(value: Any, keys: tuple[str, ...], short: str) -> dict[str, Any]:
    """Return a check's long form with its keys known; a short form is put under `short`.

    Raises:
        ValueError: It has keys that the kind does not know.

    Example:
        >>> read_long("[0-9]+", ("pattern",), "pattern")
        {'pattern': '[0-9]+'}
    """
    if not isinstance(value, dict):
        return {short: value}
    unknown = [key for key in value if key not in keys]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}: expected {', '.join(keys)}")
    return dict(value)
