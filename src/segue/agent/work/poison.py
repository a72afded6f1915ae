"""Finds the rows on which something fails, so that the others go on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.errors import SegueError

if TYPE_CHECKING:
    import pyarrow as pa

    Run = Callable[[pa.Table], pa.Table]

MOST_TRIES = 1_000
"""How often a step is tried on parts of one batch; the rest of the rows that fail goes together.

One bad row of 50,000 takes 33 tries, since each halving tries both halves.
"""


@dataclass(slots=True)
class Parted:
    """What became of a batch.

    Attributes:
        result: What the rows that did not fail gave; None if all failed.
        bad: Ranges of rows that failed, each with the reason.
        error: The first failure; None if there was none.
    """

    result: pa.Table | None
    bad: list[tuple[int, int, str]] = field(default_factory=list)
    error: SegueError | None = None


def part_poison(run: Run, rows: pa.Table, most_tries: int = MOST_TRIES) -> Parted:
    """Run something on rows; where it fails, find the rows and run it on the others.

    The result is of one run on all good rows together, so that a mean is their mean. Where
    that fails though the parts did not, it is the results of the parts.

    Args:
        run: What raises a `SegueError` on rows that it can't take.
        rows: The rows.
        most_tries: How often it is tried, at most.
    """
    try:
        return Parted(run(rows))
    except SegueError as error:
        first = error
    if not rows.num_rows:
        return Parted(None, error=first)
    finder = _Finder(run, rows, most_tries)
    finder.look(tell(first))
    parted = Parted(None, finder.bad, first)
    if finder.good:
        parted.result = _run_good(run, rows, finder)
    return parted


def tell(error: SegueError) -> str:
    """Return an error as the reason of a reject: one line, with the user's own line of code."""
    where = f" ({error.location})" if error.location else ""
    return f"{error.message}{where}"


class _Finder:
    """Halves ranges of rows until each either passes or is a single row."""

    def __init__(self, run: Run, rows: pa.Table, most_tries: int) -> None:
        self._run = run
        self._rows = rows
        self._tries = most_tries
        self.good: list[tuple[int, int, pa.Table]] = []
        self.bad: list[tuple[int, int, str]] = []

    def look(self, reason: str) -> None:
        """Find the bad rows, large ranges first, so that all are small when tries run out."""
        waiting = deque([(0, self._rows.num_rows, reason)])
        while waiting:
            start, stop, reason = waiting.popleft()
            if stop - start <= 1 or self._tries <= 0:
                self.bad.append((start, stop, reason))
                continue
            middle = (start + stop) // 2
            for begin, end in ((start, middle), (middle, stop)):
                self._tries -= 1
                try:
                    result = self._run(self._rows.slice(begin, end - begin))
                except SegueError as error:
                    waiting.append((begin, end, tell(error)))
                else:
                    self.good.append((begin, end, result))
        self.good.sort(key=lambda each: each[0])
        self.bad.sort()


def _run_good(run: Run, rows: pa.Table, finder: _Finder) -> pa.Table:
    import pyarrow as pa

    results = [result for _, _, result in finder.good]
    if len(results) == 1:
        return results[0]
    parts = [rows.slice(start, stop - start) for start, stop, _ in finder.good]
    try:
        return run(pa.concat_tables(parts))
    except SegueError:
        return pa.concat_tables(results)
