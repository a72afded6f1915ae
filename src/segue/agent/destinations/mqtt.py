"""MQTT, 3.1.1 or 5: a message per row, or per parcel, each acknowledged by the broker."""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING, Any

from segue.agent.destinations.plain import number_rows, write_rows
from segue.agent.mqtt_link import LINK_OPTIONS, LINK_SHAPES, connect, make_client, read_broker
from segue.agent.options import CheckedKind
from segue.errors import DestinationError, ParcelRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paho.mqtt.client import MQTTMessageInfo
    from paho.mqtt.properties import Properties

    from segue.agent.options import Options
    from segue.protocols.edge import Parcel
    from segue.spec.edge import DestinationSpec

_WINDOW = 100
"""Messages under way at once."""


class MqttDestination(CheckedKind):
    """Publishes with QoS 1. A parcel that is tried again is there twice; readers can tell that.

    Each message has the user properties ``node``, ``epoch``, ``sequence`` and ``row`` (MQTT 5),
    and the same in its columns of provenance.
    """

    exact = False
    required = ("url",)
    optional: Mapping[str, Any] = {
        **LINK_OPTIONS,
        "topic": "{stream}",
        "message": "row",
        "retain": False,
    }
    shapes: Mapping[str, tuple[str, ...]] = {**LINK_SHAPES, "message": ("choice", "row", "parcel")}

    def open(self, destination: DestinationSpec) -> MqttTarget:
        """Connect; see `segue.protocols.edge`."""
        return MqttTarget(self.fill_destination(destination))


class MqttTarget:
    """A client that is connected; what it has sent is acknowledged before `deliver` returns."""

    def __init__(self, options: Options) -> None:
        """Connect.

        Raises:
            DestinationError: The broker can't be reached, or refuses.
        """
        self._where = options.where
        self._broker = read_broker(options)
        self._topic = options.text("topic")
        self._single = options.choice("message", "row", "parcel") == "row"
        self._retain = options.flag("retain")
        self._problem = ""
        ready = Event()

        def connected(_: Any, __: Any, ___: Any, reason: Any, ____: Any = None) -> None:
            self._problem = str(reason) if reason.is_failure else ""
            ready.set()

        def disconnected(_: Any, __: Any, ___: Any, reason: Any, ____: Any = None) -> None:
            self._problem = self._problem or f"the connection broke: {reason}"

        try:
            self._client = make_client(
                self._broker, options.text("client_id"), lasting=False, manual_ack=False
            )
            self._client.max_inflight_messages_set(_WINDOW)
            self._client.on_connect = connected
            self._client.on_disconnect = disconnected
            connect(self._client, self._broker, lasting=False, expiry=0, window=_WINDOW)
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from None
        self._client.loop_start()
        if not ready.wait(self._broker.timeout) or self._problem:
            self.close()
            raise self._failed(self._problem or "no answer")

    def _failed(self, said: str) -> DestinationError:
        return DestinationError(f"{self._where}: MQTT at {self._broker.shown}: {said}")

    def deliver(self, parcel: Parcel) -> None:
        """Publish the rows, and wait until the broker has them all."""
        rows = write_rows(parcel.table)
        topic = self._topic.replace("{stream}", parcel.stream).replace("{node}", parcel.node)
        if not self._single:
            self._wait(self._publish(topic, b"\n".join(rows), parcel, parcel.last, 0), parcel)
            return
        under_way: list[MQTTMessageInfo] = []
        for payload, (sequence, row) in zip(rows, number_rows(parcel), strict=True):
            under_way.append(self._publish(topic, payload, parcel, sequence, row))
            if len(under_way) == _WINDOW:
                self._wait_all(under_way, parcel)
        self._wait_all(under_way, parcel)

    def _publish(
        self, topic: str, payload: bytes, parcel: Parcel, sequence: int, row: int
    ) -> MQTTMessageInfo:
        properties = self._tell(parcel, sequence, row) if self._broker.newest else None
        try:
            return self._client.publish(topic, payload, 1, self._retain, properties)
        except ValueError as error:  # the topic, or a payload beyond what MQTT can carry
            raise ParcelRefusedError(f"{self._where}: {error}") from None

    @staticmethod
    def _tell(parcel: Parcel, sequence: int, row: int) -> Properties:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = [
            ("node", parcel.node),
            ("epoch", parcel.epoch),
            ("sequence", str(sequence)),
            ("row", str(row)),
        ]
        return properties

    def _wait_all(self, under_way: list[MQTTMessageInfo], parcel: Parcel) -> None:
        for each in under_way:
            self._wait(each, parcel)
        under_way.clear()

    def _wait(self, message: MQTTMessageInfo, parcel: Parcel) -> None:
        """Wait until the broker has acknowledged a message."""
        deadline = time.monotonic() + self._broker.timeout
        while not message.is_published():
            if self._problem or time.monotonic() > deadline:
                raise self._failed(self._problem or f"no acknowledgement of {parcel.stream}")
            message.wait_for_publish(0.1)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()
