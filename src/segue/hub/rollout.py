"""Which node should run which deployment: pure decisions from what is signed and what was told.

Disconnected is not failed: a node that was not seen for a while holds nothing up, and gets
what it missed when it is back. A node never goes to a lower number, so a deployment that is
stopped stays where it has proven itself; the others never get it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from segue.wire.deployment import FLEET_LABEL, Deployment, Rollout, RolloutKind
from segue.wire.health import measure_health
from segue.wire.messages import Message, Status

SEEN = 180.0
"""Seconds after which a node that says nothing is not waited for."""

LONGEST_STEP = 30.0
"""Seconds that count at most between two looks: a hub that was down has watched nothing."""

EARLIEST = 10.0
"""Seconds of canaries before their shares are looked at, or a tenth of ``after`` if less."""


class Stage(StrEnum):
    """How far a rollout has come."""

    CANARY = "canary"
    """Some run it; the others wait for them."""
    ROLLING = "rolling"
    """A few at a time."""
    OPEN = "open"
    """Every node that it is for may run it."""
    STOPPED = "stopped"
    """No further node gets it."""


@dataclass(frozen=True, slots=True)
class Progress(Message):
    """How far a deployment has come.

    Attributes:
        generation: Its number.
        stage: One of `Stage`.
        told: Nodes that were told to run it while not all are: canaries, or those so far.
        elapsed: Seconds for which its canaries were healthy.
        reason: Why it was stopped.
    """

    generation: int
    stage: str
    told: list[str] = field(default_factory=list)
    elapsed: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node, as a decision needs it.

    Attributes:
        name: Its name.
        project: Its project.
        labels: Its labels.
        status: What it said last; None if it has said nothing yet.
        silent: Seconds since then, by a clock that only rises.
    """

    name: str
    project: str
    labels: Mapping[str, str]
    status: Status | None = None
    silent: float = 0.0

    @property
    def there(self) -> bool:
        """Whether it was seen lately."""
        return self.status is not None and self.silent <= SEEN

    def runs(self, generation: int) -> bool:
        """Return whether it runs a generation."""
        return self.status is not None and self.status.applied == generation

    def keeps(self, generation: int) -> bool:
        """Return whether a generation, or a newer one, has proven itself there."""
        status = self.status
        return status is not None and status.healthy and status.applied >= generation

    def failed(self, generation: int) -> bool:
        """Return whether it has given a generation up, or refused it."""
        return self.status is not None and self.status.failed == generation


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
    if progress.stage == Stage.STOPPED:
        return progress
    rollout = deployment.read_rollout()
    if reason := _find_reason(deployment, progress, meant, rollout):
        return replace(progress, stage=Stage.STOPPED, reason=reason)
    if progress.stage == Stage.CANARY:
        return _advance_canary(progress, meant, rollout, elapsed)
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


def _advance_canary(
    progress: Progress, meant: Sequence[NodeView], rollout: Rollout, elapsed: float
) -> Progress:
    most = rollout.count_part(len(meant))
    told = _choose(progress.told, meant, most)
    canaries = [node for node in meant if node.name in told]
    there = [node for node in canaries if node.there]
    running = [node for node in canaries if _reached(node, progress.generation)]
    all_run = all(_reached(node, progress.generation) for node in there)
    if not there or not all_run or 2 * len(running) < len(canaries):
        return replace(progress, told=told)
    seconds = progress.elapsed + elapsed
    kept = all(node.keeps(progress.generation) for node in there) or rollout.after == 0
    stage = Stage.OPEN if seconds >= rollout.after and kept else Stage.CANARY
    return replace(progress, told=told, elapsed=seconds, stage=stage)


def _reached(node: NodeView, generation: int) -> bool:
    return node.status is not None and node.status.applied >= generation


def _choose(told: Sequence[str], meant: Sequence[NodeView], most: int) -> list[str]:
    """Return those who were told and who are next, up to `most`: nodes that are there first."""
    known = {node.name for node in meant}
    chosen = [name for name in told if name in known]
    waiting = [node for node in meant if node.name not in chosen]
    waiting.sort(key=lambda node: not node.there)
    return chosen + [node.name for node in waiting[: max(0, most - len(chosen))]]


def _advance_rolling(progress: Progress, meant: Sequence[NodeView], rollout: Rollout) -> Progress:
    number = progress.generation
    most = rollout.count_part(len(meant))
    under_way = sum(
        node.name in progress.told and node.there and not node.keeps(number) for node in meant
    )
    waiting = [node.name for node in meant if node.name not in progress.told and node.there]
    told = [*progress.told, *waiting[: max(0, most - under_way)]]
    done = len(meant) > 0 and all(node.keeps(number) for node in meant)
    return replace(progress, told=told, stage=Stage.OPEN if done else Stage.ROLLING)
