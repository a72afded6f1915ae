"""Who asks: nodes by signature, session and counter; operators by bearer token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from segue.errors import HubError, SessionError
from segue.wire.signing import check_body, read_key_id, verify_head

if TYPE_CHECKING:
    from starlette.requests import Request

    from segue.hub.hub import Hub
    from segue.spec.hub import Node

LARGEST_SMALL = 64 * 1024
"""Bytes of a message that holds no rows, and of one that is hashed in the loop."""


async def read_body(request: Request, most: int = LARGEST_SMALL) -> bytes:
    """Return the body of a request.

    Raises:
        HubError: It is too large.
    """
    if find_length(request) > most:
        raise _refuse_size(most)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _refuse_size(most)
        parts.append(part)
    return b"".join(parts)


def find_length(request: Request) -> int:
    """Return how long a request says its body is; 0 if it does not."""
    told = request.headers.get("content-length", "0")
    return int(told) if told.isdecimal() else 0


def _refuse_size(most: int) -> HubError:
    error = HubError(f"a request has at most {most} bytes", hint="send less at once")
    error.status = 413
    return error


async def admit_node(hub: Hub, request: Request, body: bytes) -> Node:
    """Return the node that has signed a request, which was not seen before.

    Raises:
        SignatureError: It is not signed as it must be, by a node that is enrolled.
        SessionError: Its session is unknown.
    """
    node, session, counter = await _verify(hub, request, body)
    hub.sessions.admit(session, node.key_id, counter)
    return node


async def open_session(hub: Hub, request: Request, body: bytes) -> str:
    """Return a new session for the node that has signed a challenge.

    Raises:
        SignatureError: It is not signed as it must be.
        SessionError: The challenge is unknown or was used.
    """
    node, challenge, counter = await _verify(hub, request, body)
    if counter != 0:
        raise SessionError("a challenge is signed with the counter 0")
    hub.roster.hear(node)
    return hub.sessions.open(challenge, node.key_id)


async def _verify(hub: Hub, request: Request, body: bytes) -> tuple[Node, str, int]:
    node, session, counter, digest = _verify_head(hub, request)
    await hold_body(digest, body)
    return node, session, counter


def admit_sender(hub: Hub, request: Request) -> tuple[Node, str]:
    """Return who sends a body, before it comes, and the digest that `hold_body` needs then.

    Nobody but a node gets room for a large body.

    Raises:
        SignatureError: It is not signed as it must be, by a node that is enrolled.
        SessionError: Its session is unknown.
    """
    node, session, counter, digest = _verify_head(hub, request)
    hub.sessions.admit(session, node.key_id, counter)
    return node, digest


async def hold_body(digest: str, body: bytes) -> None:
    """Hold a body against the digest that was signed.

    Raises:
        SignatureError: It is another one.
    """
    if len(body) > LARGEST_SMALL:
        await asyncio.to_thread(check_body, digest, body)
    else:
        check_body(digest, body)


def _verify_head(hub: Hub, request: Request) -> tuple[Node, str, int, str]:
    pairs = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
    ]
    node = hub.roster.find(read_key_id(pairs))
    asked = (
        request.method,
        request.headers.get("host", ""),
        request.scope["raw_path"].decode("latin-1"),
        request.scope["query_string"].decode("latin-1"),
    )
    return node, *verify_head(*asked, pairs, node.public_key)


def admit_operator(hub: Hub, request: Request) -> str:
    """Return the name of the operator who asks.

    Raises:
        HubError: Nobody has this token.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        token = ""
    return hub.roster.find_operator(token.strip())
