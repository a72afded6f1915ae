"""What a hub asks of its database and of the tables that nodes send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from segue.spec.arriving import Batch, Key, Place
    from segue.spec.hub import HubEvent, Node, NodeStatus, TokenRecord


class HubStore(Protocol):
    """Nodes, tokens, operators, statuses and events; safe for several threads and processes."""

    def add_token(self, token: TokenRecord) -> None:
        """Keep a token."""
        ...

    def enrol(
        self, digest: str, node: Node, now: float, own_labels: Mapping[str, str]
    ) -> tuple[Node, bool]:
        """Use a token up and keep the node that shows it; in one transaction.

        The same key may show the same token again while it is good: an answer may be lost.

        Args:
            digest: SHA-256 of the secret that was shown.
            node: The node as it describes itself; its labels are those of the token then.
            now: Seconds since 1970.
            own_labels: Labels that it brings; those of the token go before them.

        Returns:
            The node, and whether one of that name was there before with another key.

        Raises:
            EnrolmentError: The token is unknown, used up, too old, or for another node.
        """
        ...

    def nodes(self) -> tuple[Node, ...]:
        """Return all nodes, by name."""
        ...

    def remove_node(self, name: str) -> bool:
        """Forget a node and its key; return whether there was one."""
        ...

    def add_operator(self, name: str, digest: str, now: float) -> None:
        """Keep an operator; one of that name is replaced."""
        ...

    def operators(self) -> Mapping[str, str]:
        """Return the name of each operator by the SHA-256 of the token."""
        ...

    def note_statuses(
        self, statuses: Sequence[NodeStatus], changes: Sequence[HubEvent] = ()
    ) -> None:
        """Keep the last status of nodes, and what changed in them."""
        ...

    def statuses(self) -> Mapping[str, NodeStatus]:
        """Return the last status of each node."""
        ...

    def changes(self, node: str, limit: int = 50) -> tuple[HubEvent, ...]:
        """Return what changed in a node's status, the newest first."""
        ...

    def add_events(self, events: Sequence[HubEvent]) -> None:
        """Keep events."""
        ...

    def events(self, after: int = 0, node: str = "", limit: int = 100) -> tuple[HubEvent, ...]:
        """Return events with larger numbers, the newest `limit` of them, oldest first."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


class Arriving(Protocol):
    """The tables that nodes send; safe for several threads and processes."""

    @property
    def in_flight(self) -> int:
        """Bytes of batches that wait for their commit."""
        ...

    def exists(self, table: str) -> bool:
        """Return whether there is such a table."""
        ...

    def find_place(self, table: str, key: Key) -> Place:
        """Return where a node's sequences stand in a table.

        Raises:
            StorageError: The table can't be used.
        """
        ...

    def submit(self, batches: Sequence[Batch]) -> list[Future[list[Place]]]:
        """Give batches to be committed; an answer for each table, as the tables first come.

        Raises:
            HubBusyError: Too many bytes wait already.
        """
        ...

    def close(self) -> None:
        """Commit what waits, and end."""
        ...
