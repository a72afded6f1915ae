"""What operators ask of a hub, with a bearer token."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002  # FastAPI reads annotations
from starlette.responses import Response

from segue.errors import UsageError
from segue.hub.answers import tell_plain
from segue.hub.auth import admit_operator, read_body
from segue.hub.authority import digest_certificate
from segue.hub.reading import are_labels, read_json
from segue.hub.tokens import Issuer, TokenRequest, make_token

if TYPE_CHECKING:
    from segue.hub.hub import Hub
    from segue.spec.hub import Node


def make_router(hub: Hub) -> APIRouter:
    """Return the routes that operators use."""
    router = APIRouter(prefix="/v1", tags=["operators"])
    _add_tokens(router, hub)
    _add_nodes(router, hub)
    _add_events(router, hub)
    return router


def _add_tokens(router: APIRouter, hub: Hub) -> None:
    @router.post("/tokens", summary="Make a token that enrols one node, once")
    async def tokens(request: Request) -> Response:
        who = admit_operator(hub, request)
        asked = read_json(await read_body(request), TokenRequest)
        return tell_plain({"token": await asyncio.to_thread(_make, hub, asked, who)})


def _add_nodes(router: APIRouter, hub: Hub) -> None:
    @router.get("/nodes", summary="All nodes, with what they told last")
    async def nodes(request: Request) -> Response:
        admit_operator(hub, request)
        return tell_plain({"nodes": [describe_node(hub, node) for node in hub.roster.all()]})

    @router.get("/nodes/{name}", summary="One node, with what changed in it")
    async def node(request: Request, name: str) -> Response:
        admit_operator(hub, request)
        await asyncio.to_thread(hub.roster.flush)
        return tell_plain(await asyncio.to_thread(describe_node_fully, hub, hub.roster.get(name)))

    @router.delete("/nodes/{name}", summary="Forget a node: its key is void", status_code=204)
    async def remove(request: Request, name: str) -> Response:
        who = admit_operator(hub, request)
        found = hub.roster.get(name)
        await asyncio.to_thread(hub.store.remove_node, name)
        hub.sessions.forget(found.key_id)
        hub.roster.forget(name)
        hub.roster.note("removed", name, detail=f"by {who}")
        hub.alarm.ring()
        return Response(status_code=204)


def _add_events(router: APIRouter, hub: Hub) -> None:
    @router.get("/events", summary="What somebody should know, oldest first")
    async def events(
        request: Request, after: int = 0, node: str = "", limit: int = 100
    ) -> Response:
        admit_operator(hub, request)
        await asyncio.to_thread(hub.roster.flush)
        found = await asyncio.to_thread(hub.store.events, after, node, max(1, min(limit, 1000)))
        return tell_plain({"events": [asdict(each) for each in found]})


def _make(hub: Hub, asked: TokenRequest, who: str) -> str:
    if not are_labels(asked.labels) or not isinstance(asked.node, str):
        raise UsageError("labels are names with texts")
    ca, trust = digest_certificate(hub.ca), hub.rollouts.root_digest()
    issuer = Issuer(hub.project, hub.url, ca, trust)
    token = make_token(hub.store, issuer, asked.node, asked.labels, hub.now(), who)
    return token.write()


def describe_node(hub: Hub, node: Node) -> dict[str, Any]:
    """Return what is known of a node, as plain values."""
    status, silent = hub.roster.status(node.name)
    state = hub.rollouts.desired(node)
    return {
        "name": node.name,
        "project": node.project,
        "labels": dict(node.labels),
        "key_id": node.key_id,
        "enrolled_at": node.enrolled_at,
        "seen_at": status.seen_at,
        "silent": silent,
        "desired": state.generation,
        "status": dict(status.told),
    }


def describe_node_fully(hub: Hub, node: Node) -> dict[str, Any]:
    """Return what is known of a node, with what changed in it and what happened to it."""
    return {
        **describe_node(hub, node),
        "changes": [asdict(each) for each in hub.store.changes(node.name)],
        "events": [asdict(each) for each in hub.store.events(node=node.name)],
    }
