"""Which node should run which deployment: pure decisions from what is signed and what was told.

Disconnected is not failed: a node that was not seen for a while holds nothing up, and gets
what it missed when it is back. A node never goes to a lower number, so a deployment that is
stopped stays where it has proven itself; the others never get it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from segue.hub.canaries import advance_canary, name_nodes, tell_commands
from segue.hub.progress import NodeView, Progress, Stage
from segue.wire.deployment import FLEET_LABEL, Deployment, Rollout, RolloutKind
from segue.wire.health import measure_health

LONGEST_STEP = 30.0
"""Seconds that count at most between two looks: a hub that was down has watched nothing."""

EARLIEST = 10.0
"""Seconds of canaries before their shares are looked at, or a tenth of ``after`` if less."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What should run where.

    Attributes:
        desired: The deployment of each node that has one, by the node's name.
        progress: How far each deployment has come, by number.
    """

    desired: dict[str, Deployment]
    progress: dict[int, Progress]


def decide(
    deployments: Sequence[Deployment],
    progress: Mapping[int, Progress],
    nodes: Sequence[NodeView],
    elapsed: float,
) -> Decision:
    """Return what should run where, and how far each rollout has come.

    Args:
        deployments: All live deployments.
        progress: How far they had come at the last look.
        nodes: All nodes.
        elapsed: Seconds since the last look.

    Example:
        >>> told = decide([Deployment(1, "p", "f")], {}, [NodeView("a", "p", {})], 0.0)
        >>> told.desired["a"].generation
        1
    """
    ordered = sorted(deployments, key=lambda each: each.generation)
    newest = {(each.fleet, each.selector): each.generation for each in ordered}
    moved: dict[int, Progress] = {}
    desired: dict[str, Deployment] = {}
    for deployment in ordered:
        known = progress.get(deployment.generation) or _begin(deployment)
        meant = _find_meant(deployment, nodes)
        if known.stage in (Stage.CANARY, Stage.ROLLING):
            meant = _order(meant, known.generation)
        if newest[deployment.fleet, deployment.selector] == deployment.generation:
            known = _advance(deployment, known, meant, min(elapsed, LONGEST_STEP))
        moved[deployment.generation] = known
        for node in meant:
            if _may_have(known, node):
                desired[node.name] = deployment
    return Decision(desired, moved)


def _find_meant(deployment: Deployment, nodes: Sequence[NodeView]) -> list[NodeView]:
    """Return the nodes that a deployment is for."""
    selector = deployment.read_selector()
    return [
        node
        for node in nodes
        if node.project == deployment.project
        and node.labels.get(FLEET_LABEL, deployment.fleet) == deployment.fleet
        and selector.matches(node.name, node.labels)
    ]


def _order(nodes: Sequence[NodeView], generation: int) -> list[NodeView]:
    """Return nodes in an order that differs for each deployment, and stays for one."""
    return sorted(nodes, key=lambda node: _draw(generation, node.name))


def _draw(generation: int, node: str) -> bytes:
    return hashlib.sha256(f"{generation}/{node}".encode()).digest()


def _begin(deployment: Deployment) -> Progress:
    stages = {RolloutKind.CANARY: Stage.CANARY, RolloutKind.ROLLING: Stage.ROLLING}
    kind = deployment.read_rollout().kind
    stage = stages.get(RolloutKind(kind), Stage.OPEN) if kind in set(RolloutKind) else Stage.STOPPED
    reason = "" if stage != Stage.STOPPED else f"this hub knows no rollout {kind!r}"
    return Progress(deployment.generation, stage, reason=reason)


def _may_have(progress: Progress, node: NodeView) -> bool:
    if node.failed(progress.generation):
        return False
    if node.runs(progress.generation):
        return True
    if progress.stage == Stage.STOPPED:
        return False
    return progress.stage == Stage.OPEN or node.name in progress.told


def _advance(
    deployment: Deployment, progress: Progress, meant: Sequence[NodeView], elapsed: float
) -> Progress:
    """Return how far a rollout comes by what its nodes have said."""
    if progress.stage == Stage.STOPPED or progress.by_hand:
        return progress
    rollout = deployment.read_rollout()
    if reason := _find_reason(deployment, progress, meant, rollout):
        return replace(progress, stage=Stage.STOPPED, reason=reason, waits="")
    if progress.stage == Stage.CANARY:
        return advance_canary(progress, meant, rollout, elapsed)
    if progress.stage == Stage.ROLLING:
        return _advance_rolling(progress, meant, rollout)
    return progress


def _find_reason(
    deployment: Deployment, progress: Progress, meant: Sequence[NodeView], rollout: Rollout
) -> str:
    """Return why a rollout must stop; empty if it must not."""
    number = deployment.generation
    failed = [node for node in meant if node.failed(number)]
    kept = sum(node.keeps(number) for node in meant)
    # Told to all at once, one odd node must not decide for the others.
    enough = 2 * len(failed) >= len(failed) + kept and len(failed) > 1
    if failed and (progress.stage != Stage.OPEN or enough):
        first = failed[0]
        told = first.status.error if first.status is not None else ""
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        return f"{first.name}{more}: {told}"
    if progress.stage == Stage.CANARY and progress.elapsed < min(EARLIEST, rollout.after / 10):
        return ""
    running = [node.status for node in meant if node.status is not None and node.runs(number)]
    if progress.stage == Stage.OPEN and 2 * kept > len(running) + len(failed):
        return ""  # most have proven it: counts of a worker that began anew say little
    return rollout.read_health().find_broken(measure_health(running)) if running else ""


def _advance_rolling(progress: Progress, meant: Sequence[NodeView], rollout: Rollout) -> Progress:
    number = progress.generation
    most = rollout.count_part(len(meant))
    proven = sum(node.keeps(number) for node in meant)
    if proven == len(meant) > 0:
        return replace(progress, stage=Stage.OPEN, waits="")
    trial = [node for node in meant if node.name in progress.told and not node.keeps(number)]
    lost = [node.name for node in trial if not node.there]
    if len(lost) >= most and len(lost) > proven:
        # What takes nodes down must not go through a fleet, a few at a time.
        away = f"{name_nodes(lost)} not seen any more since they were told"
        return replace(
            progress, waits=f"{away}, before most had proven it; {tell_commands(number)}"
        )
    waiting = [node.name for node in meant if node.name not in progress.told and node.ready]
    under_way = len(trial) - len(lost)
    return replace(progress, told=[*progress.told, *waiting[: max(0, most - under_way)]], waits="")
