"""Kafka: a message per row as JSON, or per parcel as an Arrow stream."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from segue.agent.destinations.plain import number_rows, write_rows
from segue.agent.options import CheckedKind
from segue.errors import DestinationError, MissingExtraError, ParcelRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.agent.options import Options
    from segue.protocols.edge import Parcel
    from segue.spec.edge import DestinationSpec

_REFUSALS = ("MSG_SIZE_TOO_LARGE", "INVALID_MSG", "INVALID_RECORD")
"""What a broker says of a message that it never takes."""


class KafkaDestination(CheckedKind):
    """An idempotent producer; what it has sent is acknowledged by all replicas.

    A parcel that is tried again, since this process was killed or a part of it failed, is there
    twice. The headers ``node``, ``epoch``, ``sequence`` and ``row`` name each message for ever,
    so that readers can leave out what they have seen.
    """

    exact = False
    required = ("servers",)
    optional: Mapping[str, Any] = {
        "topic": "{stream}",
        "key": "_node",
        "format": "json",
        "timeout": "30s",
        "settings": {},
    }
    shapes: Mapping[str, tuple[str, ...]] = {
        "servers": ("texts",),
        "format": ("choice", "json", "arrow"),
        "timeout": ("seconds",),
    }

    def open(self, destination: DestinationSpec) -> KafkaTarget:
        """Connect; see `segue.protocols.edge`."""
        return KafkaTarget(self.fill_destination(destination))


class KafkaTarget:
    """A producer."""

    def __init__(self, options: Options) -> None:
        """Make the producer, and ask the brokers who they are.

        Raises:
            DestinationError: No broker answers, or a setting is unknown.
        """
        try:
            from confluent_kafka import KafkaException, Producer
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "the destination 'kafka' needs the library confluent-kafka",
                hint="pip install 'segue[kafka]'",
            ) from error
        self._where = options.where
        self._topic = options.text("topic")
        self._key = options.text("key")
        self._rows = options.choice("format", "json", "arrow") == "json"
        self._timeout = options.seconds("timeout")
        self._problem: Any = None
        settings = options.table("settings")
        try:
            self._producer = Producer(
                {
                    "client.id": "segue",
                    "log_level": 2,
                    "delivery.timeout.ms": int(self._timeout * 1000),
                    "compression.type": "zstd",
                    "linger.ms": 5,
                    **settings,
                    "bootstrap.servers": ",".join(options.texts("servers")),
                    "enable.idempotence": True,
                    "acks": "all",
                    "error_cb": lambda _: None,  # told by what is asked
                }
            )
            self._producer.list_topics(timeout=min(self._timeout, 10.0))
        except (KafkaException, ValueError, TypeError) as error:
            raise DestinationError(f"{self._where}: Kafka: {_say(error)}") from None

    def deliver(self, parcel: Parcel) -> None:
        """Produce the rows, and wait until the brokers have them all."""
        topic = self._topic.replace("{stream}", parcel.stream).replace("{node}", parcel.node)
        self._problem = None
        deadline = time.monotonic() + self._timeout
        for key, value, sequence, row in self._messages(parcel):
            headers = [
                ("node", parcel.node),
                ("epoch", parcel.epoch),
                ("sequence", str(sequence)),
                ("row", str(row)),
            ]
            self._produce(topic, key, value, headers, deadline)
        left = self._producer.flush(max(0.1, deadline - time.monotonic()))
        if self._problem is not None:
            raise self._failed(self._problem)
        if left:
            raise DestinationError(f"{self._where}: Kafka: no answer for {left} messages")

    def _messages(self, parcel: Parcel) -> Any:
        """Yield key, value, sequence and row of each message."""
        table = parcel.table
        if not self._rows:
            import pyarrow as pa

            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            yield parcel.node, bytes(sink.getvalue()), parcel.last, 0
            return
        names = table.column_names
        known = self._key in names
        keys = table.column(self._key).to_pylist() if known else [parcel.node] * table.num_rows
        for value, key, (sequence, row) in zip(
            write_rows(table), keys, number_rows(parcel), strict=True
        ):
            yield _write_key(key), value, sequence, row

    def _produce(
        self, topic: str, key: str | None, value: bytes, headers: Any, deadline: float
    ) -> None:
        from confluent_kafka import KafkaException

        while True:
            try:
                self._producer.produce(
                    topic, value, key, headers=headers, on_delivery=self._delivered
                )
                self._producer.poll(0)
            except BufferError:  # its queue is full: let it send
                if time.monotonic() > deadline:
                    raise DestinationError(f"{self._where}: Kafka: no answer") from None
                self._producer.poll(0.1)
            except KafkaException as error:
                raise self._failed(error.args[0]) from None
            else:
                return

    def _delivered(self, error: Any, _: Any) -> None:
        if error is not None and self._problem is None:
            self._problem = error

    def _failed(self, error: Any) -> DestinationError:
        kind = ParcelRefusedError if error.name() in _REFUSALS else DestinationError
        return kind(f"{self._where}: Kafka: {error.str()}")

    def close(self) -> None:
        """Let go of what was not sent."""
        self._producer.purge()
        self._producer.flush(1)


def _write_key(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=str)


def _say(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return str(first.str() if hasattr(first, "str") else first)
