"""What the supervisor and the process that fills a slot tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.wire.messages import Message

if TYPE_CHECKING:
    from segue.errors import SegueError


@dataclass(frozen=True, slots=True)
class Order(Message):
    """What slot to fill.

    Attributes:
        home: Home of the node.
        node: Its name.
        project: Its project.
        labels: Its labels.
        generation: Generation that it was told.
        target: Name of the bundle that it was told.
        highest: Highest generation that it ever began.
    """

    home: str
    node: str
    project: str
    generation: int
    target: str
    highest: int = 0
    labels: dict[str, str] = field(default_factory=dict)


def tell_error(error: SegueError) -> dict[str, Any]:
    """Return an error as plain values."""
    return {"code": error.code, "message": error.message, "hint": error.hint}
