"""Opens kinds of sources as an agent does, and keeps what they give as its spool does."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from segue import registry
from segue.errors import SourceError
from segue.spec.edge import EdgeSource
from segue.spec.types import parse_schema

KILLED = -signal.SIGKILL


def open_source(kind, scratch, cursor=None, columns="n: int64", **options):
    source = EdgeSource("t", kind, options, "json", {}, parse_schema(columns))
    return registry.load(registry.EDGE_SOURCES, kind)().open(source, cursor, scratch)


def take_all(reader, most=2**20, wait=0.0):
    """Return the lines that are there, and the last chunk."""
    lines, last = [], None
    while True:
        chunk = reader.read(most, wait)
        if chunk is not None:
            last = chunk
            lines += chunk.data.splitlines()
        elif reader.exhausted():
            return lines, last


def take_lines(reader, count, seconds=10.0, most=2**20):
    """Return lines until there are so many."""
    lines, until = [], time.monotonic() + seconds
    while len(lines) < count and time.monotonic() < until:
        chunk = reader.read(most, 0.2)
        if chunk is not None and chunk.data:
            lines += chunk.data.splitlines()
    return lines


class Shelf:
    """A chunk and the cursor behind it, kept in one transaction."""

    def __init__(self, path):
        self.base = sqlite3.connect(path, isolation_level=None)
        self.base.execute("pragma journal_mode = wal")
        self.base.execute("create table if not exists chunks(data blob)")
        self.base.execute("create table if not exists cursor(one integer primary key, text text)")

    def commit(self, chunk):
        self.base.execute("begin immediate")
        self.base.execute("insert into chunks values (?)", (chunk.data,))
        self.base.execute("replace into cursor values (1, ?)", (json.dumps(chunk.cursor),))
        self.base.execute("commit")

    def cursor(self):
        found = self.base.execute("select text from cursor").fetchone()
        return json.loads(found[0]) if found else None

    def lines(self):
        return b"".join(row[0] for row in self.base.execute("select data from chunks")).splitlines()

    def count(self):
        counted = "select sum(length(data) - length(replace(data, x'0a', ''))) from chunks"
        return self.base.execute(counted).fetchone()[0] or 0

    def chunks(self):
        return self.base.execute("select count(*) from chunks").fetchone()[0]


def follow(kind, folder, options, chance, seed):
    """Read and keep until killed: with a chance at each step, by its own hand."""
    import os

    dice = random.Random(seed)

    def maybe_die():
        if dice.random() < chance:
            os.kill(os.getpid(), signal.SIGKILL)

    shelf = Shelf(Path(folder) / "shelf.db")
    cursor = shelf.cursor()
    reader = open_source(kind, Path(folder) / "scratch", cursor, **options)
    while True:
        try:
            chunk = reader.read(dice.choice([50, 1000, 2**16]), 0.5)
        except SourceError:
            continue
        if chunk is None:
            continue
        maybe_die()
        shelf.commit(chunk)
        maybe_die()
        reader.accept([chunk.receipt])
        maybe_die()


class Follower:
    """A process that follows a source, started again each time it was killed."""

    def __init__(self, kind, folder, options, chance=0.0):
        self.what = [kind, str(folder), json.dumps(options), str(chance)]
        self.kills = 0
        self.seed = 0
        self.process = self._start()

    def _start(self):
        self.seed += 1
        command = [sys.executable, __file__, *self.what, str(self.seed)]
        return subprocess.Popen(command)

    def tend(self):
        """Start it again if it was killed."""
        code = self.process.poll()
        if code is not None:
            assert code == KILLED, code
            self.kills += 1
            self.process = self._start()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def wait_for(self, shelf, count, seconds=60):
        until = time.monotonic() + seconds
        while shelf.count() < count and time.monotonic() < until:
            self.tend()
            time.sleep(0.05)  # another process's progress has no handle to wait on

    def close(self):
        self.process.kill()
        self.process.wait()


if __name__ == "__main__":
    follow(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
