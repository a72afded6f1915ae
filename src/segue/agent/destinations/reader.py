"""What a delivery asks of the spool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class SpoolReader(Protocol):
    """A spool, open for one thread that reads and acknowledges; see `segue.agent.spool`."""

    def streams(self, reader: str) -> Sequence[Any]:
        """Return where each stream and epoch stands for a reader."""
        ...

    def read(
        self, reader: str, stream: str, epoch: str, after: int, most_bytes: int
    ) -> Sequence[Any]:
        """Return records that follow a sequence."""
        ...

    def acknowledge(self, reader: str, stream: str, epoch: str, last: int) -> None:
        """Move a reader on."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...
