"""Steps that hang, leak, crash, raise or write half, in full runs."""

import textwrap

import psutil
import pytest

from tests.process.generations import assert_settled, expect

BAD = """
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from segue import step

PIDS = Path(__file__).parent.parent / "pids"


def note(pid):
    with PIDS.open("a") as file:
        file.write(f"{{pid}}\\n")


@step({options})
def bad(seed: list[dict]) -> list[dict]:
    note(os.getpid())
{body}
    return seed
"""
AFTER = "select count(*) as n from bad"
BESIDE = "select generation, count(*) as n from seed group by all"

ENDS = {
    "hangs": ("timeout=5", "time.sleep(600)", "step-timeout"),
    "blocks in C": ("timeout=5", "ctypes.PyDLL(None).sleep(600)", "step-timeout"),
    "ignores SIGTERM": (
        "timeout=5",
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1)
        """,
        "step-timeout",
    ),
    "leaves grandchildren in sessions of their own": (
        "timeout=5",
        """
        if not os.fork():
            os.setsid()
            if not os.fork():
                note(os.getpid())
                time.sleep(600)
            os._exit(0)
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        note(child.pid)
        child.wait()
        """,
        "step-timeout",
    ),
    "leaks": (
        "memory='400MB', timeout=60",
        """
        held = []
        while True:
            held.append(bytearray(b"x" * 10_000_000))
        """,
        "step-memory",
    ),
    "reaches for memory that is not its own": (
        "timeout=60",
        "ctypes.string_at(0)",
        "step-crashed",
    ),
    "is killed for want of memory": (
        "timeout=60",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "step-crashed",
    ),
    "leaves by the back door": ("timeout=60", "os._exit(0)", "step-crashed"),
    "exits": ("timeout=60", "sys.exit(0)", "step-failed"),
    "raises": ("", "raise ValueError('odd')", "step-failed"),
    "raises in a process of its own": ("timeout=60", "raise ValueError('odd')", "step-failed"),
}


def write_bad(site, options, body):
    body = textwrap.indent(textwrap.dedent(body), "    ")
    site.edit("steps/bad.py", BAD.format(options=options, body=body))


def left(site):
    """Return noted processes that still run."""
    found = [int(line) for line in (site.folder / "pids").read_text().split()]
    return [pid for pid in found if psutil.pid_exists(pid)]


@pytest.mark.parametrize("end", ENDS)
def test_a_bad_step_ends_alone(site, end):
    options, body, code = ENDS[end]
    write_bad(site, options, body)
    site.edit("steps/after.sql", AFTER)
    site.edit("steps/beside.sql", BESIDE)
    ended = site.run(2)
    assert (ended.code, ended.error) == (1, code), ended
    assert left(site) == [] or not options
    steps = {step["step"]: step for step in ended.document["steps"]}
    assert steps["bad"]["failure"]["code"] == code
    assert steps["bad"]["failure"]["where"].startswith("steps/bad.py")
    assert steps["after"]["status"] == "blocked"
    assert {steps[name]["status"] for name in ("seed", "totals", "beside", "clean")} == {"done"}
    assert site.look() == expect([1])
    assert_settled(site)
    (failed,) = (each for each in site.records().values() if each["status"] == "failed")
    assert "bad" in failed["error"]

    site.edit("steps/bad.py", BAD.format(options="", body="    pass"))
    ended = site.run(2)
    assert ended.code == 0, ended
    steps = {step["step"]: step["status"] for step in ended.document["steps"]}
    reused = {"seed", "totals", "log", "latest", "clean", "beside"}
    assert {name for name, status in steps.items() if status == "reused"} == reused
    assert {name for name, status in steps.items() if status == "done"} == {"bad", "after"}
    assert_settled(site)


HALF = """
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from segue import step

TRIED = Path(__file__).parent.parent / "tried"


@step({options})
def half(seed: list[dict]) -> Iterator[pa.RecordBatch]:
    for part in range(5):
        yield pa.record_batch({{"n": list(range(part * 300_000, (part + 1) * 300_000))}})
        if part == 3 and not TRIED.exists():
            TRIED.touch()
            {end}
"""


@pytest.mark.parametrize("mode", ["replace", "append"])
@pytest.mark.parametrize("end", ["raise OSError('cut')", "__import__('os')._exit(1)"])
def test_a_retry_after_half_a_result_doubles_nothing(site, mode, end):
    isolated = ", timeout=60" if "exit" in end else ""
    options = f"mode='{mode}', retries=2, backoff=0{isolated}"
    site.edit("steps/half.py", HALF.format(options=options, end=end))
    ended = site.run(2)
    assert ended.code == 0, ended
    (half,) = (step for step in ended.document["steps"] if step["step"] == "half")
    assert (half["attempts"], half["rows"]) == (2, 1_500_000)
    query = "select count(*) as n, count(distinct n) as m from half"
    assert '"n": 1500000, "m": 1500000' in " ".join(site.ask("query", query, "--json").out.split())
    held = {name for name in site.files() if name.startswith("half/")}
    record = site.records()[ended.document["run_id"]]
    (version,) = (each["output"] for each in record["steps"] if each["step"] == "half")
    assert held == {f"half/{file['path']}" for file in version["files"]}
    assert_settled(site)


@pytest.mark.parametrize("point", ["stage.written", "judge.after", "publish.intent.before"])
def test_a_failure_between_steps_doubles_nothing(site, point):
    ended = site.run(2, f"{point}=raise@1")
    assert (ended.code, ended.error) == (1, "storage"), ended
    assert site.look() == expect([1])
    assert site.run(2).code == 0
    assert_settled(site)
