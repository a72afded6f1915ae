"""A deployment: what is signed about a bundle, and who may run it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from segue.errors import DeploymentError, SelectionError
from segue.wire.health import DEFAULT_HEALTH, Health, parse_health
from segue.wire.messages import Message
from segue.wire.selector import EVERY, Selector, parse_selector

FLEET_LABEL = "fleet"
"""A node with this label runs deployments of that fleet only."""

_AMOUNT = re.compile(r"(\d{1,6})(%?)", re.ASCII)
_WHOLE = 100


class RolloutKind(StrEnum):
    """In which order nodes get a deployment."""

    IMMEDIATE = "immediate"
    ROLLING = "rolling"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Rollout(Message):
    """How a deployment spreads. All times are whole seconds, for signed JSON has no fractions.

    Attributes:
        kind: One of `RolloutKind`.
        part: Nodes that go first (canary) or at a time (rolling): ``5%`` or ``3``.
        health: What must be true of nodes that run it.
        after: How long canaries must be healthy before the others follow.
        probation: How long a node must be healthy before it keeps it.
        patience: How long a canary may be away before another node takes its place.
    """

    kind: str = RolloutKind.IMMEDIATE.value
    part: str = ""
    health: str = DEFAULT_HEALTH
    after: int = 600
    probation: int = 180
    patience: int = 1800

    def read_health(self) -> Health:
        """Return what must be true of nodes that run it."""
        return parse_health(self.health)

    def check(self) -> None:
        """Hold that a hub and nodes can go by it: signed does not mean well written.

        Raises:
            ValueError: A duration is none.
            SelectionError: The number of nodes, or a bound, can't be read.
        """
        for name in ("after", "probation", "patience"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 0:
                raise ValueError(f"{name} of the rollout is no number of seconds")
        if self.kind in (RolloutKind.CANARY, RolloutKind.ROLLING):
            read_amount(self.part)
        self.read_health()

    def count_part(self, nodes: int) -> int:
        """Return how many of so many nodes `part` is: at least one, if there is one.

        Example:
            >>> Rollout("canary", "5%").count_part(30), Rollout("rolling", "3").count_part(2)
            (2, 2)
        """
        number, share = read_amount(self.part)
        if share:
            number = -(-nodes * number // _WHOLE)
        return min(nodes, max(1, number))


def read_amount(text: str) -> tuple[int, bool]:
    """Return a number of nodes, and whether it is a share in percent.

    Raises:
        SelectionError: It is neither.
    """
    match = _AMOUNT.fullmatch(text.strip())
    number = int(match[1]) if match else 0
    if match is None or number == 0 or (match[2] and number > _WHOLE):
        raise SelectionError(f"{text!r} is no number of nodes", hint="write it as 5% or 3")
    return number, bool(match[2])


@dataclass(frozen=True, slots=True)
class Deployment(Message):
    """What people sign about a bundle.

    Attributes:
        generation: Its number; a node only ever goes to a higher one.
        project: Name of the project.
        fleet: Name of the fleet.
        selector: Which nodes may run it.
        target: Name of its bundle; not part of what is signed, which stands below this name.
        rollout: A `Rollout`, as plain values.
        created: When it was made, for people; nothing is decided by it.
        lock: SHA-256 of the lock file in the bundle; empty without one.
        needs: Modules that a node must have besides segue itself.
        again: Generation whose content it brings back; 0 for new content.
        note: For people.
    """

    generation: int
    project: str
    fleet: str
    selector: str = EVERY
    target: str = ""
    rollout: dict[str, Any] = field(default_factory=dict)
    created: str = ""
    lock: str = ""
    needs: list[str] = field(default_factory=list)
    again: int = 0
    note: str = ""

    def read_rollout(self) -> Rollout:
        """Return how it spreads."""
        return Rollout.read(self.rollout)

    def read_selector(self) -> Selector:
        """Return which nodes may run it."""
        return parse_selector(self.selector)

    def signed(self) -> dict[str, Any]:
        """Return what is signed, below the name of its target."""
        values = asdict(self)
        del values["target"]
        return values

    def fits(self, node: str, project: str, labels: dict[str, str]) -> bool:
        """Return whether a node may run it."""
        return not self.find_misfit(node, project, labels)

    def find_misfit(self, node: str, project: str, labels: dict[str, str]) -> str:
        """Return why a node may not run it; empty if it may.

        Example:
            >>> Deployment(1, "shop", "shops", "role=till").find_misfit("n1", "shop", {})
            "it is for role=till, and this node, 'n1', has no labels"
        """
        if self.project != project:
            return f"it is of project {self.project!r}, and this node is of {project!r}"
        if labels.get(FLEET_LABEL, self.fleet) != self.fleet:
            return f"it is for fleet {self.fleet!r}, and this node is of {labels[FLEET_LABEL]!r}"
        if not self.read_selector().matches(node, labels):
            own = ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))
            has = own or "no labels"
            return f"it is for {self.selector}, and this node, {node!r}, has {has}"
        return ""


def read_custom(target: str, custom: Any) -> list[Deployment]:
    """Return the deployments that are signed below the name of a bundle.

    Raises:
        DeploymentError: They are none.
    """
    listed = custom.get("deployments") if isinstance(custom, dict) else None
    if not isinstance(listed, list):
        raise DeploymentError(f"nothing is signed about {target}")
    try:
        read = [Deployment.read({**each, "target": target}) for each in listed]
        for each in read:
            each.read_rollout().check()
            each.read_selector()
    except (TypeError, ValueError, SelectionError) as error:
        raise DeploymentError(f"what is signed about {target} can't be read: {error}") from None
    return read


def read_live(path: Path) -> list[Deployment]:
    """Return the deployments in a file ``targets.json`` that was checked before, by number.

    Raises:
        DeploymentError: They can't be read.
    """
    try:
        targets = json.loads(path.read_bytes())["signed"]["targets"]
        listed = [
            each for name, one in targets.items() for each in read_custom(name, one["custom"])
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DeploymentError(f"{path} can't be read: {error}") from None
    return sorted(listed, key=lambda each: each.generation)
