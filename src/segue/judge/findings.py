"""What was found when tables were checked: all that a report for people or machines tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from segue.spec.contract import Verdict

if TYPE_CHECKING:
    from segue.errors import Location
    from segue.spec.alerts import Delivery
    from segue.spec.contract import Contract, Measurement, Report
    from segue.spec.history import Point

Past = Callable[[str], Sequence["Point"]]
"""Gives the earlier measurements of a table by its name, oldest first."""


@dataclass(frozen=True)
class Findings:
    """What was found when tables were checked.

    Attributes:
        subject: What was checked: a project's name, or that of the data.
        reports: One for each table.
        contracts: Contracts by table, where they are known: they tell owners and places.
        at: When, as ISO text in UTC.
        past: Gives a table's earlier measurements; None where nothing is remembered.
        folder: Where the contracts' files lie, as a path that those who read the report know;
            empty for the current folder.
        alerts: Who was told of them, and whether it arrived.
    """

    subject: str
    reports: tuple[Report, ...]
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    at: str = ""
    past: Past | None = None
    folder: str = ""
    alerts: tuple[Delivery, ...] = ()

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """All measurements, table by table."""
        return tuple(found for report in self.reports for found in report.measurements)

    @property
    def stops(self) -> bool:
        """Whether a check failed."""
        return any(report.stops for report in self.reports)

    def owner(self, table: str) -> str:
        """Return who answers for a table; empty if nobody is named."""
        contract = self.contracts.get(table)
        return contract.owner if contract else ""

    def locate(self, found: Measurement) -> Location | None:
        """Return where a check is declared."""
        return self._places.get((found.table, found.check))

    @cached_property
    def _places(self) -> dict[tuple[str, str], Location]:
        return {
            (table, check.name): check.location
            for table, contract in self.contracts.items()
            for check in contract.checks
        }

    def history(self, found: Measurement) -> tuple[Point, ...]:
        """Return what a check measured before, oldest first."""
        if self.past is None:
            return ()
        if found.table not in self._histories:
            self._histories[found.table] = tuple(self.past(found.table))
        return tuple(point for point in self._histories[found.table] if point.check == found.check)

    @cached_property
    def _histories(self) -> dict[str, tuple[Point, ...]]:
        return {}


def sort_worst_first(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return measurements with what is not well first; the order is kept otherwise."""
    order = list(Verdict)
    return sorted(measurements, key=lambda found: (-order.index(found.verdict), found.rejected))


def tell_verdict(found: Measurement) -> str:
    """Return what a check came to in a word: rows that were set aside stop nothing."""
    aside = found.rejected and found.verdict is not Verdict.PASS
    return "set aside" if aside else str(found.verdict)


def is_well(found: Measurement) -> bool:
    """Return whether there is nothing to tell of a check."""
    return found.verdict is Verdict.PASS


def count_verdicts(measurements: Sequence[Measurement]) -> dict[str, int]:
    """Return how often each word of `tell_verdict` was said, from good to bad, without zeros."""
    words = [tell_verdict(found) for found in measurements]
    order = ("pass", "warn", "set aside", "fail", "error")
    return {word: words.count(word) for word in order if word in words}


def tell_counts(measurements: Sequence[Measurement]) -> str:
    """Return how many checks there were and what they came to, in words."""
    total = len(measurements)
    parts = ", ".join(f"{count:,} {word}" for word, count in count_verdicts(measurements).items())
    noun = "check" if total == 1 else "checks"
    return f"{total:,} {noun}: {parts}" if total else "no checks"
