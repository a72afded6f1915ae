"""Clients of an MQTT broker, for the source, the destination and channels of alerts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from segue.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paho.mqtt.client import Client

    from segue.agent.options import Options

LINK_OPTIONS: Mapping[str, Any] = {
    "version": "5",
    "client_id": "",
    "ca": "",
    "certificate": "",
    "key": "",
    "timeout": "10s",
}
"""Options that the source and the destination share, besides the required ``url``."""

LINK_SHAPES = {"version": ("choice", "5", "3.1.1"), "timeout": ("seconds",)}

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_KEEPALIVE = 20
"""Seconds after which a half-open connection is noticed, and half again."""
_FILES = 1024
"""Files from this number on are beyond ``select``, by which the library waits (FD_SETSIZE)."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, and who asks.

    Attributes:
        host: Its host.
        port: Its port.
        tls: Whether the connection is encrypted.
        user: Name of the user; empty for none.
        password: Password.
        newest: Whether MQTT 5 is spoken; else 3.1.1.
        ca: File of the authority that the broker's certificate must be signed by.
        certificate: File of the client's own certificate.
        key: File of its key.
        timeout: Seconds to wait for an answer.
    """

    host: str
    port: int
    tls: bool
    user: str
    password: str
    newest: bool
    ca: str
    certificate: str
    key: str
    timeout: float

    @property
    def shown(self) -> str:
        """The broker for messages, without secrets."""
        return f"{self.host}:{self.port}"


def read_broker(options: Options) -> Broker:
    """Return the broker that options name.

    Raises:
        SegueError: They name none.
    """
    what = "an address such as mqtt://broker.example.com or mqtts://…"
    try:
        url = urlsplit(options.text("url"))
        port = url.port
    except ValueError:
        raise options.wrong("url", what) from None
    if url.scheme not in _PORTS or not url.hostname:
        raise options.wrong("url", what)
    return Broker(
        url.hostname,
        port or _PORTS[url.scheme],
        url.scheme == "mqtts",
        unquote(url.username or ""),
        unquote(url.password or ""),
        options.choice("version", "5", "3.1.1") == "5",
        options.text("ca"),
        options.text("certificate"),
        options.text("key"),
        options.seconds("timeout"),
    )


def make_client(broker: Broker, client_id: str, *, lasting: bool, manual_ack: bool) -> Client:
    """Return a client that is not connected yet.

    Args:
        broker: The broker.
        client_id: Its name at the broker; empty for one drawn at random.
        lasting: Whether the broker keeps what comes while the client is away.
        manual_ack: Whether messages are acknowledged by the caller.

    Raises:
        MissingExtraError: The library is not installed.
        OSError: A certificate can't be read.
    """
    try:
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "MQTT needs the library paho-mqtt", hint="pip install 'segue[mqtt]'"
        ) from error
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id or f"segue-{secrets.token_hex(8)}",
        clean_session=None if broker.newest else not lasting,
        protocol=paho.MQTTv5 if broker.newest else paho.MQTTv311,
        manual_ack=manual_ack,
    )
    client.connect_timeout = broker.timeout
    client.reconnect_delay_set(1, 30)
    if broker.user:
        client.username_pw_set(broker.user, broker.password)
    if broker.tls:
        client.tls_set(broker.ca or None, broker.certificate or None, broker.key or None)
    return client


def connect(client: Client, broker: Broker, *, lasting: bool, expiry: int, window: int) -> None:
    """Connect a client; its thread has still to be started.

    Args:
        client: The client.
        broker: The broker.
        lasting: Whether an earlier session goes on.
        expiry: Seconds that the broker keeps the session of one that is away (MQTT 5).
        window: Messages that the broker may send before one is acknowledged (MQTT 5).

    Raises:
        OSError: Nobody answers, or this process has too many open files.
    """
    _connect(client, broker, lasting=lasting, expiry=expiry, window=window)
    socket = client.socket()
    if socket is not None and socket.fileno() >= _FILES:  # it would wait in silence for ever
        client.disconnect()
        raise OSError(f"this process has {_FILES} or more files open, too many for MQTT")


def _connect(client: Client, broker: Broker, *, lasting: bool, expiry: int, window: int) -> None:
    if not broker.newest:
        client.connect(broker.host, broker.port, _KEEPALIVE)
        return
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    if lasting:
        properties.SessionExpiryInterval = expiry
    properties.ReceiveMaximum = window
    client.connect(
        broker.host, broker.port, _KEEPALIVE, clean_start=not lasting, properties=properties
    )
