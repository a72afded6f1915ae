"""Brings what a source reads together as micro-batches of raw data, and makes rows of it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from segue import registry
from segue.agent.formats import open_format
from segue.errors import SourceError
from segue.spec.secrets import fill_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa

    from segue.agent.work.rejects import Rejects
    from segue.protocols.edge import Chunk, Cursor, EdgeReader, EdgeSourceKind
    from segue.spec.edge import EdgeSource, SpoolSettings

_CHUNK = 2**20
"""Bytes asked for at once: a batch ends at the end of a chunk."""
_SAMPLE = 2**16
"""Bytes of a chunk whose lines are counted: where a batch ends need not be known to the line."""


@dataclass(slots=True)
class RawBatch:
    """What was read for one micro-batch.

    Attributes:
        chunks: What the source gave, in its order; at least one.
        rows: Records in them, about.
        bytes: Bytes of them.
    """

    chunks: list[Chunk] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0

    @property
    def cursor(self) -> Cursor | None:
        """Where reading goes on after it."""
        return self.chunks[-1].cursor

    @property
    def lost(self) -> list[tuple[int, str]]:
        """Records that were lost before they could be read."""
        return [each for chunk in self.chunks for each in chunk.lost]

    @property
    def receipts(self) -> list[Any]:
        """What the reader is given once the batch is in the spool."""
        return [chunk.receipt for chunk in self.chunks if chunk.receipt is not None]

    def add(self, chunk: Chunk) -> None:
        """Take one more chunk."""
        self.chunks.append(chunk)
        if chunk.data is not None:
            self.rows += _guess_lines(chunk.data)
            self.bytes += len(chunk.data)
        elif chunk.table is not None:
            self.rows += chunk.table.num_rows
            self.bytes += chunk.table.nbytes


class Intake:
    """An open source; used by one thread.

    Args:
        source: The source.
        settings: How large a micro-batch is.
        scratch: A folder of its own.
        environ: Where its secrets are.
    """

    def __init__(
        self,
        source: EdgeSource,
        settings: SpoolSettings,
        scratch: Path,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Find its kind and its format.

        Raises:
            SourceError: A secret is not set, or an option of its format can't be meant so.
            UnknownNameError: There is no such kind or format.
            MissingExtraError: The kind needs a library that is not installed.
        """
        self._kind: EdgeSourceKind = registry.load(registry.EDGE_SOURCES, source.kind)()
        try:
            options = fill_secrets(dict(source.options), environ)
        except KeyError as error:
            raise SourceError(
                f"table {source.name!r}: the environment variable {error.args[0]} is not set"
            ) from None
        self._source = replace(source, options=options)
        self._settings = settings
        self._scratch = scratch
        self._format = None if self._kind.typed else open_format(self._source)
        self._reader: EdgeReader | None = None
        self._failed: SourceError | None = None

    @property
    def replayable(self) -> bool:
        """Whether reading goes on exactly at a cursor."""
        return self._kind.replayable

    @property
    def opened(self) -> bool:
        """Whether it is open."""
        return self._reader is not None

    def open(self, cursor: Cursor | None) -> None:
        """Open it where the cursor says.

        Raises:
            SourceError: It can't be opened now.
        """
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._failed = None
        self._reader = self._kind.open(self._source, cursor, self._scratch)

    def gather(self, wait: float, stopped: Callable[[], bool]) -> RawBatch | None:
        """Read until a micro-batch is full or has waited for long enough.

        Args:
            wait: Seconds to wait for its first chunk.
            stopped: Tells whether to make do with what is there.

        Returns:
            None if nothing came.

        Raises:
            SourceError: It can't be read now; what was read before that was returned first.
        """
        assert self._reader is not None  # noqa: S101  # `open` comes first
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed
        limits, reader = self._settings, self._reader
        most = min(_CHUNK, limits.batch_bytes)
        first = reader.read(most, wait)
        if first is None:
            return None
        batch = RawBatch()
        batch.add(first)
        deadline = time.monotonic() + limits.linger
        while batch.rows < limits.batch_rows and batch.bytes < limits.batch_bytes:
            left = deadline - time.monotonic()
            try:
                chunk = reader.read(most, max(0.0, min(left, 0.05)))
            except SourceError as error:
                self._failed = error  # what was read goes on its way first
                break
            if chunk is not None:
                batch.add(chunk)
            elif left <= 0 or stopped():
                break
        return batch

    def parse(self, batch: RawBatch, rejects: Rejects) -> pa.Table:
        """Return the rows of a micro-batch; records that are none are set aside."""
        import pyarrow as pa

        if self._format is None:
            tables = [chunk.table for chunk in batch.chunks if chunk.table is not None]
            return pa.concat_tables(tables, promote_options="default") if tables else self._none()
        data = b"".join(chunk.data for chunk in batch.chunks if chunk.data)
        if not data:
            return self._none()
        parsed = self._format.parse(data)
        if parsed.rejects.num_rows:
            lines = parsed.rejects["line"].to_pylist()
            reasons = parsed.rejects["reason"].to_pylist()
            told = [
                (line.decode("utf-8", "backslashreplace"), [reason])
                for line, reason in zip(lines, reasons, strict=True)
            ]
            rejects.add_texts(self._source.name, told)
        return parsed.table

    def _none(self) -> pa.Table:
        from segue.frames.arrow_types import to_arrow

        return to_arrow(self._source.schema).empty_table()

    def accept(self, batch: RawBatch) -> None:
        """Tell who waits for it that a micro-batch is in the spool."""
        if self._reader is not None:
            self._reader.accept(batch.receipts)

    def exhausted(self) -> bool:
        """Return whether all that is there now was read."""
        return self._reader is not None and self._reader.exhausted()

    def close(self) -> None:
        """Give back what is open."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


def _guess_lines(data: bytes) -> int:
    """Return how many lines there are, about where they are many."""
    if len(data) <= _SAMPLE:
        return data.count(b"\n")
    return data.count(b"\n", 0, _SAMPLE) * len(data) // _SAMPLE
