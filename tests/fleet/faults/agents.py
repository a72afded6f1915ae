"""Real agents, started as people start them, of a real hub that speaks TLS."""

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from segue.agent.enrol import enrol
from segue.spec.edge import SpoolSettings, WhenFull
from segue.wire.token import Token
from tests.arriving import read_rows
from tests.edge_slots import source, write_slot

SECONDS = 90
SCHEMA = "n: int64"


def spool(cap=10**8, when_full=WhenFull.BLOCK, rows=20, **more):
    """Limits of a spool whose batches have some rows each."""
    return SpoolSettings(cap, when_full, batch_rows=rows, batch_bytes=12 * rows, **more)


def join(hub, home, node="till-7"):
    """Enrol a node; return its home."""
    enrol(Token.parse(hub.token(node)), home)
    return home


def make_slot(folder, lines, settings=None, steps=(), **more):
    """Make a slot that reads a file of numbered lines."""
    return write_slot(folder, [source(lines, SCHEMA)], steps, spool=settings or spool(), **more)


def write_numbers(path, first, end, pad=""):
    """Append numbered lines."""
    told = {"pad": pad} if pad else {}
    with Path(path).open("a") as file:
        file.writelines(json.dumps({"n": n, **told}) + "\n" for n in range(first, end))


@contextmanager
def agent(home, slot=None, *, once=False, **variables):
    """Run an agent for a ``with`` block, and end it with its worker."""
    command = [sys.executable, "-m", "segue", "agent", "run", "--home", str(home)]
    command += ["--slot", str(slot)] if slot else []
    command += ["--once"] if once else []
    with (home / "agent.log").open("ab") as log:
        environ = {**os.environ, **variables}
        process = subprocess.Popen(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait(30)


def run_once(home, slot, **variables):
    """Run an agent until all is read and sent."""
    with agent(home, slot, once=True, **variables) as process:
        assert process.wait(SECONDS) == 0, (home / "agent.log").read_text()


def rows_of(hub, table="readings"):
    """Return what has arrived in a table; nothing before anything has."""
    folder = Path(hub.lake) / table
    return read_rows(folder) if (folder / "_delta_log").exists() else []


def numbers(hub, table="readings"):
    """Return the numbers that have arrived, those of an epoch by their sequences."""
    rows = sorted(rows_of(hub, table), key=lambda row: (row["_epoch"], row["_sequence"], row["n"]))
    return [row["n"] for row in rows]


def once(hub, expected, table="readings"):
    """Hold that each number has arrived once."""
    assert Counter(numbers(hub, table)) == Counter(expected)


def status(home):
    """Return what an agent last said of its node; empty before its first word."""
    try:
        return json.loads((home / "status.json").read_text())["status"]
    except FileNotFoundError:
        return {}
