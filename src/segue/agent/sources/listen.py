"""Sockets that sources listen on; loopback unless another address is stated."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from segue.errors import SourceError

if TYPE_CHECKING:
    from segue.agent.options import Options

LISTEN_OPTIONS = {"host": "127.0.0.1", "port": 0, "buffer": 0}
"""Options of a source that listens, and their defaults; a port of 0 is any free one."""

TLS_OPTIONS = {"certificate": "", "key": "", "clients": ""}
"""Files of TLS: the certificate, its key, and the authority of the clients' certificates."""

_WAITING = 128


def listen(options: Options, kind: socket.SocketKind, port: int | None = None) -> socket.socket:
    """Return a socket that is bound, and listens if it is a stream's.

    Args:
        options: With those of `LISTEN_OPTIONS`.
        kind: ``SOCK_STREAM`` or ``SOCK_DGRAM``.
        port: In place of the stated one.

    Raises:
        SourceError: The address can't be had.
    """
    host = options.text("host")
    port = options.whole("port") if port is None else port
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
    try:
        context.load_cert_chain(certificate, key or None)
        if clients:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise SourceError(f"{options.where}: certificate, key or clients: {error}") from None
    return context
