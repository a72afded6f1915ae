"""What a hub knows, asked over HTTP by an operator, or straight from its database."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from segue.errors import HubError, UsageError
from segue.hub.hub import Hub
from segue.hub.opening import open_store
from segue.hub.operator_routes import describe_node, describe_node_fully
from segue.hub.rollout_routes import HubRollouts
from segue.wire.client import Access, HubClient
from segue.wire.transport import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.hub.opening import HubPlace

TOKEN = "SEGUE_HUB_TOKEN"  # noqa: S105  # name of the variable, not its value


class Overview(Protocol):
    """What commands ask."""

    def nodes(self) -> list[dict[str, Any]]:
        """Return all nodes."""
        ...

    def node(self, name: str) -> dict[str, Any]:
        """Return one node, with its changes and events.

        Raises:
            UnknownNameError: There is none.
        """
        ...

    def events(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest events, oldest first."""
        ...

    def remove(self, name: str) -> None:
        """Forget a node.

        Raises:
            UnknownNameError: There is none.
        """
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class _Here:
    """A hub's database, on its machine."""

    def __init__(self, place: HubPlace) -> None:
        self._store = open_store(place)
        nothing: Any = None
        self._hub = Hub(place.project, place.home, self._store, nothing, lambda _: False)
        self._hub.roster.look_back()
        self._hub.rollouts = HubRollouts(self._hub, keep=False)

    def nodes(self) -> list[dict[str, Any]]:
        return [describe_node(self._hub, each) for each in self._hub.roster.all()]

    def node(self, name: str) -> dict[str, Any]:
        return describe_node_fully(self._hub, self._hub.roster.get(name))

    def events(self, limit: int) -> list[dict[str, Any]]:
        return [asdict(each) for each in self._store.events(limit=limit)]

    def remove(self, name: str) -> None:
        self._hub.roster.get(name)
        self._store.remove_node(name)

    def close(self) -> None:
        self._store.close()


class _Remote:
    """A hub that answers over HTTP."""

    def __init__(self, client: HubClient) -> None:
        self._client = client

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        answer = self._client.get(path, query)
        try:
            told = json.loads(answer.body)
        except ValueError as error:
            raise HubError(f"the hub's answer can't be read: {error}") from None
        if not isinstance(told, dict):
            raise HubError("the hub's answer can't be read: it is no object")
        return told

    def nodes(self) -> list[dict[str, Any]]:
        return list(self._get("/v1/nodes").get("nodes", ()))

    def node(self, name: str) -> dict[str, Any]:
        return self._get(f"/v1/nodes/{quote(name, safe='')}")

    def events(self, limit: int) -> list[dict[str, Any]]:
        return list(self._get("/v1/events", {"limit": str(limit)}).get("events", ()))

    def remove(self, name: str) -> None:
        self._client.call("DELETE", f"/v1/nodes/{quote(name, safe='')}")

    def close(self) -> None:
        self._client.close()


def open_here(place: HubPlace) -> Overview:
    """Look into the database of a hub on its machine.

    Raises:
        UsageError: It has never run here.
    """
    if not place.home.exists():
        raise UsageError(
            f"the hub of {place.project} has never run here",
            hint="run segue hub, or name the hub: --hub URL, with SEGUE_HUB_TOKEN",
        )
    return _Here(place)


def open_remote(address: str, ca: str = "") -> Overview:
    """Ask a hub over HTTP.

    Args:
        address: Where it is.
        ca: PEM of its root; empty for the machine's own roots.

    Raises:
        UsageError: The address is none, or there is no token.
    """
    token = os.environ.get(TOKEN, "")
    if not token:
        raise UsageError(
            f"who asks a hub from elsewhere needs a token in {TOKEN}",
            hint="on the hub's machine: segue hub operator NAME",
        )
    return _Remote(HubClient(Access(Address.parse(address), ca, None, token)))
