"""Worker processes of the tests' own."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress

from segue.agent.heartbeat import read_report
from tests.fleet.waiting import wait_for

SECONDS = 120


def start_worker(home, slot, *options, failpoint=""):
    """Start a worker."""
    asked = [sys.executable, "-m", "segue.agent.worker", "--home", str(home), "--slot", str(slot)]
    environ = {**os.environ, "SEGUE_FAILPOINT": failpoint}
    return subprocess.Popen(
        [*asked, *options], env=environ, stdin=subprocess.DEVNULL, start_new_session=True
    )


def run_worker(home, slot, *options, failpoint=""):
    """Run a worker to its end, and return its exit code."""
    process = start_worker(home, slot, "--once", *options, failpoint=failpoint)
    try:
        return process.wait(SECONDS)
    finally:
        end(process)


def end(process):
    """End a worker at once, with what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(SECONDS)


@contextmanager
def worker(home, slot, *options, failpoint=""):
    """Run a worker beside the test; it is ready."""
    process = start_worker(home, slot, *options, failpoint=failpoint)
    try:
        wait_for(lambda: (found := report(home, process)) is not None and found.ready)
        yield process
    finally:
        end(process)


def report(home, process):
    """Return what a worker says of itself."""
    return read_report(home, process.pid)
