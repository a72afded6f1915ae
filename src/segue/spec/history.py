"""What a check measured over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.spec.contract import Verdict


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

    @property
    def number(self) -> float | None:
        """What is compared over time: the value, else the share of failing rows."""
        if self.value is not None:
            return self.value
        if self.failing is None:
            return None
        return self.failing / self.rows if self.rows else 0.0
