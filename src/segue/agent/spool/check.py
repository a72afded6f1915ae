"""What is wrong with a spool's file, found without changing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from segue.agent.spool.locking import FileLock
from segue.agent.spool.mark import Evidence, Mark
from segue.agent.spool.model import Lane
from segue.agent.spool.pages import Pages
from segue.agent.spool.rebuild import Loss, fill_lane, find_lanes
from segue.agent.spool.scan import Find, read_payload, scan_pages
from segue.agent.spool.schema import PAGE


@dataclass(frozen=True, slots=True)
class Harm:
    """Records of a lane that can't be read.

    Attributes:
        stream: Name of the table.
        epoch: Epoch of the spool.
        first: First sequence.
        last: Last one.
        rows: Rows of them; None if they can't be counted.
        what: What is wrong.
    """

    stream: str
    epoch: str
    first: int
    last: int
    rows: int | None
    what: str


@dataclass(slots=True)
class Report:
    """What was found.

    Attributes:
        records: Records that can be read.
        rows: Rows of them.
        gaps: Gaps that are declared in the file.
        harm: Records that can't be read: they would become gaps.
        copies: Facts of which one copy is damaged, so that the other one counts.
        lost: Facts of which both copies are damaged.
        missing: Commits that the file has lost at its end.
    """

    records: int = 0
    rows: int = 0
    gaps: int = 0
    harm: list[Harm] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    missing: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.harm or self.copies or self.lost or self.missing)


def check_spool(path: Path) -> Report:
    """Read all of a spool's file; an agent that runs waits meanwhile.

    Args:
        path: The file; it stays as it is.

    Raises:
        FileNotFoundError: There is none.
    """
    lock = FileLock(path.with_suffix(".lock"))
    mark = Mark(path.with_suffix(".mark"))
    try:
        with lock.alone():
            pages = Pages(path, PAGE)
            try:
                return _check(pages, mark.read())
            finally:
                pages.close()
    finally:
        mark.close()
        lock.close()


def _check(pages: Pages, evidence: Evidence) -> Report:
    found, report = scan_pages(pages), Report()
    report.lost = found.lost_facts
    report.copies = sorted(found.broken & set(found.facts))
    batch, _ = found.facts.get("head", (0, None))
    report.missing = max(0, evidence.batch - batch)
    for lane in find_lanes(found):
        _check_lane(lane, found, pages, report)
    return report


def _check_lane(lane: Lane, found: Find, pages: Pages, report: Report) -> None:
    for row, cell in fill_lane(lane, found, 0, {}, Loss()):
        first = lane.number(row.key)
        harm = (lane.stream, lane.epoch, first, first + row.span - 1, row.rows)
        if row.key not in found.records:
            report.harm.append(Harm(*harm, "missing"))
        elif row.gap or cell is None:
            report.gaps += 1
        elif read_payload(pages, row, cell) is None:
            report.harm.append(Harm(*harm, "damaged"))
        else:
            report.records += 1
            report.rows += row.rows or 0
