"""What processes use, told by the system's files and without them."""

import os
import subprocess
import sys

import pytest

from segue.agent import processes
from segue.agent.processes import Use, find_descendants, measure_process


@pytest.fixture(params=["/proc", "/nowhere"])
def told(request, monkeypatch):
    monkeypatch.setattr(processes, "_PROC", processes.Path(request.param))


@pytest.fixture
def child():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as found:
        yield found
        found.kill()


@pytest.mark.usefixtures("told")
def test_a_process_is_measured(child):
    found = measure_process(os.getpid())
    assert found.pids == (os.getpid(),)
    assert found.memory > 10_000_000
    assert found.cpu == pytest.approx(sum(os.times()[:4]), abs=1.0)
    assert child.pid in find_descendants(os.getpid())


@pytest.mark.usefixtures("told")
def test_a_process_that_has_ended_uses_nothing(child):
    child.kill()
    child.wait()
    assert measure_process(child.pid) == Use()
