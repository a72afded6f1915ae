"""The record of a run, told to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType


def render_record(record: dict[str, Any]) -> Iterator[RenderableType]:
    """Go through the parts of a run's record."""
    from rich.pretty import Pretty

    yield Pretty(record)
