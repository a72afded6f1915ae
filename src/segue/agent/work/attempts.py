"""Remembers which micro-batch was under way when a worker died.

A batch that has ended the worker is found again by its cursor: the source goes on there. It
need not survive a power cut: then the machine, not the batch, was what failed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from segue.agent.heartbeat import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from segue.protocols.edge import Cursor

SUSPECT = 2
"""Workers that a batch has ended before its steps are run in a child process."""


class Attempts:
    """The attempts at a source's next batch, over the lives of several workers.

    Args:
        file: Where they are kept.
        cursor: Where the source goes on.
    """

    def __init__(self, file: Path, cursor: Cursor | None) -> None:
        """Look whether the worker before died at this cursor."""
        self._file = file
        self._failed = 0
        try:
            noted = json.loads(file.read_bytes())
        except (OSError, ValueError):
            return
        if isinstance(noted, dict) and noted.get("cursor") == cursor:
            self._failed = int(noted.get("count", 0))

    @property
    def suspect(self) -> bool:
        """Whether the next batch may well be what ended the workers before."""
        return self._failed >= SUSPECT

    def begin(self, cursor: Cursor | None) -> None:
        """Note that work on the batch after a cursor begins."""
        write_atomically(
            self._file, json.dumps({"cursor": cursor, "count": self._failed + 1}).encode()
        )

    def succeed(self) -> None:
        """Note that the batch is in the spool."""
        if self._failed:
            self._failed = 0
            self.leave()

    def leave(self) -> None:
        """Forget what is under way: the worker ends in good order."""
        self._file.unlink(missing_ok=True)
