"""HTTP: a POST per parcel, with a key by which a server can tell one that it has."""

from __future__ import annotations

import base64
import gzip
import hashlib
import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from segue.agent.destinations.plain import write_rows
from segue.agent.options import CheckedKind
from segue.errors import DestinationError, ParcelRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from segue.agent.options import Options
    from segue.protocols.edge import Parcel
    from segue.spec.edge import DestinationSpec

_REFUSALS = (400, 413, 415, 422)
"""Answers about the rows themselves; all others may change by themselves or by an operator."""
_LONGEST_WAIT = 3600.0
_LONGEST_ANSWER = 64 * 1024
_TYPES = {"json": "application/x-ndjson", "arrow": "application/vnd.apache.arrow.stream"}


class HttpDestination(CheckedKind):
    """Posts JSON lines or an Arrow stream.

    Whether a parcel that is tried again stands there once is up to the server: the header
    ``Idempotency-Key`` names it, and is the same each time, also after a kill -9 here.
    """

    exact = False
    required = ("url",)
    optional: Mapping[str, Any] = {
        "format": "json",
        "compress": True,
        "headers": {},
        "token": "",
        "ca": "",
        "timeout": "30s",
    }
    shapes: Mapping[str, tuple[str, ...]] = {
        "format": ("choice", "json", "arrow"),
        "timeout": ("seconds",),
    }

    def open(self, destination: DestinationSpec) -> HttpTarget:
        """Read the options; the connection is made with the first parcel."""
        return HttpTarget(self.fill_destination(destination))


class HttpTarget:
    """A connection that is used again and again."""

    def __init__(self, options: Options) -> None:
        """Read the options.

        Raises:
            DestinationError: One of them is wrong.
        """
        self._where = options.where
        self._url = options.text("url")
        what = "an address such as https://example.com/ingest"
        try:
            parts = urlsplit(self._url.replace("{stream}", "s").replace("{node}", "n"))
            port = parts.port
        except ValueError:
            raise options.wrong("url", what) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise options.wrong("url", what)
        self._shown = f"{parts.scheme}://{parts.hostname}"
        self._format = options.choice("format", *_TYPES)
        self._compress = options.flag("compress")
        timeout = options.seconds("timeout")
        if parts.scheme == "https":
            try:
                context = ssl.create_default_context(cafile=options.text("ca") or None)
            except OSError as error:
                raise options.wrong("ca", f"a file of certificates ({error})") from None
            self._connection: HTTPConnection = HTTPSConnection(
                parts.hostname, port, timeout=timeout, context=context
            )
        else:
            self._connection = HTTPConnection(parts.hostname, port, timeout=timeout)
        self._headers = _read_headers(options)

    def deliver(self, parcel: Parcel) -> None:
        """Post the rows, and take the server's word that it has them."""
        body = _write(parcel.table, self._format)
        if self._compress:
            body = gzip.compress(body, 1, mtime=0)
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        key = f"{parcel.node}/{parcel.stream}/{parcel.epoch}/{parcel.first}-{parcel.last}"
        headers = {
            **self._headers,
            "Content-Type": _TYPES[self._format],
            "Content-Digest": f"sha-256=:{digest}:",
            "Idempotency-Key": f'"{quote(key, safe="/-._~")}"',
        }
        if self._compress:
            headers["Content-Encoding"] = "gzip"
        path = self._path(parcel)
        try:
            response = self._post(path, body, headers)
            said = response.read(_LONGEST_ANSWER).decode("utf-8", "replace").strip()
        except (OSError, HTTPException) as error:
            self._connection.close()
            told = str(error) or type(error).__name__
            raise DestinationError(f"{self._where}: {self._shown}: {told}") from None
        if not response.isclosed():  # there is more of it: the connection can't be used again
            self._connection.close()
        if not 200 <= response.status < 300:  # noqa: PLR2004  # HTTP's own bounds
            raise self._refused(response, said)

    def _path(self, parcel: Parcel) -> str:
        url = self._url.replace("{stream}", quote(parcel.stream, safe=""))
        parts = urlsplit(url.replace("{node}", quote(parcel.node, safe="")))
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> HTTPResponse:
        kept = self._connection.sock is not None
        try:
            self._connection.request("POST", path, body, dict(headers))
            return self._connection.getresponse()
        except (ConnectionError, HTTPException):
            if not kept:
                raise
        # the server has closed a connection that it kept; the key makes a second try harmless
        self._connection.close()
        self._connection.request("POST", path, body, dict(headers))
        return self._connection.getresponse()

    def _refused(self, response: HTTPResponse, said: str) -> DestinationError:
        kind = ParcelRefusedError if response.status in _REFUSALS else DestinationError
        first = said.partition("\n")[0][:200]
        told = f"{self._where}: {self._shown} answers {response.status} {response.reason}: {first}"
        error = kind(told.rstrip(": "))
        wait = response.getheader("Retry-After", "")
        if wait.isdecimal():
            error.wait = min(float(wait), _LONGEST_WAIT)
        return error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _read_headers(options: Options) -> dict[str, str]:
    headers = {name: str(value) for name, value in options.table("headers").items()}
    token = options.text("token")
    return {**headers, "Authorization": f"Bearer {token}"} if token else headers


def _write(table: pa.Table, format_: str) -> bytes:
    if format_ == "json":
        return b"".join(row + b"\n" for row in write_rows(table))
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
