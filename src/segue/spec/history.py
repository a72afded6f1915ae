"""What a check measured over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.spec.contract import Report, Segment, Verdict


@dataclass(frozen=True, slots=True)
class Point:
    """One earlier measurement of a check.

    Attributes:
        at: UTC time as ISO text.
        verdict: What it came to.
        rows: Rows of the table, or of the part that the check looks at.
        failing: Rows that broke the check; None where it does not count rows.
        value: What was measured, where it does not.
        run_id: The run that measured; empty if none did.
        version: Version of the table; None if it was not published.
        code: Fingerprint of the step that made the table; empty for sources.
        seconds: Duration of the query; None if not known.
        check: Name of the check.
        segments: The segments of a check that is held against its history by segments.
    """

    at: str
    verdict: Verdict
    rows: int
    failing: int | None = None
    value: float | None = None
    run_id: str = ""
    version: int | None = None
    code: str = ""
    seconds: float | None = None
    check: str = ""
    segments: tuple[Segment, ...] = ()

    @property
    def number(self) -> float | None:
        """What is compared over time: the value, else the share of failing rows."""
        return find_number(self.value, self.failing, self.rows)


@dataclass(frozen=True, slots=True)
class Judged:
    """A report, and what it speaks of.

    Attributes:
        report: What was measured of a table.
        version: Number of the version that was measured; None while it is not published.
        code: Fingerprint of the step that made it; empty for sources.
    """

    report: Report
    version: int | None = None
    code: str = ""


def find_number(value: float | None, failing: int | None, rows: int) -> float | None:
    """Return what is compared over time: the value, else the share of failing rows.

    Example:
        >>> find_number(None, 5, 100), find_number(7.5, None, 100), find_number(None, None, 1)
        (0.05, 7.5, None)
    """
    if value is not None or failing is None:
        return value
    return failing / rows if rows else 0.0
