"""What must be true of a table, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from segue.spec.sensitive import NONE, Sensitive
from segue.spec.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.errors import Location
    from segue.spec.types import DataType


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many failing rows are borne.

    Attributes:
        count: Most failing rows, if stated as a number.
        share: Largest share of failing rows (0.001 for ``0.1%``), if stated as one.
    """

    count: int | None = None
    share: float | None = None

    def allows(self, failing: int, rows: int) -> bool:
        """Return whether `failing` of `rows` rows are within the tolerance."""
        if self.share is not None:
            return failing <= self.share * rows
        return failing <= (self.count or 0)

    def __str__(self) -> str:
        """Return the tolerance as a contract states it."""
        return f"{self.share * 100:g}%" if self.share is not None else str(self.count or 0)


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows that a check looks at: all of them unless it says otherwise.

    Attributes:
        where: SQL predicate of the rows that count; empty for all.
        by: Columns whose values part the rows into segments, each judged by itself.
        sample: Share of the rows (0.01 for ``1%``) that is looked at; None for all.
        new: Whether only rows count that came since the table was last judged.
    """

    where: str = ""
    by: tuple[str, ...] = ()
    sample: float | None = None
    new: bool = False

    def __str__(self) -> str:
        """Return the slice in words, to follow a statement; empty for all rows."""
        parts = [
            f"where {' '.join(self.where.split())}" if self.where else "",
            f"by {', '.join(self.by)}" if self.by else "",
            f"in {self.sample * 100:g}% of the rows" if self.sample is not None else "",
            "in new rows" if self.new else "",
        ]
        return " ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class Check:
    """One measurable statement of a contract.

    Attributes:
        name: Its name, unique in the contract: given, or made from kind and columns.
        kind: Name of the check kind, such as ``between``.
        columns: Columns it speaks of; empty for a check of the whole table.
        arguments: What the kind needs, as it was validated by the kind.
        fail: Tolerance beyond which the check fails; None for a check that only warns.
        warn: Tolerance beyond which it warns; None for a check that never warns.
        location: Where it is declared.
        sensitive: Whether values must stay out of samples and records.
        slice: The rows that it looks at.
        anomaly: How what is measured is held against its own history, as `anomaly` says it in
            the contract; None if it is not.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    arguments: Mapping[str, Any]
    fail: Tolerance | None
    warn: Tolerance | None
    location: Location
    sensitive: bool = False
    slice: Slice = Slice()
    anomaly: Mapping[str, Any] | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the other tables that it looks into.

        A kind tells them in its arguments: `table` for one, `reads` for several.
        """
        single = self.arguments.get("table")
        return (*(() if single is None else (single,)), *self.arguments.get("reads", ()))

    @property
    def shows(self) -> tuple[str, ...]:
        """Columns whose values it may show.

        A kind that speaks of more than the check's columns tells them under `mentions`.
        """
        return (*self.columns, *self.arguments.get("mentions", ()))


@dataclass(frozen=True, slots=True)
class Contract:
    """What must be true of a table.

    Attributes:
        table: Name of the table.
        location: Where it is declared.
        checks: Its checks, types of columns included.
        owner: Who answers for the table.
        about: What the table is.
        columns: What is said about columns: descriptions by name.
        marks: What is said of columns under `sensitive`, by name.
        sensitive: Columns whose values must stay out of samples and records: those that are
            marked, and in a project those that are made from such ones.
        rejects: Whether rows that fail a row-level check are set aside.
        digest: Hex digest of all that decides a verdict.
        types: Declared column types, by name.
    """

    table: str
    location: Location
    checks: tuple[Check, ...]
    owner: str = ""
    about: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, bool] = field(default_factory=dict)
    sensitive: Sensitive = NONE
    rejects: bool = False
    digest: str = ""
    types: Mapping[str, DataType] = field(default_factory=dict)

    @property
    def references(self) -> tuple[str, ...]:
        """Names of the other tables that its checks look into."""
        return tuple(sorted({name for check in self.checks for name in check.tables}))

    def hide(self, sensitive: Sensitive) -> Contract:
        """Return it with other sensitive columns: checks that speak of them show no values."""
        checks = tuple(
            replace(check, sensitive=any(map(sensitive.why, check.shows))) for check in self.checks
        )
        return replace(self, sensitive=sensitive, checks=checks)


class Verdict(StrEnum):
    """What a check came to, from good to bad."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a check with `by`.

    Attributes:
        key: Values of the columns that part the rows; masked where they are sensitive.
        verdict: What it came to.
        rows: Rows of the segment.
        failing: Rows that break the check; None where it does not count rows.
        value: What was measured, where it does not.
    """

    key: Mapping[str, Any]
    verdict: Verdict
    rows: int
    failing: int | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one check measured on one table version.

    Attributes:
        table: Name of the table.
        check: Name of the check.
        kind: Name of the check kind.
        columns: Columns it speaks of.
        verdict: What it came to.
        rows: Rows of the table.
        failing: Rows that break the check; None where the check does not count rows or could
            not be measured.
        value: What a whole-table check measured.
        message: One sentence for people.
        sample: A few failing rows, as plain values; empty for sensitive columns.
        sql: The query that counted.
        rejected: Whether the failing rows were set aside.
        segments: Segments that break a check with `by`, the worst first; not all if many.
        seconds: Duration of the query that measured; others may have shared it.
        shared: What failing rows have in common, in words.
        tracked: Segments whose numbers are kept for the history, those that keep the check
            included; empty for a check that is not held against its history by segments.
    """

    table: str
    check: str
    kind: str
    columns: tuple[str, ...]
    verdict: Verdict
    rows: int
    failing: int | None
    message: str
    value: float | None = None
    sample: tuple[Mapping[str, Any], ...] = ()
    sql: str = ""
    rejected: bool = False
    segments: tuple[Segment, ...] = ()
    seconds: float | None = None
    shared: tuple[str, ...] = ()
    tracked: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Report(Shown):
    """All measurements of one table version against its contract.

    Attributes:
        table: Name of the table.
        rows: Rows that were measured.
        measurements: One per check, in the contract's order.
        run_id: The run that measured, where nothing has changed since; empty if it was now.
        unkept: Why the ledger could not keep what was measured now; empty if it did.
    """

    table: str
    rows: int
    measurements: tuple[Measurement, ...]
    run_id: str = ""
    unkept: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all checks; pass where there is none."""
        order = list(Verdict)
        return max((m.verdict for m in self.measurements), key=order.index, default=Verdict.PASS)

    @property
    def stopping(self) -> tuple[Measurement, ...]:
        """The measurements for which the table may not be published."""
        bad = (Verdict.FAIL, Verdict.ERROR)
        return tuple(m for m in self.measurements if m.verdict in bad and not m.rejected)

    @property
    def stops(self) -> bool:
        """Whether the table may not be published."""
        return bool(self.stopping)
