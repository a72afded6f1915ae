"""Rollouts of a hub: what each node should run, kept in memory and moved on as nodes tell."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from segue.errors import DeploymentError, StorageError, UnknownNameError
from segue.hub.deployed_tables import DeployedTables
from segue.hub.progress import NodeView, Progress, Stage
from segue.hub.rollout import Decision, decide
from segue.hub.rollout_events import tell_changes
from segue.hub.rollout_store import Shelf
from segue.hub.statuses import clean_status
from segue.spec.hub import Node
from segue.wire.deployment import Deployment
from segue.wire.messages import DesiredState, Status

FRESH = 1.0
"""Seconds for which a decision stands while nodes tell what does not change it."""

SOON = 0.25
"""Seconds between two decisions at least, however many nodes tell of a change."""

_KEEP_EVERY = 5.0
_log = logging.getLogger("segue.hub")
_NOT_KEPT = "waits for room on the hub's disk: how far it has come can't be written there"
_CHANGES = ("applied", "failed", "healthy")


class Nodes(Protocol):
    """What rollouts ask of a hub's roster."""

    def all(self) -> Iterable[Node]:
        """Return all nodes."""
        ...

    def status(self, name: str) -> tuple[Any, bool]:
        """Return what a node told last (``told``), and whether it is silent."""
        ...


@dataclass(frozen=True, slots=True)
class _Told:
    status: Status
    at: float


class Rollouts:
    """All rollouts of a hub; safe for several threads.

    Attributes:
        shelf: What was deployed.
    """

    def __init__(
        self,
        folder: Path,
        nodes: Nodes,
        *,
        changed: Callable[[], None] = lambda: None,
        note: Callable[[str, str, str], None] = lambda _kind, _node, _detail: None,
        steady: Callable[[], float] = time.monotonic,
        keep: bool = True,
    ) -> None:
        """Read what was deployed, and how far it has come.

        Args:
            folder: Where the shelf is.
            nodes: The hub's nodes.
            changed: Called when a node should run something else: wakes those who wait.
            note: Called with what people should know: kind of the event, node, and words.
            steady: A clock that only rises.
            keep: Whether to write down how far they have come: not for who only looks.
        """
        self.shelf = Shelf(folder)
        self._tables = DeployedTables(self.shelf)
        self._nodes, self._changed, self._steady, self._note = nodes, changed, steady, note
        self._lock = threading.RLock()
        self._stamp = self.shelf.stamp()
        self._deployments = self.shelf.deployments()
        self._progress = self.shelf.read_progress()
        self._keeps, self._written = keep, True
        self._kept = {number: _round(each) for number, each in self._progress.items()}
        self._told: dict[str, _Told] = {}
        self._heard: set[str] = set()
        self._decision = Decision({}, {})
        self._known: frozenset[str] = frozenset()
        self._looked = self._steady()
        self._look()

    def desired(self, node: Node) -> DesiredState:
        """Return what a node should be; asked often, so it looks into memory only."""
        if node.name not in self._known:
            self._look()
        elif self._steady() - self._looked >= FRESH:
            self.tick()
        deployment = self._decision.desired.get(node.name)
        labels = dict(node.labels)
        generation = deployment.generation if deployment else 0
        target = deployment.target if deployment else ""
        text = json.dumps([generation, target, sorted(labels.items())])
        revision = hashlib.sha256(text.encode()).hexdigest()[:16]
        return DesiredState(revision, generation, target, labels)

    def sends(self, table: str) -> bool:
        """Return whether what is deployed makes a table at nodes."""
        return self._tables.has(table)

    def note_status(self, node: Node, status: Status) -> None:
        """Learn what a node says of itself, cleaned."""
        now = self._steady()
        with self._lock:
            before = self._told.get(node.key_id)
            self._told[node.key_id] = _Told(status, now)
            self._heard.add(node.key_id)
        changed = before is None or any(
            getattr(before.status, name) != getattr(status, name) for name in _CHANGES
        )
        # A thousand nodes that change at once are looked at together, with the next question.
        if changed and now - self._looked >= SOON:
            self._look()

    def tick(self) -> None:
        """Move rollouts on by the time that has passed; call it about once a second."""
        if self._steady() - self._looked >= FRESH:
            self._look()

    def _look(self, *, insist: bool = False) -> None:
        with self._lock:
            self._follow_others()
            now = self._steady()
            views = [self._view(node, now) for node in self._nodes.all()]
            before = {name: each.generation for name, each in self._decision.desired.items()}
            decision = decide(self._deployments, self._progress, views, now - self._looked)
            self._looked, self._known = now, frozenset(view.name for view in views)
            if not self._keep(decision.progress) and not insist:
                return  # what is not on the disk is offered to nobody: the next look tries again
            events = list(tell_changes(self._progress, decision.progress))
            self._decision, self._progress = decision, decision.progress
            after = {name: each.generation for name, each in decision.desired.items()}
        for kind, node, detail in events if self._keeps else ():
            self._note(kind, node, detail)
        if before != after:
            self._changed()

    def _follow_others(self) -> None:
        """Know what was deployed by way of another hub on this lake."""
        stamp = self.shelf.stamp()
        if stamp is None or stamp == self._stamp:
            return
        with suppress(DeploymentError):  # it is being taken in: the next look finds it
            if found := self.shelf.deployments():
                self._deployments, self._stamp = found, stamp

    def _view(self, node: Node, now: float) -> NodeView:
        told = self._told.get(node.key_id)
        kept, silent = self._nodes.status(node.name)
        if told is None:
            # What was told to a hub before this one.
            status = _read_status(kept.told)
            if status is not None:
                told = self._told[node.key_id] = _Told(status, now)
        if told is None:
            return NodeView(node.name, node.project, node.labels)
        age = float("inf") if silent else 0.0
        heard = node.key_id in self._heard
        return NodeView(node.name, node.project, node.labels, told.status, age, heard)

    def _keep(self, progress: dict[int, Progress]) -> bool:
        """Write progress down when it has changed by more than a few seconds.

        Returns:
            Whether it may count: not if the disk takes nothing and more than time has changed.
        """
        rounded = {number: _round(each) for number, each in progress.items()}
        if not self._keeps or rounded == self._kept:
            return True
        try:
            self.shelf.write_progress(progress)
        except OSError as error:
            if self._written:
                _log.warning("how far rollouts have come can't be written: %s", error)
            self._written = False
            return _leave_out_times(rounded) == _leave_out_times(self._kept)
        self._kept, self._written = rounded, True
        return True

    def accept(self, upload: BinaryIO) -> list[Deployment]:
        """Take signed metadata and bundles in; see `Shelf.accept`."""
        with self._lock:
            new = self.shelf.accept(upload)
            self._deployments = self.shelf.deployments()
            self._look()
        return new

    def stop(self, generation: int, who: str) -> Progress:
        """Let no further node have a deployment.

        Args:
            generation: Its number.
            who: Who asks for that.

        Raises:
            UnknownNameError: There is no such deployment.
            StorageError: It could not be written down, and counts until this hub ends.
        """
        return self._decide_by_hand(
            generation, stage=Stage.STOPPED, reason=f"stopped by {who}", by_hand=False
        )

    def open(self, generation: int, who: str) -> Progress:
        """Let all nodes that a deployment is for have it, whatever it waits for.

        Args:
            generation: Its number.
            who: Who asks for that.

        Raises:
            UnknownNameError: There is no such deployment.
            StorageError: It could not be written down, and counts until this hub ends.
        """
        return self._decide_by_hand(
            generation, stage=Stage.OPEN, reason=f"opened by {who}", by_hand=True
        )

    def _decide_by_hand(self, generation: int, **changes: Any) -> Progress:
        with self._lock:
            known = self._progress.get(generation)
            if known is None:
                listed = ", ".join(map(str, sorted(self._progress))) or "none"
                raise UnknownNameError(
                    f"there is no deployment {generation}", hint=f"there are: {listed}"
                )
            decided = replace(known, waits="", **changes)
            self._progress = {**self._progress, generation: decided}
            self._look(insist=True)
            if not self._written:
                raise StorageError(
                    f"{decided.reason}, and lost when the hub ends: its disk takes nothing",
                    hint="make room on the hub's machine, then say it again",
                )
        return decided

    def describe(self) -> dict[str, Any]:
        """Return all deployments and nodes as plain values, for people who deploy."""
        with self._lock:
            self._look()
            now = self._steady()
            views = [self._view(node, now) for node in self._nodes.all()]
            return {
                "deployments": [self._tell(each, views) for each in self._deployments],
                "nodes": [self._tell_node(view) for view in views],
            }

    def _tell(self, deployment: Deployment, views: list[NodeView]) -> dict[str, Any]:
        number = deployment.generation
        progress = self._progress.get(number) or Progress(number, Stage.CANARY, waits=_NOT_KEPT)
        meant = [
            view.name
            for view in views
            if deployment.fits(view.name, view.project, dict(view.labels))
        ]
        run = [view for view in views if view.runs(number)]
        return {
            **deployment.plain(),
            "stage": str(progress.stage),
            "newest": not any(
                each.generation > number
                and (each.fleet, each.selector) == (deployment.fleet, deployment.selector)
                for each in self._deployments
            ),
            "reason": progress.reason,
            "waits": progress.waits,
            "elapsed": round(progress.elapsed, 1),
            "first": progress.told,
            "left": progress.left,
            "meant": len(meant),
            "running": len(run),
            "proven": sum(view.keeps(number) for view in run),
            "failed": sorted(view.name for view in views if view.failed(number)),
        }

    def _tell_node(self, view: NodeView) -> dict[str, Any]:
        status = view.status or Status()
        desired = self._decision.desired.get(view.name)
        return {
            "name": view.name,
            "project": view.project,
            "labels": dict(view.labels),
            "desired": desired.generation if desired else 0,
            "applied": status.applied,
            "failed": status.failed,
            "error": status.error,
            "healthy": status.healthy,
            "there": view.there,
        }

    def root_digest(self) -> str:
        """Return the SHA-256 of the first TUF root, hex; empty if nobody has deployed yet."""
        return self.shelf.root_digest()

    def root_text(self) -> str:
        """Return the text of the first TUF root; empty if nobody has deployed yet."""
        return self.shelf.root().decode()


def _round(progress: Progress) -> Progress:
    """Return progress in which seconds change now and then only."""
    missed = {name: away // _KEEP_EVERY for name, away in progress.missed.items()}
    return replace(progress, elapsed=progress.elapsed // _KEEP_EVERY, missed=missed)


def _leave_out_times(progress: Mapping[int, Progress]) -> dict[int, Progress]:
    return {number: replace(each, elapsed=0.0, missed={}) for number, each in progress.items()}


def _read_status(told: Mapping[str, Any]) -> Status | None:
    try:
        return clean_status(Status.read(dict(told))) if told else None
    except ValueError:
        return None


def parse_generation(text: str) -> int:
    """Return the number in a path.

    Raises:
        DeploymentError: It is none.
    """
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004  # digits of a 64-bit number
        raise DeploymentError(f"{text!r} is no number of a deployment")
    return int(text)
