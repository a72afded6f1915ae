"""Canaries of a rollout: who goes first, whose place another takes, and for what it waits.

Only nodes that are there are chosen. One that goes away afterwards may have gone because of what
it got, so its place is taken late, and as many places as there are canaries at most: what takes
nodes down takes no more of them than that. Then the rollout waits for people, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from segue.hub.progress import NodeView, Progress, Stage
from segue.wire.deployment import Rollout

_NAMED = 3
"""Nodes that a sentence names."""
_MINUTE = 60


def advance_canary(
    progress: Progress, meant: Sequence[NodeView], rollout: Rollout, elapsed: float
) -> Progress:
    """Return how far a rollout with canaries comes.

    Args:
        progress: How far it was.
        meant: The nodes that it is for, in its order.
        rollout: How it spreads.
        elapsed: Seconds since the last look.
    """
    most = rollout.count_part(len(meant))
    progress = _replace_missed(_count_missed(progress, meant, elapsed), meant, rollout, most)
    told = _choose(progress, meant, most)
    progress = replace(progress, told=told)
    canaries = [node for node in meant if node.name in told]
    if waits := _find_waits(progress, meant, canaries, rollout, most):
        return replace(progress, waits=waits)
    seconds = progress.elapsed + elapsed
    there = [node for node in canaries if node.there]
    trial = [node.name for node in there if not node.keeps(progress.generation)]
    if seconds < rollout.after:
        return replace(progress, elapsed=seconds, waits="")
    if trial and rollout.after > 0:
        waits = f"waits for {name_nodes(trial)} to prove it"
        return replace(progress, elapsed=seconds, waits=waits)
    return replace(progress, elapsed=seconds, waits="", stage=Stage.OPEN)


def _count_missed(progress: Progress, meant: Sequence[NodeView], elapsed: float) -> Progress:
    """Count for how long canaries are away; who is back has not been lost."""
    missed = {}
    nodes = {node.name: node for node in meant}
    for name in progress.told:
        node, before = nodes.get(name), progress.missed.get(name, 0.0)
        if node is None:
            continue
        if not node.there:
            missed[name] = before + elapsed
        elif before and not node.heard:
            missed[name] = before  # the hub has just begun: nobody knows yet
    back = {name for name, node in nodes.items() if node.ready}
    left = [name for name in progress.left if name in nodes and name not in back]
    return replace(progress, missed=missed, left=left)


def _replace_missed(
    progress: Progress, meant: Sequence[NodeView], rollout: Rollout, most: int
) -> Progress:
    """Let nodes that are there take the places of canaries that were away for too long."""
    gone = [name for name in progress.told if progress.missed.get(name, 0.0) >= rollout.patience]
    spare = [node for node in meant if node.ready and node.name not in progress.told]
    swapped = gone[: max(0, min(most - len(progress.left), len(spare)))]
    if not swapped:
        return progress
    told = [name for name in progress.told if name not in swapped]
    known = {node.name: node for node in meant}
    running = [name for name in told if name in known and known[name].reached(progress.generation)]
    return replace(
        progress,
        told=told,
        left=[*progress.left, *swapped],
        missed={name: away for name, away in progress.missed.items() if name in told},
        elapsed=progress.elapsed if 2 * len(running) >= most else 0.0,
    )


def _choose(progress: Progress, meant: Sequence[NodeView], most: int) -> list[str]:
    """Return those who were told and who are next, up to `most`: nodes that are there."""
    known = {node.name for node in meant}
    chosen = [name for name in progress.told if name in known]
    waiting = [node.name for node in meant if node.ready and node.name not in chosen]
    waiting.sort(key=lambda name: name in progress.left)
    return chosen + waiting[: max(0, most - len(chosen))]


def _find_waits(
    progress: Progress,
    meant: Sequence[NodeView],
    canaries: Sequence[NodeView],
    rollout: Rollout,
    most: int,
) -> str:
    """Return for what canaries wait before their time counts; empty for nothing."""
    number = progress.generation
    if not meant:
        return "waits for a node that it is for: there is none yet"
    if not any(node.there for node in meant):
        return "waits for a node that it is for: none was seen lately"
    late = [node for node in canaries if node.there and not node.reached(number)]
    if late:
        names = [node.name for node in late]
        told = next((node.status.error for node in late if node.status and node.status.error), "")
        return f"waits for {name_nodes(names)} to run it" + (f": {told}" if told else "")
    running = sum(node.reached(number) for node in canaries)
    away = [node.name for node in canaries if not node.there]
    if running and 2 * running >= most and len(away) < len(canaries):
        return ""
    if not away:
        return f"waits for more canaries: {running} of {most} nodes are there"
    spare = any(node.ready and node.name not in progress.told for node in meant)
    return _tell_away(progress, away, rollout, spare=spare, spent=len(progress.left) >= most)


def _tell_away(
    progress: Progress, away: Sequence[str], rollout: Rollout, *, spare: bool, spent: bool
) -> str:
    """Say who is away, and what comes of it."""
    lost = [*progress.left, *away]
    was, they = ("was", "it was") if len(lost) == 1 else ("were", "they were")
    silent = f"{name_nodes(lost)} {was} not seen any more after {they} told"
    if spent:
        return f"{silent}, so no further node is tried; {tell_commands(progress.generation)}"
    other = f"after {_tell_span(rollout.patience)} others take their places"
    return f"{silent}; {other if spare else 'no other node is there'}"


def tell_commands(number: int) -> str:
    """Return how people go on where a rollout waits for them."""
    return f"segue deployments open {number} goes on, segue deployments stop {number} ends it"


def name_nodes(names: Sequence[str]) -> str:
    """Return the names of nodes, or of the first of them."""
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown


def _tell_span(seconds: int) -> str:
    return f"{seconds // _MINUTE} min" if seconds >= _MINUTE else f"{seconds} s"
