"""A client of a hub: signs what it asks, and turns what is refused into errors."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.parse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from segue.errors import (
    BundleError,
    DeploymentError,
    EnrolmentError,
    HubError,
    SegueError,
    SessionError,
    SignatureError,
    UnknownNameError,
    UsageError,
)
from segue.wire.messages import Challenge, Message, SessionAnswer
from segue.wire.signing import Request, sign
from segue.wire.transport import (
    LARGEST_ANSWER,
    OTHER_NAME,
    WRONG_TIME,
    Address,
    Answer,
    Transport,
    tell_fault,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from segue.wire.keys import NodeKey

JSON = "application/json"
SECONDS = 30.0
LONGEST_WAIT = 3600.0
_CLOSED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)
_M = TypeVar("_M", bound=Message)
_KNOWN: tuple[type[SegueError], ...] = (
    BundleError,
    DeploymentError,
    EnrolmentError,
    SessionError,
    SignatureError,
    UnknownNameError,
    UsageError,
)


@dataclass(frozen=True, slots=True)
class Access:
    """How a hub is reached.

    Attributes:
        address: Where it is.
        ca: PEM of the only root that is trusted; empty to trust the machine's.
        key: Key of the node that asks; None for operators, and before a node is enrolled.
        bearer: Token of the operator who asks; empty for nodes.
        check_time: Whether the hub's certificate can have expired; off where the node's clock
            is known to be wrong.
        patience: Longest silence in seconds of a hub that was not asked to wait.
    """

    address: Address
    ca: str = ""
    key: NodeKey | None = None
    bearer: str = ""
    check_time: bool = True
    patience: float = SECONDS


class HubClient:
    """Requests over one connection, in one session; used by one thread.

    Example:
        >>> HubClient(Access(Address.parse("http://127.0.0.1:1"))).get("/v1/healthz")
        Traceback (most recent call last):
        segue.errors.HubError: the hub http://127.0.0.1:1 can't be reached: ...
    """

    def __init__(self, access: Access) -> None:
        """Connect when the first request is made."""
        self.access = access
        self._transport = Transport(access.address, access.ca, check_time=access.check_time)
        self._session = ""
        self._counter = 0
        self._due: float | None = None

    @property
    def silent(self) -> float:
        """Seconds for which the hub has owed an answer; any thread may ask."""
        due = self._due
        return 0.0 if due is None else max(0.0, time.monotonic() - due)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def another(self) -> HubClient:
        """Return a client for another thread."""
        return HubClient(self.access)

    def distrust_clock(self) -> None:
        """Go on with a client that takes no certificate for expired: the clock is wrong."""
        if self.access.check_time:
            self.close()
            self.access = replace(self.access, check_time=False)
            self._transport = Transport(self.access.address, self.access.ca, check_time=False)

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        wait: float = 0.0,
        most: int = LARGEST_ANSWER,
    ) -> Answer:
        """Ask for something; see `call`."""
        return self.call("GET", path, query, wait=wait, most=most)

    def post(self, path: str, body: bytes, content_type: str = JSON) -> Answer:
        """Send something; see `call`."""
        return self.call("POST", path, body=body, content_type=content_type)

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        content_type: str = JSON,
        wait: float = 0.0,
        most: int = LARGEST_ANSWER,
    ) -> Answer:
        """Make a request, signed if there is a key; opens a session where the hub wants one.

        A request goes out a second time where a connection that was kept open has closed, so
        whatever is asked must be such that twice means the same as once.

        Args:
            method: Such as ``POST``.
            path: Path from ``/v1``.
            query: Query.
            body: Body.
            content_type: Type of the body.
            wait: Seconds that the hub was asked to wait before it answers.
            most: Bytes of the answer.

        Raises:
            HubError: The hub can't be reached (`status` 0), or refuses.
            FleetError: It refuses for a reason that has a class of its own.
            UsageError: It can't make sense of the request.
        """
        self._due = time.monotonic() + wait
        try:
            return self._try(method, path, query or {}, body, content_type, wait, most)
        except SessionError:
            self._session = ""
            return self._try(method, path, query or {}, body, content_type, wait, most)
        finally:
            self._due = None

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        self._transport.close()

    def _try(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes,
        content_type: str,
        wait: float,
        most: int,
    ) -> Answer:
        if self.access.key is not None and not self._session:
            self._open_session(self.access.key)
        request = Request(
            method, self.access.address.authority, path, urllib.parse.urlencode(query), body
        )
        seconds = wait + self.access.patience
        return self._deliver(
            request, lambda: self._write_headers(request, content_type), seconds, most
        )

    def _open_session(self, key: NodeKey) -> None:
        authority = self.access.address.authority
        asked = self._deliver(
            Request("GET", authority, "/v1/challenge"), dict, self.access.patience
        )
        challenge = read_message(asked, Challenge).challenge
        request = Request("POST", authority, "/v1/session")
        headers = sign(request, key, challenge, 0)
        opened = self._deliver(request, lambda: headers, self.access.patience)
        self._session = read_message(opened, SessionAnswer).session
        self._counter = 0

    def _write_headers(self, request: Request, content_type: str) -> dict[str, str]:
        headers = {"Accept": JSON}
        if request.body:
            headers["Content-Type"] = content_type
        if self.access.bearer:
            headers["Authorization"] = f"Bearer {self.access.bearer}"
        if self.access.key is not None:
            self._counter += 1
            headers |= sign(request, self.access.key, self._session, self._counter)
        return headers

    def _deliver(
        self,
        request: Request,
        headers: Callable[[], dict[str, str]],
        seconds: float,
        most: int = LARGEST_ANSWER,
    ) -> Answer:
        """Send a request; again if the connection was closed while nobody used it."""
        target = f"{request.path}?{request.query}" if request.query else request.path
        while True:
            kept = not self._transport.fresh
            try:
                answer = self._transport.exchange(
                    request.method, target, headers(), request.body, seconds=seconds, most=most
                )
            except (http.client.HTTPException, OSError) as error:
                if not (kept and isinstance(error, _CLOSED)):
                    raise self._tell(error) from None
            else:
                return self._check(answer)

    def _tell(self, error: Exception) -> HubError:
        """Return what a failing network means to a user."""
        address = self.access.address
        if isinstance(error, ssl.SSLCertVerificationError):
            return HubError(
                f"the hub {address} is not trusted: {error.verify_message}",
                hint=_advise(error, is_node=self.access.key is not None),
            )
        waits = "what is collected meanwhile waits"
        look = "see whether `segue hub` runs there, and whether this machine may call it"
        if not address.secure and isinstance(error, http.client.RemoteDisconnected):
            look = f"it may speak TLS: write https://{address.authority}"
        return HubError(
            f"the hub {address} can't be reached: {tell_fault(error)}",
            hint=look if self.access.key is None else waits,
        )

    def _check(self, answer: Answer) -> Answer:
        """Return an answer that is good; raise what another one tells."""
        if 200 <= answer.status < 300:  # noqa: PLR2004  # what HTTP calls a success
            return answer
        told = _read_error(answer)
        message = told.get("message") or f"status {answer.status}"
        shown = f"the hub {self.access.address} says: {message}"
        for kind in _KNOWN:
            if told.get("code") == kind.code:
                raise _fill(kind(shown, hint=told.get("hint", "")), answer, told)
        raise _fill(HubError(shown, hint=told.get("hint", "")), answer, told)


def read_message(answer: Answer, kind: type[_M]) -> _M:
    """Return the message in an answer.

    Raises:
        HubError: There is none.
    """
    try:
        return kind.read(json.loads(answer.body))
    except (ValueError, RecursionError) as error:
        raise HubError(f"the hub's answer can't be read: {error}") from None


def _fill(error: SegueError, answer: Answer, told: Mapping[str, str]) -> SegueError:
    if isinstance(error, HubError):
        error.status = answer.status
        error.told = told.get("code", "")
        error.wait = _read_wait(answer.headers.get("retry-after", ""))
    return error


def _read_wait(text: str) -> float:
    """Return the seconds of ``Retry-After``; a date is not asked for, and no clock decides."""
    return min(float(text), LONGEST_WAIT) if text.isdecimal() else 0.0


def _read_error(answer: Answer) -> dict[str, str]:
    try:
        plain: Any = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(plain, dict):
        return {}
    return {name: text for name, text in plain.items() if isinstance(text, str)}


def _advise(error: ssl.SSLCertVerificationError, *, is_node: bool) -> str:
    """Return what helps against a certificate that is not trusted."""
    if error.verify_code in OTHER_NAME:
        return "reach the hub by a name that its certificate has, or give it this one: --name"
    if error.verify_code in WRONG_TIME:
        if is_node:
            return "renew it at the hub, if this node's clock is right"
        now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        return f"renew it at the hub, if this machine's clock is right: it says {now} UTC"
    if is_node:
        return "if the hub has got another root, enrol this node again"
    return "name the hub's root, lake/_hub/ca.pem on its machine: --hub-ca FILE"
