"""The server of the source `http`: what is asked, who may ask, and how it is answered."""

from __future__ import annotations

import hmac
import ipaddress
import json
import ssl
import zlib
from contextlib import suppress
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, Protocol

from segue.agent.sources.listen import LAST_PORT
from segue.agent.sources.records import split_records
from segue.agent.sources.repeats import make_posted
from segue.errors import SourceError

if TYPE_CHECKING:
    from segue.agent.options import Options
    from segue.agent.sources.repeats import Posted

_IDLE = 30.0
"""Seconds for which a connection may say nothing."""
_PATIENCE = 0.1
"""The same, for one whose request is refused."""
_PASSED = 2**20
"""Bytes of such a request that are read all the same."""


class Admission(Enum):
    """What became of records that were posted: status and words."""

    TAKEN = (200, "taken")
    FULL = (503, "no room now: send it again later")
    OTHER = (422, "another body had this Idempotency-Key")


class Receiver(Protocol):
    """What takes records in."""

    def admit(self, posted: Posted) -> Admission:
        """Take records, and wait until they are safe."""
        ...


class _RefusedError(Exception):
    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class Server(ThreadingHTTPServer):
    """A thread per connection, and a bound for these."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, options: Options, format_: str, receiver: Receiver) -> None:
        self.receiver = receiver
        self.format = format_
        self.path = options.text("path")
        self.token = options.text("token")
        self.most = options.size("most")
        self._free = BoundedSemaphore(options.whole("connections", 1))
        self._context = _make_context(options)
        super().__init__(_read_address(options, self._context is not None), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a thread, or close the connection if there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        if self._context is not None:
            try:  # the handshake comes with the first read, in the thread
                request = self._context.wrap_socket(
                    request, server_side=True, do_handshake_on_connect=False
                )
            except OSError:  # gone already
                self._free.release()
                self.shutdown_request(request)
                return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over connections that broke: their client will come again."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "segue"
    sys_version = ""
    timeout = _IDLE

    def do_POST(self) -> None:
        """Take records."""
        try:
            self._check_client()
            body = self._read_body()
        except _RefusedError as refused:
            self.close_connection = True
            self._pass_over()
            self._answer(refused.status, {"message": str(refused)})
            return
        records = split_records(body, self.server.format)
        if not records:
            self._answer(200, {"records": 0})
            return
        data = b"".join(record + b"\n" for record in records)
        key = self.headers.get("Idempotency-Key", "")
        admission = self.server.receiver.admit(make_posted(data, key, body))
        status, said = admission.value
        if admission is Admission.TAKEN:
            self._answer(status, {"records": len(records)})
        else:
            self._answer(status, {"message": said}, retry=admission is Admission.FULL)

    def _pass_over(self) -> None:
        """Read some of a body that is not wanted: who still sends does not hear the answer."""
        self.connection.settimeout(_PATIENCE)
        left = _PASSED
        with suppress(OSError):
            while left > 0 and (data := self.rfile.read1(min(left, 65536))):
                left -= len(data)

    def _check_client(self) -> None:
        if self.headers.get("Origin") is not None:
            raise _RefusedError(403, "pages in browsers may not post here")
        if self.path.partition("?")[0] != self.server.path:
            raise _RefusedError(404, f"records are taken at {self.server.path}")
        stated = self.headers.get("Authorization", "")
        expected = f"Bearer {self.server.token}"
        if self.server.token and not hmac.compare_digest(stated.encode(), expected.encode()):
            raise _RefusedError(401, "the token is missing or wrong")

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            raise _RefusedError(411, "a request needs its Content-Length")
        if int(length) > self.server.most:
            raise _RefusedError(413, f"a request has at most {self.server.most} bytes")
        encoding = self.headers.get("Content-Encoding", "identity").lower()
        if encoding not in ("identity", "gzip"):
            raise _RefusedError(415, f"{encoding} is not understood: send gzip or plain text")
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _RefusedError(400, "the request was cut off")
        return self._unpack(body) if encoding == "gzip" else body

    def _unpack(self, body: bytes) -> bytes:
        unpacking = zlib.decompressobj(wbits=31)
        try:
            unpacked = unpacking.decompress(body, self.server.most + 1)
        except zlib.error:
            raise _RefusedError(400, "the body is no gzip") from None
        if len(unpacked) > self.server.most:
            raise _RefusedError(413, f"a request has at most {self.server.most} bytes, unpacked")
        if not unpacking.eof or unpacking.unused_data:
            raise _RefusedError(400, "the body is not one whole gzip")
        return unpacked

    def handle_expect_100(self) -> bool:
        """Wait with the go-ahead until the headers were looked at."""
        return True

    def _answer(self, status: int, document: dict[str, Any], *, retry: bool = False) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry:
            self.send_header("Retry-After", "1")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: clients are told."""


def make_server(options: Options, format_: str, receiver: Receiver) -> Server:
    """Return a server that listens; its loop has still to be started.

    Raises:
        SourceError: The address is in use, or must not be served so.
    """
    try:
        return Server(options, format_, receiver)
    except OSError as error:
        said = error.strerror or str(error)
        raise SourceError(
            f"{options.where}: nothing can be served at {options.text('listen')}: {said}"
        ) from None


def _read_address(options: Options, encrypted: bool) -> tuple[str, int]:  # noqa: FBT001
    host, _, port = options.text("listen").rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not (port.isascii() and port.isdecimal()) or int(port) > LAST_PORT:
        raise options.wrong("listen", "a host and a port, such as 127.0.0.1:8088")
    try:
        near = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = False
    safe = bool(options.text("token")) and (encrypted or options.flag("insecure"))
    if not near and not safe:
        raise SourceError(
            f"{options.where}: {host} can be reached from other machines",
            hint="state a token and a certificate with its key, or listen at 127.0.0.1",
        )
    return host, int(port)


def _make_context(options: Options) -> ssl.SSLContext | None:
    if not options.text("certificate"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.text("certificate"), options.text("key") or None)
    except OSError as error:
        raise options.wrong("certificate", f"a certificate, and key its key ({error})") from None
    return context
