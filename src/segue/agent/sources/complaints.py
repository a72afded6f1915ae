"""Errors about single files, told now and then while the others are read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from segue.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

_APART = 30.0


class Complaints:
    """Remembers when the last one was told, also while a source is opened again after it."""

    def __init__(self) -> None:
        self._told = float("-inf")

    def tell(self, faults: Sequence[OSError]) -> None:
        """Raise the first fault, unless one was raised shortly before.

        Args:
            faults: Each with the file that can't be read.

        Raises:
            SourceError: One can't be read.
        """
        now = time.monotonic()
        if not faults or now - self._told < _APART:
            return
        self._told = now
        fault = faults[0]
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise SourceError(
            f"{fault.filename} can't be read: {fault.strerror or fault}{more}",
            hint="let the agent's user read it",
        )
