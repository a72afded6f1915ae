"""The machine's own measures: CPU, memory, disks, network, load."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from segue.agent.options import CheckedKind
from segue.errors import SourceError
from segue.protocols.edge import Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from segue.agent.options import Options
    from segue.protocols.edge import Cursor
    from segue.spec.edge import EdgeSource

    Measure = tuple[str, str, float]
    """Name, device and value."""

GROUPS = ("cpu", "memory", "disk", "network", "load")
_ZONED = 2
"""Arguments of a timestamp that has a zone: unit and zone."""


class MetricsSource(CheckedKind):
    """A row for each measure of each device, as often as stated."""

    replayable = False
    typed = True
    required: tuple[str, ...] = ()
    optional: Mapping[str, Any] = {"every": "10s", "groups": list(GROUPS)}
    columns: Mapping[str, str] = {
        "at": "timestamp(us, UTC)",
        "metric": "string",
        "device": "string",
        "value": "float64",
    }
    shapes: Mapping[str, tuple[str, ...]] = {"every": ("seconds",)}

    def open(
        self,
        source: EdgeSource,
        cursor: Cursor | None,  # noqa: ARG002  # the protocol's
        scratch: Path,  # noqa: ARG002  # the protocol's
    ) -> MetricsReader:
        """Begin to measure; see `segue.protocols.edge`."""
        options = self.fill_source(source)
        return MetricsReader(source, options)


class MetricsReader:
    """A rhythm of measuring, by the monotonic clock."""

    def __init__(self, source: EdgeSource, options: Options) -> None:
        """Read the options.

        Raises:
            SourceError: One is wrong, or a column is none of the kind's.
        """
        self._schema = source.schema
        self._every = options.seconds("every")
        self._groups = options.texts("groups")
        for group in self._groups:
            if group not in GROUPS:
                raise options.wrong("groups", f"some of {', '.join(GROUPS)}")
        for name in source.schema.names:
            if name not in MetricsSource.columns:
                known = ", ".join(MetricsSource.columns)
                raise SourceError(f"{options.where}: metrics have no column {name!r}: {known}")
        self._where = options.where
        self._due = time.monotonic()
        self._measured = False
        if "cpu" in self._groups:
            import psutil

            psutil.cpu_percent(percpu=True)  # the first answer is about no time at all
            self._due += min(self._every, 0.1)

    def read(self, most: int, wait: float) -> Chunk | None:  # noqa: ARG002  # a few rows fit
        """Return measures if it is time; see `segue.protocols.edge`."""
        now = time.monotonic()
        if self._due > now:
            time.sleep(min(wait, self._due - now))
            if self._due > time.monotonic():
                return None
        now = time.monotonic()
        # a machine that slept measures once and not a thousand times
        self._due = max(self._due + self._every, now)
        self._measured = True
        return Chunk(None, table=self._measure())

    def _measure(self) -> Any:
        import pyarrow as pa

        from segue.frames.arrow_types import conform

        at = datetime.now(UTC)
        rows = [(at, *each) for group in self._groups for each in _READERS[group]()]
        arrays = [pa.array(list(values)) for values in zip(*rows, strict=True)]
        table = pa.table(arrays, names=list(MetricsSource.columns))
        told = self._schema.find("at")
        if told is not None and told.type.kind == "timestamp" and len(told.type.arguments) < _ZONED:
            # a time without a zone is one in UTC, as in formats of text
            plain = table["at"].cast(pa.timestamp("us"))
            table = table.set_column(table.column_names.index("at"), "at", plain)
        try:
            return conform(table.select(self._schema.names), self._schema)
        except ValueError as error:
            raise SourceError(f"{self._where}: {error}") from None

    def accept(self, receipts: Sequence[Any]) -> None:
        """Nobody waits for that."""

    def exhausted(self) -> bool:
        """Return whether there is a measurement."""
        return self._measured

    def close(self) -> None:
        """Nothing is open."""


def _read_cpu() -> Iterator[Measure]:
    import psutil

    for number, share in enumerate(psutil.cpu_percent(percpu=True)):
        yield "cpu.percent", str(number), share


def _read_memory() -> Iterator[Measure]:
    import psutil

    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    yield "memory.total", "", float(memory.total)
    yield "memory.available", "", float(memory.available)
    yield "memory.percent", "", memory.percent
    yield "swap.used", "", float(swap.used)


def _read_disks() -> Iterator[Measure]:
    import psutil

    for part in psutil.disk_partitions(all=False) or []:
        try:
            usage = psutil.disk_usage(part.mountpoint)
        except OSError:  # mounted, and out of reach
            continue
        yield "disk.total", part.mountpoint, float(usage.total)
        yield "disk.free", part.mountpoint, float(usage.free)
        yield "disk.percent", part.mountpoint, usage.percent
    for name, counts in (psutil.disk_io_counters(perdisk=True) or {}).items():
        yield "disk.read", name, float(counts.read_bytes)
        yield "disk.written", name, float(counts.write_bytes)


def _read_network() -> Iterator[Measure]:
    import psutil

    for name, counts in psutil.net_io_counters(pernic=True).items():
        yield "network.received", name, float(counts.bytes_recv)
        yield "network.sent", name, float(counts.bytes_sent)
        yield "network.errors", name, float(counts.errin + counts.errout)
        yield "network.dropped", name, float(counts.dropin + counts.dropout)


def _read_load() -> Iterator[Measure]:
    for minutes, load in zip((1, 5, 15), os.getloadavg(), strict=True):
        yield f"load.{minutes}", "", load


_READERS = {
    "cpu": _read_cpu,
    "memory": _read_memory,
    "disk": _read_disks,
    "network": _read_network,
    "load": _read_load,
}
