"""What a benchmark found, and the one table that shows all of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: What was measured.
        segue: What segue took, in `unit`.
        other: What the peer took, or the limit.
        against: Name of the peer, or ``limit``.
        unit: ``s``, ``ms`` or ``MB``.
        bound: Most that the ratio is meant to be; None for a peer that is only shown beside.
        cpu: Ratio of the CPU seconds, where both sides were measured.
        peak: Bytes of memory that segue held at most.
        peer_peak: Bytes of memory that the peer held at most.
        note: What else there is to say.
    """

    name: str
    segue: float
    other: float
    against: str
    unit: str
    bound: float | None = None
    cpu: float | None = None
    peak: int = 0
    peer_peak: int = 0
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times as much as the peer or the limit."""
        return self.segue / self.other

    @property
    def verdict(self) -> str:
        """Whether the ratio is what it is meant to be."""
        if self.bound is None:
            return ""
        return "within" if self.ratio <= self.bound else "OVER"


HEADINGS = ("benchmark", "segue", "against", "ratio", "bound", "cpu ratio", "peak memory", "")


def render_table(rows: Iterable[Row]) -> str:
    """Return the table as text."""
    cells = [HEADINGS, *map(_render_row, rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(HEADINGS))]
    lines = []
    for line in cells:
        parts = [
            cell.ljust(width) if place in (0, 2, 7) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append("  ".join(parts).rstrip())
    lines.insert(1, "  ".join("─" * width for width in widths).rstrip())
    return "\n".join(lines)


def _render_row(row: Row) -> tuple[str, ...]:
    peaks = [f"{peak / 1e6:,.0f}" for peak in (row.peak, row.peer_peak) if peak]
    return (
        row.name,
        _amount(row.segue, row.unit),
        f"{row.against} {_amount(row.other, row.unit)}",
        f"{row.ratio:.2f}",
        "" if row.bound is None else f"{row.bound:.2f}",
        "" if row.cpu is None else f"{row.cpu:.2f}",
        f"{' / '.join(peaks)} MB" if peaks else "",
        "  ".join(filter(None, (row.verdict, row.note))),
    )


def _amount(value: float, unit: str) -> str:
    digits = max(0, 3 - len(f"{value:.0f}"))
    return f"{value:,.{digits}f} {unit}"
