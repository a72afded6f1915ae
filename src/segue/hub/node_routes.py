"""What agents ask of a hub."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002  # FastAPI reads annotations
from starlette.responses import PlainTextResponse, Response

from segue.errors import EnrolmentError, UsageError
from segue.failpoints import pass_point
from segue.hub.answers import tell
from segue.hub.auth import (
    admit_node,
    admit_sender,
    find_length,
    hold_body,
    open_session,
    read_body,
)
from segue.hub.hub import LARGEST_BODY
from segue.hub.ingest import commit_records, read_records, shake_hands
from segue.hub.reading import are_labels, read_json
from segue.hub.statuses import clean_status
from segue.spec.arriving import is_node_name
from segue.spec.hub import Node
from segue.wire.keys import KEY_BYTES, name_key
from segue.wire.messages import (
    Challenge,
    DesiredState,
    EnrolAnswer,
    EnrolRequest,
    Handshake,
    Positions,
    SessionAnswer,
    Status,
)
from segue.wire.records import CONTENT_TYPE

if TYPE_CHECKING:
    from segue.hub.hub import Hub

LONGEST_POLL = 60.0
LARGEST_HANDSHAKE = 8 * 2**20


def _takes(kind: type[Any]) -> dict[str, Any]:
    """Return what OpenAPI says of a body."""
    schema = {"type": "object", "title": kind.__name__, "description": kind.__doc__ or ""}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def make_router(hub: Hub) -> APIRouter:
    """Return the routes that agents use."""
    router = APIRouter(prefix="/v1", tags=["agents"])
    _add_entry(router, hub)
    _add_rows(router, hub)
    _add_state(router, hub)
    return router


def _add_entry(router: APIRouter, hub: Hub) -> None:
    @router.get("/ca", summary="The root certificate that agents pin", response_class=Response)
    async def ca() -> Response:
        return PlainTextResponse(hub.ca, media_type="application/x-pem-file")

    @router.post(
        "/enrol",
        summary="Make a machine a node, with a token that works once",
        responses={200: {"model": EnrolAnswer}},
        openapi_extra=_takes(EnrolRequest),
    )
    async def enrol(request: Request) -> Response:
        asked = read_json(await read_body(request), EnrolRequest)
        return tell(await asyncio.to_thread(enrol_node, hub, asked))

    @router.get(
        "/challenge", summary="A random text to sign", responses={200: {"model": Challenge}}
    )
    async def challenge() -> Response:
        return tell(Challenge(hub.sessions.challenge()))

    @router.post(
        "/session",
        summary="Open a session, signed over a challenge",
        responses={200: {"model": SessionAnswer}},
    )
    async def session(request: Request) -> Response:
        body = await read_body(request)
        return tell(SessionAnswer(await open_session(hub, request, body)))


def enrol_node(hub: Hub, asked: EnrolRequest) -> EnrolAnswer:
    """Use a token up.

    Raises:
        EnrolmentError: It is not good, or the node describes itself badly.
    """
    labels = asked.labels
    texts = (asked.secret, asked.node, asked.project, asked.public_key)
    if not are_labels(labels) or not all(isinstance(each, str) for each in texts):
        raise EnrolmentError("labels are names with texts, and all else is text")
    if not is_node_name(asked.node):
        raise EnrolmentError("a node's name is made of letters, digits, '.', '_' and '-'")
    try:
        public = bytes.fromhex(asked.public_key)
    except ValueError:
        public = b""
    if len(public) != KEY_BYTES:
        raise EnrolmentError("the public key is none")
    node = Node(asked.node, asked.project, name_key(public), public, {}, hub.now())
    digest = hashlib.sha256(asked.secret.encode()).hexdigest()
    before = {each.name: each.key_id for each in hub.roster.all()}
    made, again = hub.store.enrol(digest, node, hub.now(), labels)
    if again:
        hub.sessions.forget(before.get(node.name, ""))
        hub.roster.begin(node.name)
        hub.roster.note("enrolled", node.name, detail="again, with a new key: the old one is void")
    else:
        hub.roster.note("enrolled", node.name)
    hub.roster.reload()
    hub.alarm.ring()
    return EnrolAnswer(made.name, made.project, dict(made.labels), hub.rollouts.root_text())


def _add_rows(router: APIRouter, hub: Hub) -> None:
    @router.post(
        "/streams",
        summary="Say where streams stand, before records are sent",
        responses={200: {"model": Positions}},
        openapi_extra=_takes(Handshake),
    )
    async def streams(request: Request) -> Response:
        node, digest = admit_sender(hub, request)
        async with hub.bodies.read(node.name):
            body = await read_body(request, LARGEST_HANDSHAKE)
        await hold_body(digest, body)
        handshake = read_json(body, Handshake)
        hub.roster.hear(node, str(handshake.instance)[:64])
        return tell(await asyncio.to_thread(shake_hands, hub, node, handshake))

    content = {CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}}

    @router.post(
        "/records",
        summary="Take records; what is answered is on disk",
        responses={200: {"model": Positions}},
        openapi_extra={"requestBody": {"required": True, "content": content}},
    )
    async def records(request: Request) -> Response:
        node, digest = admit_sender(hub, request)
        async with AsyncExitStack() as room:
            async with hub.bodies.read(node.name):
                size = find_length(request) or LARGEST_BODY
                await room.enter_async_context(hub.budget.take(size))
                body = await read_body(request, LARGEST_BODY)
            await hold_body(digest, body)
            pass_point("hub.received")
            hub.roster.hear(node)
            return tell(await commit_records(hub, read_records(hub, node, body)))


def _add_state(router: APIRouter, hub: Hub) -> None:
    @router.get(
        "/desired",
        summary="What the node should be; waits until that is another revision",
        responses={200: {"model": DesiredState}, 204: {"description": "nothing changed"}},
    )
    async def desired(request: Request) -> Response:
        node = await admit_node(hub, request, await read_body(request))
        hub.roster.hear(node)
        known = request.query_params.get("revision", "")
        loop = asyncio.get_running_loop()
        until = loop.time() + _read_wait(request.query_params.get("wait", "0"))
        while True:
            state = hub.rollouts.desired(hub.roster.find(node.key_id))
            if state.revision != known:
                return tell(state)
            left = until - loop.time()
            if left <= 0 or hub.ending:
                return Response(status_code=204)
            await hub.alarm.wait(left)

    @router.post(
        "/status", summary="Say how the node is", status_code=204, openapi_extra=_takes(Status)
    )
    async def status(request: Request) -> Response:
        body = await read_body(request)
        node = await admit_node(hub, request, body)
        told = clean_status(read_json(body, Status))
        hub.roster.note_status(node, told.plain())
        hub.rollouts.note_status(node, told)
        return Response(status_code=204)


def _read_wait(text: str) -> float:
    try:
        return max(0.0, min(float(text), LONGEST_POLL))
    except ValueError:
        raise UsageError(f"{text!r} is no number of seconds") from None
