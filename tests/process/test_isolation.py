"""Steps that misbehave for real: each ends alone, with all its children, in a clear error."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

from segue.errors import (
    OutputError,
    SqlError,
    StepCrashedError,
    StepError,
    StepMemoryError,
    StepTimeoutError,
)
from segue.execute.attempt import StepEngines
from segue.execute.isolate import run_isolated
from segue.execute.retry import attempt_step
from tests.unit.execute.world import World

HELPERS = """
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from segue import step

def note(pid):
    with Path({pids!r}).open("a") as file:
        file.write(f"{{pid}}\\n")

def wait_for_ever():
    while True:
        time.sleep(60)
"""

MADE = """
@step({options})
def made(shop: list[dict]) -> list[dict]:
    note(os.getpid())
"""


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    made.add(shop=pa.table({"n": [1, 2, 3]}))
    return made


def make_task(world, body, options="timeout=30"):
    """Return the task of a function that first notes its process id, then does `body`."""
    python = MADE.format(options=options) + textwrap.indent(textwrap.dedent(body), "    ")
    head = HELPERS.format(pids=str(world.root / "pids"))
    return world.task(world.declare(python, head), "made")


def pids(world):
    return [int(line) for line in (world.root / "pids").read_text().split()]


def left(world):
    """Return noted processes that still run, waiting a moment for those that just end."""
    found = []
    for pid in pids(world):
        try:
            process = psutil.Process(pid)
            process.wait(5)
        except psutil.NoSuchProcess:
            continue
        except psutil.TimeoutExpired:
            found.append(process)
    return found


def test_result_comes_back_with_the_most_memory_used(world):
    task = make_task(world, "return [{'two': 2 * row['n']} for row in shop]")
    result = run_isolated(task, world.lake)
    with world.open() as session:
        assert world.read(session, result.staged)["two"].to_pylist() == [2, 4, 6]
    assert result.input_rows == {"shop": 3}
    assert result.peak_memory > 10_000_000
    assert pids(world) != [os.getpid()]


def test_sql_runs_in_a_process_too(world):
    project = world.declare(
        made="-- segue: {timeout: 30, memory: 1GB}\nselect sum(n) as n from shop"
    )
    result = run_isolated(world.task(project, "made"), world.lake)
    with world.open() as session:
        assert world.read(session, result.staged).to_pylist() == [{"n": 6}]
    project = world.declare(made="-- segue: {timeout: 30}\nselect\n  nope\nfrom shop")
    with pytest.raises(SqlError, match="nope") as raised:
        run_isolated(world.task(project, "made"), world.lake)
    assert str(raised.value.location) == "steps/made.sql:3"


def test_errors_come_back_whole(world):
    task = make_task(world, "raise ValueError('odd')")
    with pytest.raises(StepError, match="step 'made' raised ValueError: odd") as raised:
        run_isolated(task, world.lake)
    assert type(raised.value) is StepError
    assert raised.value.location.path == "steps/functions.py"
    assert "raise ValueError('odd')" in raised.value.trace
    assert raised.value.sample == "  n\n  1\n  2\n  3"
    with pytest.raises(OutputError, match="it returned None"):
        run_isolated(make_task(world, "return None"), world.lake)


def test_output_is_passed_on(world, capsys):
    run_isolated(
        make_task(world, "print('hello'); print('there', file=sys.stderr); return shop"), world.lake
    )
    assert sorted(capsys.readouterr().err.splitlines()) == ["hello", "there"]


HANGS = {
    "sleeps": "wait_for_ever()",
    "blocks in C": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "holds the GIL": "ctypes.PyDLL(None).sleep(60)",
    "ignores SIGTERM": """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        wait_for_ever()
        """,
    "forks": """
        if not os.fork():
            note(os.getpid())
        wait_for_ever()
        """,
    "forks into a session of its own": """
        if not os.fork():
            os.setsid()
            note(os.getpid())
        wait_for_ever()
        """,
    "forks twice": """
        if not os.fork():
            os.setsid()
            if not os.fork():
                note(os.getpid())
                wait_for_ever()
            os._exit(0)
        wait_for_ever()
        """,
    "starts programs": """
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        note(child.pid)
        child.wait()
        """,
}


@pytest.mark.parametrize("body", HANGS.values(), ids=HANGS)
def test_step_that_hangs_is_ended_with_all_that_it_started(world, body):
    task = make_task(world, body, "timeout=2")
    began = time.monotonic()
    with pytest.raises(StepTimeoutError, match=r"step 'made' ran longer than its timeout of 2 s"):
        run_isolated(task, world.lake)
    assert time.monotonic() - began < 20
    assert pids(world)
    assert left(world) == []


CRASHES = {
    "segfault": ("ctypes.string_at(0)", r"was ended by SIGSEGV"),
    "kill": ("os.kill(os.getpid(), signal.SIGKILL)", r"was ended by SIGKILL .* want of memory"),
    "abort": ("os.abort()", r"was ended by SIGABRT"),
    "exit 0": ("os._exit(0)", r"ended itself with exit code 0"),
    "exit 3": ("os._exit(3)", r"ended itself with exit code 3"),
}


@pytest.mark.parametrize(("body", "message"), CRASHES.values(), ids=CRASHES)
def test_step_that_crashes_is_told_apart(world, body, message):
    with pytest.raises(StepCrashedError, match=message):
        run_isolated(make_task(world, body), world.lake)


def test_crash_shows_what_the_process_said_last(world):
    task = make_task(world, "print('nearly there', flush=True)\nctypes.string_at(0)")
    with pytest.raises(StepCrashedError) as raised:
        run_isolated(task, world.lake)
    assert "nearly there" in raised.value.trace
    assert "functions.py" in raised.value.trace


@pytest.mark.parametrize("end", ["return shop", "ctypes.string_at(0)", "raise ValueError"])
def test_nothing_stays_behind_when_a_step_ends(world, end):
    body = f"""
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        child.returncode = 0
        note(child.pid)
        {end}
        """
    task = make_task(world, body)
    if end == "return shop":
        run_isolated(task, world.lake)
    else:
        with pytest.raises(StepError):
            run_isolated(task, world.lake)
    assert len(pids(world)) == 2
    assert left(world) == []


def test_step_that_leaks_is_ended(world):
    body = """
        kept = []
        while True:
            kept.append(bytearray(10_000_000))
            time.sleep(0.005)
        """
    with pytest.raises(StepMemoryError, match=r"more than its limit of 400 MB") as raised:
        run_isolated(make_task(world, body, "memory='400MB', timeout=30"), world.lake)
    assert "memory" in raised.value.hint
    assert left(world) == []


def test_memory_of_children_counts(world):
    body = """
        if not os.fork():
            note(os.getpid())
            kept = b"x" * 500_000_000
            wait_for_ever()
        wait_for_ever()
        """
    with pytest.raises(StepMemoryError):
        run_isolated(make_task(world, body, "memory='500MB', timeout=30"), world.lake)
    assert left(world) == []


def test_stop_ends_a_step(world):
    task, stop = make_task(world, "wait_for_ever()"), threading.Event()

    def set_once_it_runs():
        while not (world.root / "pids").exists():
            time.sleep(0.01)
        stop.set()

    thread = threading.Thread(target=set_once_it_runs)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_isolated(task, world.lake, stop=stop)
    thread.join()
    assert left(world) == []


RUNNER = """
import pickle, sys
from pathlib import Path
from segue.execute.isolate import run_isolated

task, lake = pickle.loads(Path(sys.argv[1]).read_bytes())
run_isolated(task, lake)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_step_dies_with_its_runner(world, number, tmp_path):
    import pickle

    body = """
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        note(child.pid)
        wait_for_ever()
        """
    (tmp_path / "task").write_bytes(pickle.dumps((make_task(world, body), world.lake)))
    command = [sys.executable, "-c", RUNNER, str(tmp_path / "task")]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as runner:
        while not (world.root / "pids").exists() or len(pids(world)) < 2:
            time.sleep(0.01)
        runner.send_signal(number)
        runner.wait(10)
    assert left(world) == []
    deadline = time.monotonic() + 5
    while (kept := list(tmp_path.glob("segue-step-*"))) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert kept == []


def test_retry_after_a_crash_leaves_one_result(world):
    body = f"""
        tries = Path({str(world.root / "tries")!r})
        tries.write_text((tries.read_text() if tries.exists() else "") + "x")
        if len(tries.read_text()) < 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return shop
        """
    task = make_task(world, body, "timeout=30, retries=2")
    waits = []
    result = attempt_step(task, StepEngines(None), world.lake, draw=lambda: 0.5, sleep=waits.append)
    assert (result.attempts, waits) == (3, [0.5, 1.0])
    files = {path.name for path in Path(task.folder).glob("*.parquet")}
    assert files == {file.path for file in result.staged.files}
