"""What segue asks of a kind of source tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from segue.spec.scan import Scan, SourceState
    from segue.spec.step import SourceSpec


class SourceKind(Protocol):
    """A way to read source tables; one small file each.

    Attributes:
        suffixes: Endings of file names that mean this kind, such as ``.csv``.
        options: Pydantic model of ``[tables.<name>]`` for this kind; unknown keys are refused.
    """

    suffixes: tuple[str, ...]
    options: type[Any]

    def observe(self, source: SourceSpec, root: Path) -> SourceState:
        """Look at the source without reading its rows.

        Raises:
            SourceError: There is nothing to read, or it can't be reached.
        """
        ...

    def scan(self, source: SourceSpec, root: Path, scratch: Path, only: Sequence[str] = ()) -> Scan:
        """Return how to read it; `only` limits it to these files of its state.

        Raises:
            SourceError: It can't be read.
        """
        ...
