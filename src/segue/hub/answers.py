"""What a hub answers, and what errors are over HTTP."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from segue.errors import (
    BundleError,
    DeploymentError,
    EnrolmentError,
    HubBusyError,
    HubError,
    SegueError,
    SessionError,
    SignatureError,
    StorageError,
    UnknownNameError,
    UsageError,
)

if TYPE_CHECKING:
    from starlette.requests import Request

    from segue.wire.messages import Message

JSON = "application/json"
_log = logging.getLogger("segue.hub")

_STATUSES: tuple[tuple[type[SegueError], int], ...] = (
    (SessionError, 401),
    (SignatureError, 401),
    (HubBusyError, 503),
    (EnrolmentError, 403),
    (UnknownNameError, 404),
    (UsageError, 400),
    (BundleError, 400),
    (DeploymentError, 409),
    (StorageError, 503),
)
_WAITS: tuple[tuple[type[SegueError], int], ...] = ((HubBusyError, 2), (StorageError, 5))


def tell(message: Message) -> Response:
    """Return a message as an answer."""
    return Response(message.dump(), media_type=JSON)


def tell_plain(value: Any, status: int = 200) -> Response:
    """Return plain values as an answer."""
    return Response(json.dumps(value, ensure_ascii=False), status, media_type=JSON)


def find_status(error: SegueError) -> int:
    """Return the status of an error over HTTP.

    Example:
        >>> find_status(UsageError("what?"))
        400
    """
    if isinstance(error, HubError) and error.status:
        return error.status
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)


async def tell_error(_: Request, error: Exception) -> Response:
    """Return an error as an answer."""
    if isinstance(error, ClientDisconnect):  # nobody hears it
        error = HubError("the request was left before its end")
    if not isinstance(error, SegueError):
        _log.error("a request failed", exc_info=error)
        told = {"code": "internal", "message": "the hub itself failed", "hint": "see its log"}
        return tell_plain(told, 500)
    told = {"code": error.code, "message": error.message, "hint": error.hint or ""}
    answer = tell_plain(told, find_status(error))
    for kind, seconds in _WAITS:
        if isinstance(error, kind):
            answer.headers["Retry-After"] = str(seconds)
    return answer
