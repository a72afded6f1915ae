"""What nodes and people ask a hub about deployments, over HTTP."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002  # FastAPI reads it from the signature
from starlette.responses import Response

from segue.errors import HubError, UsageError
from segue.hub.answers import tell_plain
from segue.hub.auth import admit_node, admit_operator, read_body
from segue.hub.rollouts import Rollouts, parse_generation
from segue.wire.bundle import LIMITS
from segue.wire.fetch import PIECE

if TYPE_CHECKING:
    from segue.hub.hub import Hub

FOLDER = "deployments"
_BYTES = "application/octet-stream"


class HubRollouts(Rollouts):
    """The rollouts of a hub, with their routes."""

    def __init__(self, hub: Hub, *, keep: bool = True) -> None:
        """Read what was deployed to this hub; see `Rollouts` for `keep`."""
        super().__init__(
            hub.home / FOLDER,
            hub.roster,
            changed=hub.alarm.ring,
            note=lambda kind, node, detail: hub.roster.note(kind, node, detail=detail),
            keep=keep,
        )
        self._hub = hub

    def router(self) -> APIRouter:
        """Return the routes of deployments."""
        router = APIRouter(prefix="/v1", tags=["deployments"])
        _add_files(router, self._hub, self)
        _add_operations(router, self._hub, self)
        return router


async def _admit_anyone(hub: Hub, request: Request) -> None:
    """Let nodes and operators in, and nobody else."""
    body = await read_body(request)
    if request.headers.get("authorization"):
        admit_operator(hub, request)
    else:
        await admit_node(hub, request, body)


def _add_files(router: APIRouter, hub: Hub, rollouts: Rollouts) -> None:
    @router.get("/trust/{name}", summary="Signed metadata", response_class=Response)
    async def trust(request: Request, name: str) -> Response:
        await _admit_anyone(hub, request)
        path = rollouts.shelf.find_metadata(name)
        return Response(await asyncio.to_thread(path.read_bytes), media_type="application/json")

    @router.get("/targets/{name}", summary="A piece of a bundle", response_class=Response)
    async def targets(request: Request, name: str, begin: int = 0, most: int = PIECE) -> Response:
        await _admit_anyone(hub, request)
        if begin < 0 or not 0 < most <= PIECE:
            raise UsageError(f"a piece has 1 to {PIECE} bytes")
        path = rollouts.shelf.find_bundle(name)
        return Response(await asyncio.to_thread(_read_piece, path, begin, most), media_type=_BYTES)


def _read_piece(path: Path, begin: int, most: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(most)


def _add_operations(router: APIRouter, hub: Hub, rollouts: Rollouts) -> None:
    content = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}

    @router.post(
        "/deployments",
        summary="Take in signed metadata and bundles, as an archive",
        openapi_extra={"requestBody": {"required": True, "content": content}},
    )
    async def deploy(request: Request) -> Response:
        who = admit_operator(hub, request)
        with tempfile.TemporaryFile(dir=rollouts.shelf.folder) as file:
            size = 0
            async for chunk in request.stream():
                size += len(chunk)
                if size > LIMITS.bytes:
                    raise _refuse_size()
                file.write(chunk)
            new = await asyncio.to_thread(rollouts.accept, file)
        for each in new:
            hub.roster.note("deployed", detail=f"{each.generation} by {who}")
        return tell_plain({"generations": [each.generation for each in new]}, 201)

    @router.get("/deployments", summary="All live deployments, and where they run")
    async def deployments(request: Request) -> Response:
        admit_operator(hub, request)
        return tell_plain(await asyncio.to_thread(rollouts.describe))

    @router.post("/deployments/{generation}/stop", summary="Let no further node have it")
    async def stop(request: Request, generation: str) -> Response:
        who = admit_operator(hub, request)
        number = parse_generation(generation)
        stopped = await asyncio.to_thread(rollouts.stop, number, who)
        hub.roster.note("stopped", detail=f"{number} by {who}")
        return tell_plain(stopped.plain())

    @router.post(
        "/deployments/{generation}/open", summary="Let all nodes that it is for have it now"
    )
    async def open_(request: Request, generation: str) -> Response:
        who = admit_operator(hub, request)
        number = parse_generation(generation)
        opened = await asyncio.to_thread(rollouts.open, number, who)
        hub.roster.note("opened", detail=f"{number} by {who}")
        return tell_plain(opened.plain())


def _refuse_size() -> HubError:
    error = HubError(f"a deployment has at most {LIMITS.bytes:,} bytes")
    error.status = 413
    return error
