"""A format that is set up when the first rows come: an idle agent has no Arrow in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.protocols.edge import Format, FormatKind, Parsed
    from segue.spec.edge import EdgeSource


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


def defer(kind: FormatKind, source: EdgeSource, build: Callable[[], Format]) -> Format:
    """Return a format that is built later, of options that are right.

    Raises:
        SourceError: An option is wrong.
    """
    problems = kind.check(source.format_options, source.schema)
    if problems:
        raise SourceError(
            f"source {source.name!r}, format {source.format!r}: {'; '.join(problems)}"
        )
    return Deferred(build)
