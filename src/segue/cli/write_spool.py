"""Records of a spool as a file of rows."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from segue.agent.spool import Record, Spool, Standing


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...


def write_rows(
    opened: Spool, standings: Sequence[Standing], reader: str, output: Path, most: int
) -> tuple[int, int]:
    """Write the unsent rows of a stream into a new file, a part at a time.

    Args:
        opened: The spool.
        standings: Where the reader stands in each epoch.
        reader: Its name.
        output: The file; its ending says its format.
        most: Bytes of records that are read at once.

    Returns:
        How many rows that were, and how many gaps were left out.

    Raises:
        UsageError: The rows have different columns.
    """
    rows = gaps = 0
    with ExitStack() as stack:
        writer, schema = None, None
        for record in _records(opened, standings, reader, most):
            if record.header.kind == "gap":
                gaps += 1
                continue
            table = _read_table(record)
            if writer is None:
                schema = table.schema
                writer = _open(output, schema, stack)
            elif table.schema != schema:
                from segue.errors import UsageError

                hint = "send them first, or take records with --json of `spool ls` one by one"
                raise UsageError("the schema of the rows changes within the stream", hint=hint)
            writer.write_table(table)
            rows += table.num_rows
    if not rows:
        output.unlink(missing_ok=True)
    return rows, gaps


def _records(
    opened: Spool, standings: Sequence[Standing], reader: str, most: int
) -> Iterator[Record]:
    for each in standings:
        at = each.acknowledged
        while at < each.last:
            for record in opened.peek(reader, each.stream, each.epoch, at, most):
                at = record.header.last
                yield record


def _read_table(record: Record) -> pa.Table:
    import pyarrow as pa

    return pa.ipc.open_stream(record.payload).read_all()


def _open(output: Path, schema: pa.Schema, stack: ExitStack) -> _Writer:
    if output.suffix == ".parquet":
        import pyarrow.parquet as pq

        writer: _Writer = stack.enter_context(pq.ParquetWriter(output, schema))
        return writer
    if output.suffix == ".arrow":
        import pyarrow as pa

        file: _Writer = stack.enter_context(pa.ipc.new_file(output, schema))
        return file
    return _Lines(stack.enter_context(output.open("w", encoding="utf-8")))


class _Lines:
    """Writes a JSON object a line."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write_table(self, table: pa.Table) -> None:
        """Write rows."""
        from segue.cli.write_rows import write_json_lines

        write_json_lines(table.to_reader(), self._stream)
