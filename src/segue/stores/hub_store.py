"""A hub's database: SQLite by default, PostgreSQL by URL. Every method is one transaction."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, update

from segue.errors import EnrolmentError
from segue.spec.hub import HubEvent, Node, NodeStatus
from segue.stores.hub_connect import prepare, transaction
from segue.stores.hub_tables import changes, events, nodes, operators, statuses, tokens
from segue.stores.ledger_connect import name_ledger, open_engine, upsert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row

    from segue.spec.hub import TokenRecord

KEPT_EVENTS = 100_000
KEPT_CHANGES = 200
"""Changes of a node's status that are kept."""
_HINT = "ask for a new one: segue hub token --node NAME"


class SqlHubStore:
    """A hub's database.

    Args:
        url: ``sqlite:///path`` or a URL of PostgreSQL, as SQLAlchemy writes them.
        wait_seconds: Longest wait for another program's lock.

    Raises:
        StorageError: It can't be opened, or was made by a newer segue.
    """

    def __init__(self, url: str, *, wait_seconds: float = 10.0) -> None:
        self._engine = open_engine(url, wait_seconds)
        self._where = name_ledger(self._engine)
        try:
            prepare(self._engine, self._where)
        except BaseException:
            self._engine.dispose()
            raise

    def add_token(self, token: TokenRecord) -> None:
        """Keep a token."""
        row = {
            "digest": token.digest,
            "node": token.node,
            "project": token.project,
            "labels": json.dumps(dict(token.labels)),
            "expires_at": token.expires_at,
            "made_by": token.made_by,
        }
        with transaction(self._engine, self._where, writes=True) as connection:
            connection.execute(insert(tokens).values(row))

    def enrol(
        self, digest: str, node: Node, now: float, own_labels: Mapping[str, str]
    ) -> tuple[Node, bool]:
        """Use a token up and keep the node that shows it.

        Raises:
            EnrolmentError: The token is unknown, used up, too old, or for another node.
        """
        with transaction(self._engine, self._where, writes=True) as connection:
            asked = select(tokens).where(tokens.c.digest == digest).with_for_update()
            token = connection.execute(asked).one_or_none()
            if token is None:
                raise EnrolmentError("the hub does not know the token", hint=_HINT)
            _check_token(token, node, now)
            taken = update(tokens).where(tokens.c.digest == digest)
            connection.execute(taken.values(key_id=node.key_id))
            labels = {**own_labels, **json.loads(token.labels)}
            made = replace(node, labels=labels)
            return made, _keep_node(connection, made)

    def nodes(self) -> tuple[Node, ...]:
        """Return all nodes, by name."""
        with transaction(self._engine, self._where) as connection:
            found = connection.execute(select(nodes).order_by(nodes.c.name)).all()
        return tuple(
            Node(
                row.name,
                row.project,
                row.key_id,
                bytes.fromhex(row.public_key),
                json.loads(row.labels),
                row.enrolled_at,
            )
            for row in found
        )

    def remove_node(self, name: str) -> bool:
        """Forget a node and its key; return whether there was one."""
        with transaction(self._engine, self._where, writes=True) as connection:
            gone = connection.execute(delete(nodes).where(nodes.c.name == name)).rowcount
            connection.execute(delete(statuses).where(statuses.c.node == name))
            connection.execute(delete(changes).where(changes.c.node == name))
            connection.execute(delete(tokens).where(tokens.c.node == name))
        return bool(gone)

    def add_operator(self, name: str, digest: str, now: float) -> None:
        """Keep an operator; one of that name is replaced."""
        row = {"name": name, "digest": digest, "made_at": now}
        with transaction(self._engine, self._where, writes=True) as connection:
            upsert(connection, operators, [row])

    def operators(self) -> Mapping[str, str]:
        """Return the name of each operator by the SHA-256 of the token."""
        with transaction(self._engine, self._where) as connection:
            found = connection.execute(select(operators)).all()
        return {row.digest: row.name for row in found}

    def note_statuses(
        self, statuses_: Sequence[NodeStatus], changes_: Sequence[HubEvent] = ()
    ) -> None:
        """Keep the last status of nodes, and what changed in them."""
        rows = [
            {"node": each.node, "seen_at": each.seen_at, "told": json.dumps(dict(each.told))}
            for each in statuses_
        ]
        told = [
            {"at": each.at, "kind": each.kind, "node": each.node, "detail": each.detail}
            for each in changes_
        ]
        with transaction(self._engine, self._where, writes=True) as connection:
            upsert(connection, statuses, rows)
            if told:
                connection.execute(insert(changes), told)
            for name in {each.node for each in changes_}:
                _forget_changes(connection, name)

    def statuses(self) -> Mapping[str, NodeStatus]:
        """Return the last status of each node."""
        with transaction(self._engine, self._where) as connection:
            found = connection.execute(select(statuses)).all()
        return {row.node: NodeStatus(row.node, row.seen_at, json.loads(row.told)) for row in found}

    def changes(self, node: str, limit: int = 50) -> tuple[HubEvent, ...]:
        """Return what changed in a node's status, the newest first."""
        asked = select(changes).where(changes.c.node == node)
        asked = asked.order_by(changes.c.number.desc()).limit(limit)
        with transaction(self._engine, self._where) as connection:
            found = connection.execute(asked).all()
        return tuple(_read_event(row._asdict()) for row in found)

    def add_events(self, events_: Sequence[HubEvent]) -> None:
        """Keep events."""
        if not events_:
            return
        names = ("at", "kind", "node", "table", "detail")
        rows = [{name: getattr(each, name) for name in names} for each in events_]
        with transaction(self._engine, self._where, writes=True) as connection:
            connection.execute(insert(events), rows)
            newest = connection.execute(select(func.max(events.c.number))).scalar_one()
            connection.execute(delete(events).where(events.c.number <= newest - KEPT_EVENTS))

    def events(self, after: int = 0, node: str = "", limit: int = 100) -> tuple[HubEvent, ...]:
        """Return events with larger numbers, the newest `limit` of them, oldest first."""
        asked = select(events).where(events.c.number > after)
        if node:
            asked = asked.where(events.c.node == node)
        asked = asked.order_by(events.c.number.desc()).limit(limit)
        with transaction(self._engine, self._where) as connection:
            found = connection.execute(asked).all()
        return tuple(_read_event(row._asdict()) for row in reversed(found))

    def close(self) -> None:
        """Give connections back."""
        self._engine.dispose()


def _check_token(token: Row[Any], node: Node, now: float) -> None:
    if (token.node, token.project) != (node.name, node.project):
        raise EnrolmentError("the token is for another node or project", hint=_HINT)
    if now > token.expires_at:
        raise EnrolmentError("the token is too old", hint=_HINT)
    if token.key_id not in (None, node.key_id):
        raise EnrolmentError("the token was used already", hint=_HINT)


def _keep_node(connection: Connection, node: Node) -> bool:
    """Keep a node; return whether one of its name had another key."""
    asked = select(nodes.c.name, nodes.c.key_id)
    asked = asked.where(or_(nodes.c.name == node.name, nodes.c.key_id == node.key_id))
    known = {row.name: row.key_id for row in connection.execute(asked)}
    if set(known) - {node.name}:
        raise EnrolmentError("another node has this key", hint="let the machine make its own")
    row = {
        "name": node.name,
        "project": node.project,
        "key_id": node.key_id,
        "public_key": node.public_key.hex(),
        "labels": json.dumps(dict(node.labels)),
        "enrolled_at": node.enrolled_at,
    }
    upsert(connection, nodes, [row])
    return str(known.get(node.name, node.key_id)) != node.key_id


def _forget_changes(connection: Connection, node: str) -> None:
    kept = select(changes.c.number).where(changes.c.node == node)
    kept = kept.order_by(changes.c.number.desc()).limit(1).offset(KEPT_CHANGES)
    oldest = connection.execute(kept).scalar()
    if oldest is not None:
        old = (changes.c.node == node) & (changes.c.number <= oldest)
        connection.execute(delete(changes).where(old))


def _read_event(row: Mapping[str, Any]) -> HubEvent:
    return HubEvent(
        row["kind"], row["node"], row.get("table", ""), row["detail"], row["at"], row["number"]
    )
