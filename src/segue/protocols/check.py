"""What segue asks of a kind of check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class CheckKind(Protocol):
    """A kind of check; one small file each.

    Attributes:
        name: The word in contracts.
        scope: ``column`` for one that stands below a column, ``table`` for one beside the
            columns, ``both`` for one that can be either.
        row_level: Whether single rows break it, so that they can be set aside.
    """

    name: str
    scope: str
    row_level: bool

    def read(self, value: Any) -> Mapping[str, Any]:
        """Turn what stands in a contract into the check's arguments.

        Raises:
            ValueError: It makes no sense; the message says what was expected.
        """
        ...

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the SQL predicate (never null) that is true for rows that break the check.

        It may use window functions or subqueries over `table` only where `row_level` is
        true for them as well. For whole-table checks: an empty string.
        """
        ...

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate SQL expression that `judge` reads.

        A count of failing rows for a row-level check, the measured value otherwise. The
        expressions of all checks share one scan; a measure that needs a query of its own
        is a whole SELECT of one value, beginning with ``select``.
        """
        ...

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Turn what was measured into a verdict with a sentence for people."""
        ...
