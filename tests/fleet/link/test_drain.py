"""The child that sends a long backlog ends such that the supervisor knows how it went."""

import json
import subprocess
import sys
from dataclasses import asdict

import pyarrow as pa
import pytest

from segue.agent.spool import Entry, Spool
from segue.agent.work.payload import write_payload
from segue.spec.edge import SpoolSettings, WhenFull

SETTINGS = SpoolSettings(cap=10**8, when_full=WhenFull.BLOCK)


def drain(home):
    command = [sys.executable, "-m", "segue.agent.drain", str(home), json.dumps(asdict(SETTINGS))]
    return subprocess.run([*command, "10", "i" * 16], check=False, timeout=60).returncode


@pytest.fixture
def home(bench):
    made = bench.enrol()
    with Spool(made / "spool.db", SETTINGS) as spool:
        for number in range(40):
            rows = write_payload(pa.table({"n": [number]}))
            spool.commit([Entry("readings", 1, rows)], {}, {})
    return made


def unsent(home):
    with Spool(home / "spool.db", SETTINGS) as spool:
        return sum(each.rows for each in spool.streams())


def test_it_ends_well_when_little_is_left(bench, home):
    assert drain(home) == 0
    assert unsent(home) == 0


def test_a_stream_that_is_refused_is_no_end_that_is_well(bench, home):
    # else the supervisor would start it again and again, at once
    bench.hub.faults.refused.add("readings")
    assert drain(home) == 1
    assert unsent(home) == 40
