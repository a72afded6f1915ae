"""Sockets that sources listen on; on loopback where only a port is stated."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from segue.errors import SourceError

if TYPE_CHECKING:
    from segue.agent.options import Options

TLS_OPTIONS = {"certificate": "", "key": "", "clients": ""}
"""Files of TLS: the certificate, its key, and the authority of the clients' certificates."""

_LOOPBACK = "127.0.0.1"
LAST_PORT = 65535
_WAITING = 128
"""Connections that wait to be taken in."""


def listen(options: Options, kind: socket.SocketKind, port: int | None = None) -> socket.socket:
    """Return a socket that is bound, and listens if it is a stream's.

    Args:
        options: With ``listen``, an address or a port of loopback, and ``buffer``.
        kind: ``SOCK_STREAM`` or ``SOCK_DGRAM``.
        port: In place of the stated one.

    Raises:
        SourceError: The address can't be had.
    """
    host, stated = read_address(options)
    port = stated if port is None else port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if size := options.size("buffer"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        made.bind((host, port))
        if kind == socket.SOCK_STREAM:
            made.listen(_WAITING)
    except OSError as error:
        made.close()
        raise SourceError(f"can't listen on {host}:{port}: {error.strerror or error}") from None
    made.setblocking(False)
    return made


def read_address(options: Options) -> tuple[str, int]:
    """Return host and port of the option ``listen``.

    Raises:
        SourceError: It is no address.
    """
    text = options.text("listen")
    host, colon, port = text.rpartition(":")
    host = host.strip("[]") if colon else _LOOPBACK
    if not host or not (port.isascii() and port.isdigit()) or int(port) > LAST_PORT:
        raise options.wrong("listen", "a port, or a host and a port such as 0.0.0.0:5140")
    return host, int(port)


def make_tls(options: Options) -> ssl.SSLContext | None:
    """Return what encrypts connections; None where no certificate is stated.

    Raises:
        SourceError: A file can't be used.
    """
    certificate, key = options.text("certificate"), options.text("key")
    clients = options.text("clients")
    if not certificate:
        if key or clients:
            raise SourceError(f"{options.where}: key and clients need a certificate")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # a sender that never reads would leave tickets unread, and its closing would cut off its end
    context.num_tickets = 0
    try:
        context.load_cert_chain(certificate, key or None)
        if clients:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise SourceError(f"{options.where}: certificate, key or clients: {error}") from None
    return context
