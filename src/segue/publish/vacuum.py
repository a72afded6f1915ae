"""Files that nobody needs any more, and their removal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.publish.stage import remove_files, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from segue.protocols import Lake, Ledger

KEEP_SNAPSHOTS = 5


@dataclass(frozen=True, slots=True)
class UnneededFile:
    """A file that nobody needs.

    Attributes:
        table: Table in whose folder it lies.
        path: Absolute path.
        bytes: Size.
    """

    table: str
    path: Path
    bytes: int


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """What was removed, or would be.

    Attributes:
        files: The files.
        dry_run: Whether they were left where they are.
    """

    files: tuple[UnneededFile, ...]
    dry_run: bool

    @property
    def bytes(self) -> int:
        """Bytes that are free now, or would be."""
        return sum(file.bytes for file in self.files)


def plan_vacuum(ledger: Ledger, lake: Lake, keep_snapshots: int) -> tuple[UnneededFile, ...]:
    """Return the files that no kept snapshot, log's head, pending intent or live run needs.

    Only files that segue wrote are named: others may be another writer's work in progress.

    Args:
        ledger: The ledger.
        lake: The lake.
        keep_snapshots: How many of the newest snapshots stay readable.
    """
    # Files first, ledger second: a run that begins in between has none in the list.
    listed = {table: lake.loose_files(table) for table in lake.folders()}
    alive = frozenset(ledger.live_runs())
    needed = ledger.protected_files(keep_snapshots)
    unneeded = []
    for table, paths in listed.items():
        kept = needed.get(table, frozenset())
        loose = [
            path
            for path in paths
            if path.name not in kept and run_of(path.name) not in (None, *alive)
        ]
        # Other readers follow the log, and a withdrawn run may stand at its head.
        held = lake.held_files(table) if loose else frozenset()
        unneeded += [
            UnneededFile(table, path, path.stat().st_size)
            for path in loose
            if path.name not in held and path.exists()
        ]
    return tuple(unneeded)


def vacuum(
    ledger: Ledger, lake: Lake, keep_snapshots: int = KEEP_SNAPSHOTS, *, dry_run: bool = False
) -> Vacuumed:
    """Remove the files that nobody needs.

    Args:
        ledger: The ledger.
        lake: The lake.
        keep_snapshots: How many of the newest snapshots stay readable.
        dry_run: Only say what would be removed.
    """
    files = plan_vacuum(ledger, lake, keep_snapshots)
    if not dry_run:
        remove_files(file.path for file in files)
    return Vacuumed(files, dry_run)
