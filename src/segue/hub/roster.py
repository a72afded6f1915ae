"""The nodes of a hub, in memory: their keys, when they were heard of, what they told.

What nodes say goes to the database once a second for all of them together; what a hub that dies
had not written is told again by the nodes.
"""

from __future__ import annotations

import hmac
import logging
import threading
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from segue.errors import HubError, SignatureError, StorageError, UnknownNameError
from segue.registry import nearest
from segue.spec.hub import HubEvent, NodeStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from segue.hub.metrics import NodeFigures
    from segue.protocols.hub import HubStore
    from segue.spec.hub import Node

RELOAD_SECONDS = 5.0
"""How old what is known of the database may be: another hub may have changed it."""
_LATEST = 2 * RELOAD_SECONDS
"""How old it may be where a request would have to wait for it: a hub reads it beside them."""
SILENT_SECONDS = 180.0
QUIET_SECONDS = 600.0
"""Events of one kind, node and table are kept once in this time."""
_TOLD = ("desired", "applied", "failed", "error", "healthy", "restarts", "clock_quality", "alerts")
_MOST_INSTANCES = 8
_log = logging.getLogger("segue.hub")
_MOST_HELD = 10_000
"""Events that wait for a database that takes none."""


@dataclass(slots=True)
class _Life:
    """What is known of a node since the hub began."""

    heard: float
    seen_at: float = 0.0
    told: Mapping[str, Any] = field(default_factory=dict)
    instances: list[str] = field(default_factory=list)
    silent: bool = False


class Roster:
    """Nodes and operators; safe for several threads.

    Args:
        store: The hub's database.
        now: Seconds since 1970, for people.
        steady: Seconds that never go back.
    """

    def __init__(
        self,
        store: HubStore,
        *,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._now, self._steady = store, now, steady
        self._lock = threading.RLock()
        self._by_key: dict[str, Node] = {}
        self._operators: Mapping[str, str] = {}
        self._lives: dict[str, _Life] = {}
        self._fresh: set[str] = set()
        self._changes: list[HubEvent] = []
        self._events: list[HubEvent] = []
        self._noted: dict[tuple[str, str, str], float] = {}
        self._loaded = 0.0
        self._readings = self._read = 0
        self._unread: StorageError | None = None
        self.reload()
        for name, status in store.statuses().items():
            self._life(name).seen_at = status.seen_at
            self._life(name).told = status.told

    def reload(self) -> None:
        """Read nodes and operators from the database; nobody else has to wait for that.

        Raises:
            StorageError: It can't be read; what is known counts on.
        """
        with self._lock:
            self._readings += 1
            reading = self._readings
            self._loaded = self._steady()
        try:
            nodes, operators = self._store.nodes(), self._store.operators()
        except StorageError as error:
            self._unread = error
            raise
        with self._lock:
            if reading >= self._read:  # else a later one was faster
                self._read, self._unread = reading, None
                self._by_key = {node.key_id: node for node in nodes}
                self._operators = operators

    def refresh(self, seconds: float = RELOAD_SECONDS) -> None:
        """Read them again if what is known is older; a database that fails is asked later."""
        if self._steady() - self._loaded > seconds:
            try:
                self.reload()
            except StorageError as error:
                _log.warning("nodes can't be read anew: %s", error.message)

    def _life(self, name: str) -> _Life:
        return self._lives.setdefault(name, _Life(self._steady()))

    def find(self, key_id: str) -> Node:
        """Return the node with a key.

        Raises:
            SignatureError: No node has it.
            StorageError: None that is known has it, and the database can't be read.
        """
        self.refresh(_LATEST)
        node = self._by_key.get(key_id)
        if node is not None:
            return node
        if self._unread is not None:
            raise self._unread
        raise SignatureError(
            "the request is refused: no node has this key",
            hint="let it in again: segue hub token --node NAME on the hub's machine, then "
            "segue agent enrol TOKEN --force at the node; what it holds is sent then",
        )

    def get(self, name: str) -> Node:
        """Return a node by name.

        Raises:
            UnknownNameError: There is none.
        """
        nodes = {node.name: node for node in self.all()}
        if name not in nodes:
            hint = nearest(name, list(nodes), noun="node")
            raise UnknownNameError(f"there is no node {name!r}", hint=hint)
        return nodes[name]

    def all(self) -> tuple[Node, ...]:
        """Return all nodes, by name."""
        self.refresh(_LATEST)
        return tuple(sorted(self._by_key.values(), key=lambda node: node.name))

    def find_operator(self, token: str) -> str:
        """Return the name of the operator with a token.

        Raises:
            HubError: Nobody has it.
        """
        digest = sha256(token.encode()).hexdigest()
        if digest not in self._operators:
            self.reload()
        operators = self._operators.items()
        found = [name for known, name in operators if hmac.compare_digest(known, digest)]
        if not found:
            error = HubError(
                "the hub does not know this operator",
                hint="on the hub's machine: segue hub operator NAME",
            )
            error.status = 401
            raise error
        return found[0]

    def hear(self, node: Node, instance: str = "") -> None:
        """Note that a node is there, and which start of its agent."""
        with self._lock:
            life = self._life(node.name)
            life.heard, life.seen_at = self._steady(), self._now()
            self._fresh.add(node.name)
            if life.silent:
                life.silent = False
                self.note("back", node.name)
            known = life.instances
            if instance and (not known or known[-1] != instance):
                if instance in known:
                    self.note("cloned", node.name, detail="two agents run under one identity")
                    known.remove(instance)
                known.append(instance)
                del known[:-_MOST_INSTANCES]

    def note_status(self, node: Node, told: Mapping[str, Any]) -> None:
        """Keep what a node says of itself, and what changed in it."""
        with self._lock:
            instance = told.get("instance")
            self.hear(node, instance[:64] if isinstance(instance, str) else "")
            life = self._life(node.name)
            now = self._now()
            for name in _TOLD:
                before, after = life.told.get(name), told.get(name)
                if life.told and before != after:
                    detail = f"{before!r} -> {after!r}"
                    self._changes.append(HubEvent(name, node.name, detail=detail, at=now))
            for alert in told.get("alerts") or ():
                if alert not in (life.told.get("alerts") or ()):
                    self.note("alert", node.name, detail=str(alert))
            life.told = dict(told)

    def status(self, name: str) -> tuple[NodeStatus, bool]:
        """Return what a node told last, and whether it is silent."""
        with self._lock:
            life = self._lives.get(name)
            if life is None:
                return NodeStatus(name, 0.0), True
            silent = not life.seen_at or self._steady() - life.heard > SILENT_SECONDS
            return NodeStatus(name, life.seen_at, life.told), silent

    def look_back(self) -> None:
        """Take when nodes were heard of from the database, for those who only look at it.

        A hub that starts gives its nodes time to speak; it can't know what it has not heard.
        """
        with self._lock:
            for life in self._lives.values():
                life.heard = self._steady() - max(0.0, self._now() - life.seen_at)

    def note(self, kind: str, node: str = "", table: str = "", detail: str = "") -> None:
        """Keep an event; one that comes again and again is kept now and then."""
        with self._lock:
            key = (kind, node, table)
            last = self._noted.get(key)
            now = self._steady()
            if kind in _REPEATED and last is not None and now - last < QUIET_SECONDS:
                return
            self._noted[key] = now
            self._events.append(HubEvent(kind, node, table, detail, self._now()))

    def watch(self) -> None:
        """Note nodes that have gone silent."""
        with self._lock:
            names = {node.name for node in self._by_key.values()}
            for name in names & set(self._lives):
                life = self._lives[name]
                if not life.silent and self._steady() - life.heard > SILENT_SECONDS:
                    life.silent = True
                    self.note("silent", name, detail=f"nothing heard for {SILENT_SECONDS:.0f} s")

    def flush(self) -> None:
        """Write what is new to the database; what can't be written is kept for the next time."""
        with self._lock:
            names, self._fresh = self._fresh, set()
            changes, self._changes = self._changes, []
            events, self._events = self._events, []
            told = [
                NodeStatus(name, self._lives[name].seen_at, self._lives[name].told)
                for name in sorted(names & set(self._lives))
            ]
        try:
            if told or changes:
                self._store.note_statuses(told, changes)
            names, changes = set(), []
            self._store.add_events(events)
        except BaseException:
            with self._lock:
                self._fresh |= names
                self._changes = (changes + self._changes)[-_MOST_HELD:]
                self._events = (events + self._events)[-_MOST_HELD:]
            raise

    def begin(self, name: str) -> None:
        """Let what was told under a name count no more: another machine has it now."""
        with self._lock:
            self._lives.pop(name, None)
            self._life(name)
            self._fresh.add(name)

    def forget(self, name: str) -> None:
        """Leave a node out that was removed."""
        with self._lock:
            self._lives.pop(name, None)
            self._fresh.discard(name)
        self.reload()

    def figures(self) -> Iterator[NodeFigures]:
        """Yield what metrics tell of each node."""
        now = self._steady()
        for node in self.all():
            with self._lock:
                life = self._life(node.name)
                told = life.told
                lag, spool = told.get("lag") or 0.0, told.get("spool_bytes") or 0
                yield node.name, float(lag), now - life.heard, float(spool)


_REPEATED = frozenset({"cloned", "fenced", "refused", "schema"})
