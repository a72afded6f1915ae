"""What a worker counts, for its supervisor and for whoever runs it once."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.agent.work.commit import Batch


@dataclass(frozen=True, slots=True)
class Summary:
    """What a worker has done since it began.

    Attributes:
        batches: Micro-batches.
        errors: Micro-batches in which a step failed.
        error: The last error; empty if there was none.
        rows: Rows, by table.
        rejects: Rows that were set aside, by the table at which they were.
        broken: Rows that break a check that only counts, by ``table.check``.
        lost: Records that were lost before they could be read, by source.
        alerts: Things that somebody should know.
    """

    batches: int = 0
    errors: int = 0
    error: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    rejects: dict[str, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()


class Tally:
    """Counts what the threads of a worker have committed."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._lock = threading.Lock()
        self._batches = self._errors = 0
        self._error = ""
        self._rows: Counter[str] = Counter()
        self._rejects: Counter[str] = Counter()
        self._broken: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._alerts: dict[str, str] = {}

    def add(self, batch: Batch, lost: int) -> None:
        """Count a micro-batch that is in the spool."""
        made = batch.made
        with self._lock:
            self._batches += 1
            self._rows.update(made.rows)
            self._broken.update(made.broken)
            self._rejects.update({table: len(rows) for table, rows in made.rejects.at.items()})
            if lost:
                self._lost[batch.source] += lost
            if made.error:
                self._errors += 1
                self._error = made.error

    def warn(self, subject: str, message: str) -> None:
        """Tell somebody of something, in place of what was told of it before."""
        with self._lock:
            self._alerts[subject] = f"{subject}: {message}"

    def relieve(self, subject: str) -> None:
        """Tell no more of something."""
        with self._lock:
            self._alerts.pop(subject, None)

    @property
    def summary(self) -> Summary:
        """What was counted so far."""
        with self._lock:
            return Summary(
                self._batches,
                self._errors,
                self._error,
                dict(self._rows),
                dict(self._rejects),
                dict(self._broken),
                dict(self._lost),
                tuple(self._alerts.values()),
            )
