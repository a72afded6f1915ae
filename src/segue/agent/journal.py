"""What an agent says while it runs, on a terminal or in the journal: changes, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from segue.agent.status import Local


class Journal:
    """Says what has changed since the last look, and nothing twice.

    Args:
        write: Takes a line.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._before: Local | None = None

    def note(self, local: Local) -> None:
        """Look at the status of now."""
        for text in tell_changes(self._before, local):
            self._write(text)
        self._before = local


def tell_changes(before: Local | None, now: Local) -> Iterator[str]:
    """Go through what is worth a line.

    Args:
        before: The status at the last look; None at the first.
        now: The status.
    """
    if before is None:
        yield f"node {now.node} runs; its hub is {now.hub}"
    asked = now.link.linked or bool(now.link.error)
    if asked and (before is None or _link(before) != _link(now)):
        if now.link.linked and now.link.error:
            hint = f"; {now.link.hint}" if now.link.hint else ""
            yield f"the hub refuses: {now.link.error}{hint}"
        elif now.link.linked:
            yield "the hub answers"
        else:
            yield f"the hub does not answer; what is collected waits: {now.link.error}"
    yield from _tell_deployment(before, now)
    old = before.status if before is not None else None
    if now.status.error and (old is None or old.error != now.status.error):
        yield f"error: {now.status.error}"
    for alert in now.status.alerts:
        if old is None or alert not in old.alerts:
            yield f"alert: {alert}"


def _link(local: Local) -> tuple[bool, bool]:
    return local.link.linked, bool(local.link.error)


def _tell_deployment(before: Local | None, now: Local) -> Iterator[str]:
    status, old = now.status, before.status if before is not None else None
    if status.failed and (old is None or old.failed != status.failed):
        yield f"deployment {status.failed} was given up"
    if old is not None and old.applied == status.applied:
        if status.healthy and not old.healthy and status.applied:
            yield f"deployment {status.applied} is healthy"
    elif status.applied:
        yield f"deployment {status.applied} runs"
    elif status.failed:
        yield "nothing runs: wait for the next deployment"
    elif not status.desired:
        yield "nothing is deployed to it yet"
