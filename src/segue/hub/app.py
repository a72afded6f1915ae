"""The hub as a web application: routes, errors, and what runs beside them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from segue import __version__
from segue.errors import SegueError
from segue.hub import node_routes, operator_routes
from segue.hub.answers import tell_error, tell_plain
from segue.hub.auth import admit_operator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, MutableMapping
    from typing import Any

    from starlette.types import ASGIApp, Receive, Scope, Send

    from segue.hub.hub import Hub

BEAT_SECONDS = 1.0
"""How often what nodes said is written down, and who is silent looked at."""
LOOK_SECONDS = 5.0
"""How often waiting nodes are asked for again, in case another hub changed something."""

_log = logging.getLogger("segue.hub")


def make_app(hub: Hub) -> FastAPI:
    """Return the application of a hub.

    Routes of deployments come from ``hub.rollouts.router()``.
    """

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        beating = asyncio.ensure_future(_beat(hub))
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
            await asyncio.to_thread(hub.close)

    app = FastAPI(
        title="Segue hub",
        version=__version__,
        description="Nodes, the rows that they send, and what they should run.",
        lifespan=live,
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(SegueError, tell_error)
    app.add_exception_handler(ClientDisconnect, tell_error)
    app.add_exception_handler(Exception, tell_error)
    app.include_router(node_routes.make_router(hub))
    app.include_router(operator_routes.make_router(hub))
    app.include_router(hub.rollouts.router())
    _add_watch(app, hub)
    return app


async def _beat(hub: Hub) -> None:
    """Write what nodes said, and look who is silent, until the end."""
    looked = 0.0
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        hub.roster.watch()
        try:
            await asyncio.to_thread(hub.roster.refresh)
            await asyncio.to_thread(hub.roster.flush)
        except SegueError as error:
            _log.warning("what nodes told could not be written: %s", error.message)
        except Exception:  # noqa: BLE001  # a driver's fault that has no name: the next beat tries again
            _log.exception("what nodes told could not be written")
        looked += BEAT_SECONDS
        if looked >= LOOK_SECONDS:
            looked = 0.0
            hub.alarm.ring()


def _add_watch(app: FastAPI, hub: Hub) -> None:
    hub.metrics.watch_nodes(hub.roster.figures)

    @app.get("/healthz", summary="Whether the hub answers", tags=["watch"])
    async def health() -> Response:
        return tell_plain({"status": "ok", "version": __version__})

    @app.get("/metrics", summary="Figures for Prometheus; operators only over TLS", tags=["watch"])
    async def metrics(request: Request) -> Response:
        if hub.ca:
            admit_operator(hub, request)
        hub.metrics.held.set(hub.budget.used)
        written = await asyncio.to_thread(hub.metrics.write)
        return Response(written, media_type="text/plain; version=0.0.4; charset=utf-8")

    app.add_middleware(_Counting, hub=hub)


class _Counting:
    """Counts answers by route and status, without holding bodies up."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app, self._hub = app, hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def told(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                self._hub.metrics.requests.labels(route, str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, told)
