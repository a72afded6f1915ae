"""A worker in small: takes chunks of a source into a file, rows and cursor in one transaction."""

import json
import sqlite3
import sys
import time
from pathlib import Path

from segue.errors import SourceError
from segue.failpoints import pass_point
from segue.registry import EDGE_SOURCES, load
from segue.spec.edge import EdgeSource
from segue.spec.types import parse_schema


class Taken:
    """What is in the file, and stays there when the process is killed."""

    def __init__(self, path):
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._db.execute("create table if not exists lines (line)")
        self._db.execute("create table if not exists lost (count, reason)")
        self._db.execute("create table if not exists cursors (cursor)")

    def cursor(self):
        row = self._db.execute("select cursor from cursors").fetchone()
        return json.loads(row[0]) if row else None

    def commit(self, chunk):
        self._db.execute("begin immediate")
        lines = (chunk.data or b"").decode().splitlines()
        if chunk.table is not None:
            lines += [json.dumps(row, default=str) for row in chunk.table.to_pylist()]
        self._db.executemany("insert into lines values (?)", [(line,) for line in lines])
        self._db.executemany("insert into lost values (?, ?)", chunk.lost)
        if chunk.cursor is not None:
            self._db.execute("delete from cursors")
            self._db.execute("insert into cursors values (?)", (json.dumps(chunk.cursor),))
        self._db.execute("commit")

    def lines(self):
        return [line for (line,) in self._db.execute("select line from lines order by rowid")]

    def lost(self):
        return self._db.execute("select count, reason from lost").fetchall()

    def close(self):
        self._db.close()


def make_source(kind, options, schema="a: int64", format_="json", name="readings"):
    return EdgeSource(name, kind, options, format_, {}, parse_schema(schema))


def open_reader(source, taken, scratch, seconds=30.0):
    """Open a source where the file says, as often as it takes."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return load(EDGE_SOURCES, source.kind)().open(source, taken.cursor(), Path(scratch))
        except SourceError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def take(reader, taken, until, most=2**20, seconds=60.0):
    """Take chunks until so many lines are there; a broken connection is waited for."""
    deadline = time.monotonic() + seconds
    while not until(taken.lines()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {len(taken.lines())} lines came")
        try:
            chunk = reader.read(most, 0.1)
        except SourceError:
            time.sleep(0.02)
            continue
        if chunk is not None:
            take_chunk(reader, taken, chunk)


def take_chunk(reader, taken, chunk):
    taken.commit(chunk)
    pass_point("deliver.written")
    reader.accept([chunk.receipt])


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    file = Taken(told["path"])
    opened = open_reader(
        make_source(told["kind"], told["options"], told["schema"]), file, told["scratch"]
    )
    take(opened, file, lambda lines: len(lines) >= told["lines"], told["most"])
