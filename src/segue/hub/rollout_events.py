"""What people should know of rollouts that moved by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from segue.hub.progress import Progress, Stage

Event = tuple[str, str, str]
"""Kind, node, and words."""


def tell_changes(before: Mapping[int, Progress], after: Mapping[int, Progress]) -> Iterator[Event]:
    """Yield the events between two looks at all rollouts.

    Example:
        >>> was = {2: Progress(2, "canary", told=["a"])}
        >>> list(tell_changes(was, {2: Progress(2, "canary", told=["b"], left=["a"])}))
        [('canary', 'a', '2: not seen for too long; in its place goes first b')]
    """
    for number, now in after.items():
        was = before.get(number)
        if was is None:
            continue
        gone = [name for name in now.left if name not in was.left]
        new = [name for name in now.told if name not in was.told]
        for name in gone:
            place = f"; in its place goes first {', '.join(new)}" if new else ""
            yield "canary", name, f"{number}: not seen for too long{place}"
        yield from _tell_stage(was, now)


def _tell_stage(was: Progress, now: Progress) -> Iterable[Event]:
    if was.stage == now.stage:
        return
    if now.stage == Stage.STOPPED:
        yield "stopped", "", f"{now.generation}: {now.reason}"
    elif now.stage == Stage.OPEN:
        yield "opened", "", f"{now.generation}: all nodes that it is for may have it"
