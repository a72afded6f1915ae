"""HTTP connections to a hub: one trusted root, bounded answers, no wait without an end."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from segue.errors import EnrolmentError, HubError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_SECONDS = 10.0
LARGEST_ANSWER = 16 * 2**20
_NO_TIME_CHECK = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL."""
OTHER_NAME = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL."""
WRONG_TIME = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
_PROBES = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 40_000}
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
"""What OpenSSL calls an answer that is none of TLS."""
_CHUNK = 256 * 1024
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where a hub is.

    Attributes:
        secure: Whether it speaks TLS.
        host: Its host.
        port: Its port.

    Example:
        >>> Address.parse("https://hub.example.com").authority
        'hub.example.com'
    """

    secure: bool
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address.

        Raises:
            UsageError: It is none, or one without TLS that is not this machine's.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise UsageError(f"{text!r} is no address of a hub") from None
        hint = "write it as https://hub.example.com:8443"
        odd = parts.path not in ("", "/") or parts.query or parts.fragment or parts.username
        if parts.scheme not in ("http", "https") or not parts.hostname or odd:
            raise UsageError(f"{text!r} is no address of a hub", hint=hint)
        secure = parts.scheme == "https"
        if not secure and not is_loopback(parts.hostname):
            raise UsageError(
                f"the hub {text} does not speak TLS, and is not on this machine", hint=hint
            )
        return cls(secure, parts.hostname, port or (443 if secure else 80))

    @property
    def authority(self) -> str:
        """What stands in the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        """Return it as it was written."""
        return f"{'https' if self.secure else 'http'}://{self.authority}"


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, told without asking a name server.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("127.0.0.1.example.com")
        (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub answered.

    Attributes:
        status: Status.
        headers: Headers, their names in small letters.
        body: Body.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Transport:
    """One connection that is kept open; used by one thread.

    Errors of the network are `OSError` or `http.client.HTTPException`.
    """

    def __init__(self, address: Address, ca: str = "", *, check_time: bool = True) -> None:
        """Connect when the first request is sent.

        Args:
            address: Where the hub is.
            ca: PEM of the only root that is trusted; empty to trust the machine's.
            check_time: Whether certificates can have expired: off where the node's clock is
                known to be wrong.
        """
        self._address = address
        self._context = make_context(ca, check_time=check_time) if address.secure else None
        self._connection: http.client.HTTPConnection | None = None

    @property
    def fresh(self) -> bool:
        """Whether the next request opens a connection."""
        return self._connection is None

    def exchange(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
        *,
        seconds: float,
        most: int = LARGEST_ANSWER,
    ) -> Answer:
        """Send a request and read its answer.

        Args:
            method: Such as ``POST``.
            target: Path and query.
            headers: Headers besides ``Host`` and ``Content-Length``.
            body: Body.
            seconds: Longest silence of the hub, and for a body that drips in, twice that in all.
            most: Bytes of the answer.

        Raises:
            OSError: The network failed, or was silent.
            http.client.HTTPException: What came is no answer.
            HubError: The answer is too large.
        """
        try:
            connection = self._connect(seconds)
            told = {"Host": self._address.authority, "Content-Length": str(len(body)), **headers}
            connection.request(method, target, _cut(body) if body else None, told)
            response = connection.getresponse()
            content = _read(response, most, time.monotonic() + 2 * seconds)
            response.close()  # the answer, not the connection
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            content,
        )

    def close(self) -> None:
        """Close the connection, if one is open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self, seconds: float) -> http.client.HTTPConnection:
        if self._connection is None:
            host, port = self._address.host, self._address.port
            made: http.client.HTTPConnection = (
                http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
                if self._context is None
                else http.client.HTTPSConnection(
                    host, port, timeout=CONNECT_SECONDS, context=self._context
                )
            )
            made.connect()
            _probe(made.sock)
            self._connection = made
        self._connection.sock.settimeout(seconds)
        return self._connection


@lru_cache(4)
def make_context(ca: str, *, check_time: bool = True) -> ssl.SSLContext:
    """Return TLS that trusts one root only, or the machine's where none is given.

    All connections of a process to one hub share it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca:
        context.load_verify_locations(cadata=ca)
    else:
        context.load_default_certs()
    if not check_time:
        context.verify_flags |= ssl.VerifyFlags(_NO_TIME_CHECK)
    return context


def fetch_ca(address: Address, digest: str) -> str:
    """Fetch the hub's CA certificate over a connection that is not trusted yet.

    Args:
        address: Where the hub is.
        digest: SHA-256 of the certificate's DER, hex, from the token.

    Returns:
        The certificate as PEM.

    Raises:
        HubError: The hub can't be reached, or answers oddly.
        EnrolmentError: The certificate is another one: somebody may be in between.
    """
    transport = Transport(address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    transport._context = context  # noqa: SLF001  # the one connection that may trust nobody
    try:
        answer = transport.exchange("GET", "/v1/ca", {}, b"", seconds=10, most=64 * 1024)
        der = ssl.PEM_cert_to_DER_cert(answer.body.decode())
    except (OSError, http.client.HTTPException) as error:
        raise HubError(
            f"the hub {address} can't be reached: {tell_fault(error)}",
            hint="see whether `segue hub` runs there, and whether this machine may call it",
        ) from None
    except ValueError:
        raise HubError(
            f"what answers at {address} is no hub with TLS: it shows no root certificate",
            hint="see what listens there, or stands in between",
        ) from None
    finally:
        transport.close()
    if not hmac.compare_digest(hashlib.sha256(der).hexdigest(), digest.lower()):
        raise EnrolmentError(
            f"{address} shows another certificate than the token's: it is not that hub",
            hint="ask who gave you the token; look whether something stands in between",
        )
    return ssl.DER_cert_to_PEM_cert(der)


def tell_fault(error: Exception) -> str:
    """Return what is wrong with a network, in words.

    Example:
        >>> tell_fault(ConnectionRefusedError(111, "Connection refused"))
        'Connection refused'
    """
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return "what listens there does not speak TLS"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _cut(body: bytes) -> Iterator[memoryview]:
    """Yield a body in pieces: the time limit is one for each, so that a slow link is no fault."""
    view = memoryview(body)
    for begin in range(0, len(view), _PIECE):
        yield view[begin : begin + _PIECE]


def _read(response: http.client.HTTPResponse, most: int, deadline: float) -> bytes:
    parts, size = [], 0
    while part := response.read1(_CHUNK):
        size += len(part)
        if size > most:
            raise HubError(f"the hub's answer is larger than {most:,} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer drips in too slowly")
        parts.append(part)
    if response.length:  # what was announced and did not come
        raise http.client.IncompleteRead(b"".join(parts), response.length)
    return b"".join(parts)


def _probe(sock: socket.socket) -> None:
    """Let the system notice a peer that is gone, also while nothing is sent."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in _PROBES.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
