"""A spool with what deliveries ask of one, in a file that outlives a kill -9."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from segue.wire.messages import RecordHeader

EPOCH = "00000000000000e1"


@dataclass(frozen=True)
class Standing:
    stream: str
    epoch: str
    acknowledged: int
    last: int
    rows: int


@dataclass(frozen=True)
class Record:
    header: RecordHeader
    payload: bytes


class FileSpool:
    """Records and places of readers, committed before each call returns."""

    def __init__(self, path):
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute(
            "create table if not exists records (stream, epoch, first, last, header, payload)"
        )
        self._db.execute(
            "create table if not exists places "
            "(reader, stream, epoch, last, primary key (reader, stream, epoch))"
        )

    def add(self, stream: str, table: pa.Table | None, **words: Any) -> None:
        """Append a record; without a table, a declared gap."""
        row = self._db.execute("select max(last) from records where stream = ?", (stream,))
        first = (row.fetchone()[0] or 0) + 1
        header = RecordHeader(stream, EPOCH, first, first, schema="5c4e3a", deployment=1)
        payload = b""
        if table is None:
            header = replace(header, kind="gap", format="")
        else:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            payload = bytes(sink.getvalue())
            header = replace(header, rows=table.num_rows)
        header = replace(header, **words)
        values = (stream, EPOCH, header.first, header.last, header.dump(), payload)
        self._db.execute("insert into records values (?, ?, ?, ?, ?, ?)", values)

    def streams(self, reader):
        found = []
        for stream, epoch, last in self._db.execute(
            "select stream, epoch, max(last) from records group by 1, 2 order by 1"
        ).fetchall():
            acknowledged = self.place(reader, stream, epoch)
            records = self.read(reader, stream, epoch, acknowledged, 2**40)
            rows = sum(record.header.rows or 0 for record in records)
            found.append(Standing(stream, epoch, acknowledged, last, rows))
        return found

    def place(self, reader, stream, epoch=EPOCH):
        row = self._db.execute(
            "select last from places where reader = ? and stream = ? and epoch = ?",
            (reader, stream, epoch),
        ).fetchone()
        return row[0] if row else 0

    def read(self, reader, stream, epoch, after, most_bytes):
        found, size = [], 0
        for header, payload in self._db.execute(
            "select header, payload from records where stream = ? and epoch = ? and first > ? "
            "order by first",
            (stream, epoch, after),
        ).fetchall():
            size += len(payload)
            if found and size > most_bytes:
                break
            found.append(Record(RecordHeader.read(_load(header)), payload))
        return found

    def acknowledge(self, reader, stream, epoch, last):
        self._db.execute(
            "insert or replace into places values (?, ?, ?, ?)", (reader, stream, epoch, last)
        )

    def close(self):
        self._db.close()


def _load(text):
    import json

    return json.loads(text)


def fill(path, stream="clean", batches=10, rows=5, begin=0):
    """Append batches of numbered rows to a spool."""
    with closing(FileSpool(path)) as spool:
        for batch in range(begin, begin + batches):
            numbers = range(batch * rows, (batch + 1) * rows)
            table = pa.table(
                {"n": pa.array(numbers, pa.int64()), "text": [f"t{n}" for n in numbers]}
            )
            spool.add(stream, table)
