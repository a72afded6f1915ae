"""A format that is set up when the first rows come: an idle agent has no Arrow in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.protocols.edge import Format, Parsed


class Deferred:
    """Builds a format at its first use.

    Args:
        build: Returns the format.
    """

    def __init__(self, build: Callable[[], Format]) -> None:
        self._build = build
        self._format: Format | None = None

    def parse(self, data: bytes) -> Parsed:
        """Make rows of records; see `segue.protocols.edge`."""
        if self._format is None:
            self._format = self._build()
        return self._format.parse(data)
