"""Rows as bytes for the spool, and back."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from segue.spec.edge import NODE_COLUMN

if TYPE_CHECKING:
    import pyarrow as pa

    from segue.spec.types import TableSchema


def write_payload(table: pa.Table) -> pa.Buffer:
    """Return rows as an Arrow stream whose buffers are compressed with zstd.

    Example:
        >>> import pyarrow as pa
        >>> read_payload(write_payload(pa.table({"a": [1]}))).to_pylist()
        [{'a': 1}]
    """
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        # one batch: many small ones of a filtered table cost more than to copy them
        writer.write_table(table.combine_chunks())
    return sink.getvalue()


def read_payload(payload: bytes | pa.Buffer) -> pa.Table:
    """Return the rows of `write_payload`."""
    import pyarrow as pa

    return pa.ipc.open_stream(payload).read_all()


@cache
def name_schema(schema: TableSchema) -> str:
    """Return a schema's id: the first 16 hex digits of the SHA-256 of its text.

    Example:
        >>> from segue.spec.types import parse_schema
        >>> name_schema(parse_schema("a: int64"))
        '86940d5746d8c00f'
    """
    return hashlib.sha256(str(schema).encode()).hexdigest()[:16]


def lay_out(table: pa.Table, schema: TableSchema) -> pa.Table:
    """Return a table with the columns that leave the node, without the node's name."""
    names = [name for name in schema.names if name != NODE_COLUMN]
    return table.select(names)


def add_node(table: pa.Table, node: str) -> pa.Table:
    """Return a table whose rows tell the node, as steps there can see it."""
    import pyarrow as pa

    if NODE_COLUMN in table.column_names:
        return table
    name = pa.repeat(pa.scalar(node, pa.string()), table.num_rows)
    return table.append_column(NODE_COLUMN, name)
