"""Messages of an MQTT broker, 3.1.1 or 5: acknowledged once they are in the spool."""

from __future__ import annotations

import json
import secrets
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from typing import TYPE_CHECKING, Any

from segue.agent.mqtt_link import LINK_OPTIONS, LINK_SHAPES, connect, make_client, read_broker
from segue.agent.options import CheckedKind
from segue.agent.sources.records import add_field, split_records
from segue.agent.sources.redelivery import Redeliveries, digest_message
from segue.errors import SourceError
from segue.protocols.edge import Chunk
from segue.wire.durable import write_durably

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from paho.mqtt.client import Client, MQTTMessage

    from segue.agent.mqtt_link import Broker
    from segue.agent.options import Options
    from segue.protocols.edge import Cursor
    from segue.spec.edge import EdgeSource

_QUIET = 0.5
"""Seconds without a message after which all that the broker had is taken for read."""
_LONGEST = 10
"""A message may be so many times as long as a chunk."""


class MqttSource(CheckedKind):
    """Subscribes with QoS 1 and a session that lasts.

    Nothing that the broker has for us is lost: it keeps messages until they are in the spool.
    What it sends again is known by packet id and content, also after a kill -9 on either side.
    It comes twice only where the broker has forgotten the session, or that it had sent it.
    """

    replayable = False
    typed = False
    required = ("url", "topics")
    optional: Mapping[str, Any] = {
        **LINK_OPTIONS,
        "topic": "",
        "retained": True,
        "expiry": "7d",
        "window": 1000,
        "queue": "16MB",
    }
    shapes: Mapping[str, tuple[str, ...]] = {
        **LINK_SHAPES,
        "topics": ("texts",),
        "expiry": ("seconds",),
        "queue": ("size",),
    }

    def open(self, source: EdgeSource, cursor: Cursor | None, scratch: Path) -> MqttReader:
        """Connect and subscribe; see `segue.protocols.edge`."""
        options = self.fill_source(source)
        reader = MqttReader(source, options, cursor, scratch)
        try:
            reader.start()
        except BaseException:
            reader.close()
            raise
        return reader


@dataclass(frozen=True, slots=True)
class _Message:
    serial: int
    """0 for a message that needs no acknowledgement."""
    records: bytes


class MqttReader:
    """A session at a broker. The client's own thread takes messages in."""

    def __init__(
        self, source: EdgeSource, options: Options, cursor: Cursor | None, scratch: Path
    ) -> None:
        """Prepare it; `start` connects."""
        self._source = source
        self._options = options
        self._broker: Broker = read_broker(options)
        self._topics = options.texts("topics")
        self._scratch = scratch
        self._most = options.size("queue")
        self._known = Redeliveries(min(options.whole("window", 1), 65535))
        if cursor:
            self._known.read(cursor["known"])
        self._given: dict[int, None] = {}  # in order
        self._queue: deque[_Message] = deque()
        self._queued = 0
        self._changed = Condition()
        self._ready = False
        self._problem = ""
        self._dropped = 0
        self._last = time.monotonic()
        self._client: Client | None = None

    def start(self) -> None:
        """Connect, and wait until the broker has taken the subscription.

        Raises:
            SourceError: It did not.
        """
        try:
            client = make_client(self._broker, self._name_client(), lasting=True, manual_ack=True)
            self._client = client
            client.on_connect = self._connected
            client.on_disconnect = self._disconnected
            client.on_subscribe = self._subscribed
            client.on_message = self._came
            expiry = int(self._options.seconds("expiry"))
            connect(client, self._broker, lasting=True, expiry=expiry, window=self._known.most)
        except OSError as error:
            raise self._unreachable(error.strerror or str(error)) from None
        client.loop_start()
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._problem, self._broker.timeout)
            if not self._ready:
                raise self._unreachable(self._problem or "no answer")

    def _unreachable(self, said: str) -> SourceError:
        return SourceError(
            f"table {self._source.name!r}: no subscription at {self._broker.shown}: {said}",
            hint="is the broker running, and may this user read these topics?",
        )

    def _name_client(self) -> str:
        """Return the name of the session: it must be the same at each start, and no other's."""
        stated = self._options.text("client_id")
        if stated:
            return stated
        file = self._scratch / "client-id"
        if not file.exists():
            write_durably(file, f"segue-{self._source.name[:32]}-{secrets.token_hex(8)}".encode())
        return file.read_text()

    def _connected(self, client: Client, _: Any, flags: Any, reason: Any, __: Any = None) -> None:
        with self._changed:
            if reason.is_failure:
                self._problem = str(reason)
                self._changed.notify_all()
                return
            self._known.begin(same_session=flags.session_present)
            file = self._scratch / "topics.json"
            before = json.loads(file.read_text()) if file.exists() else []
            if flags.session_present and before == list(self._topics):
                self._ready, self._problem = True, ""
                self._last = time.monotonic()
                self._changed.notify_all()
                return
        if flags.session_present and set(before) - set(self._topics):
            client.unsubscribe(sorted(set(before) - set(self._topics)))
        client.subscribe([(topic, 1) for topic in self._topics])

    def _subscribed(self, _: Client, __: Any, ___: int, reasons: Any, ____: Any = None) -> None:
        refused = [str(each) for each in reasons if each.is_failure]
        if not refused:
            write_durably(self._scratch / "topics.json", json.dumps(list(self._topics)).encode())
        with self._changed:
            self._problem = f"refused: {refused[0]}" if refused else ""
            self._ready = not refused
            self._last = time.monotonic()
            self._changed.notify_all()

    def _disconnected(self, _: Client, __: Any, ___: Any, reason: Any, ____: Any = None) -> None:
        with self._changed:
            self._ready = False
            self._problem = self._problem or f"the connection broke: {reason}"
            self._changed.notify_all()

    def _came(self, client: Client, _: Any, message: MQTTMessage) -> None:
        records = self._read(message)
        with self._changed:
            self._last = time.monotonic()
            if message.qos == 0:
                self._take_unsure(records)
                return
            digest = digest_message(message.topic, bytes(message.payload))
            serial = self._known.hold(message.mid, digest, again=message.dup)
            if serial is None:
                return
            if serial and records:
                self._put(_Message(serial, records))
                return
            if serial:
                self._known.settle(serial)
        client.ack(message.mid, message.qos)

    def _take_unsure(self, records: bytes) -> None:
        """Take a message that the broker does not keep, if there is room."""
        if records and self._queued + len(records) > self._most:
            self._dropped += records.count(b"\n")
        elif records:
            self._put(_Message(0, records))

    def _put(self, message: _Message) -> None:
        self._queue.append(message)
        self._queued += len(message.records)
        self._changed.notify_all()

    def _read(self, message: MQTTMessage) -> bytes:
        """Return a message as lines."""
        if message.retain and not self._options.flag("retained"):
            return b""
        format_, column = self._source.format, self._options.text("topic")
        records = split_records(bytes(message.payload), format_)
        if column:
            records = [add_field(each, column, message.topic, format_) for each in records]
        return b"".join(each + b"\n" for each in records)

    def read(self, most: int, wait: float) -> Chunk | None:
        """Return messages that came; see `segue.protocols.edge`."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._dropped or not self._ready, wait)
            if not self._queue and not self._dropped:
                if not self._ready:
                    raise self._unreachable(self._problem or "not connected yet")
                return None
            parts, receipt, long = self._take(most)
            lost = []
            if long:
                lost.append((long, "record too long"))
            if self._dropped:
                lost.append((self._dropped, "QoS 0, and no room"))
                self._dropped = 0
            self._given.update(dict.fromkeys(receipt))
            cursor = {"known": self._known.write(self._given)}
        data = b"".join(parts) or None
        return Chunk(cursor, data, lost=tuple(lost), receipt=tuple(receipt))

    def _take(self, most: int) -> tuple[list[bytes], list[int], int]:
        """Take messages off the queue: their records, their serials, and how many are too long."""
        parts: list[bytes] = []
        receipt: list[int] = []
        size = long = 0
        while self._queue and (not parts or size + len(self._queue[0].records) <= most):
            message = self._queue.popleft()
            self._queued -= len(message.records)
            if message.serial:
                receipt.append(message.serial)
            if len(message.records) > _LONGEST * most:
                long += 1
                continue
            parts.append(message.records)
            size += len(message.records)
        return parts, receipt, long

    def accept(self, receipts: Sequence[Any]) -> None:
        """Acknowledge what is in the spool."""
        numbers = []
        with self._changed:
            for serial in (serial for receipt in receipts for serial in receipt):
                self._given.pop(serial, None)
                numbers.append(self._known.settle(serial))
        if self._client is not None:
            for number in filter(None, numbers):
                self._client.ack(number, 1)

    def exhausted(self) -> bool:
        """Return whether the broker had nothing for a while."""
        with self._changed:
            quiet = time.monotonic() - self._last >= _QUIET
            return self._ready and not self._queue and not self._dropped and quiet

    def close(self) -> None:
        """Leave; the broker keeps the session."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None
