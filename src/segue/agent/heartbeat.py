"""What the worker tells the supervisor: a file that it writes anew about once a second.

The supervisor starts ``python -m segue.agent.worker --home HOME --slot SLOT --generation N``
(with ``--once``: end when all sources are exhausted and all is in the spool). The worker writes
`WorkerReport` with a rising `beat` from the loop that does its work, so that a loop that hangs
is seen; the supervisor kills it, and all that it has started, when `beat` does not rise for
`PATIENCE` seconds of the supervisor's own monotonic clock. SIGTERM means: commit what is under
way and end with code 0. The worker delivers to the further destinations too, in threads, since
it has Arrow at hand.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.wire.messages import Message

if TYPE_CHECKING:
    from pathlib import Path

FILE = "worker.json"
RECYCLE = 75
"""Exit code of a worker that had rows and then none for a while: a fresh one is smaller."""
PATIENCE = 60.0
"""Seconds without a beat after which a worker is taken for hung."""


@dataclass(frozen=True, slots=True)
class WorkerReport(Message):
    """What a worker says of itself.

    Attributes:
        pid: Its process id: a report of another process is not its own.
        beat: Rises with each report.
        generation: Generation of the deployment that it runs.
        ready: Whether sources are open and the first round was made.
        batches: Batches since it began.
        errors: Batches since then in which a step failed.
        error: The last error, for people; empty if there was none.
        rows: Rows since it began, by table.
        rejects: Rejects since then, by table.
        destinations: Name, rows unsent and last error of each further destination.
        alerts: Things that somebody should know, such as ``source readings: permission denied``.
    """

    pid: int
    beat: int = 0
    generation: int = 0
    ready: bool = False
    batches: int = 0
    errors: int = 0
    error: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    rejects: dict[str, int] = field(default_factory=dict)
    destinations: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)


def write_report(home: Path, report: WorkerReport) -> None:
    """Replace the report in a node's home; a full disk leaves the one before.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_report(Path(folder), WorkerReport(pid=7, beat=1))
        ...     read_report(Path(folder), 7).beat
        1
    """
    write_atomically(home / FILE, report.dump())


def read_report(home: Path, pid: int) -> WorkerReport | None:
    """Return the last report of a process; None if it has not written one yet."""
    try:
        report = WorkerReport.read(json.loads((home / FILE).read_bytes()))
    except (OSError, ValueError):
        return None
    return report if report.pid == pid else None


def write_atomically(path: Path, content: bytes) -> bool:
    """Replace a small file of news that need not survive a power cut; return whether it could be.

    A disk without room is no reason to stop collecting.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        return False
    return True
