"""A worker that hangs, dies, leaks or spins is dealt with; the supervisor goes on."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from segue.agent.status import read_status
from segue.testing.processes import running, wait_until
from segue.wire.messages import DesiredState


def starts(home):
    try:
        return [line.split() for line in (home / "starts").read_text().splitlines()]
    except FileNotFoundError:
        return []


def status(home):
    return json.loads((home / "status.json").read_text())["status"]


def is_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_worker_that_hangs_is_killed_with_its_children(bench):
    home, slot = bench.enrol(), bench.make_slot(rows=30, how="hang", after=0, child=True)
    with running(bench.start(home, slot, once=False, worker_patience=1.0)):
        wait_until(lambda: starts(home), "the first worker")
        first = int(starts(home)[0][0])
        wait_until(lambda: psutil.Process(first).children(), "its child")
        child = psutil.Process(first).children()[0].pid
        wait_until(lambda: len(starts(home)) > 1, "the second worker")
        assert is_gone(first)
        wait_until(lambda: is_gone(child), "the child to end")
        wait_until(lambda: "gave no sign" in status(home)["error"], "the status to say why")


def test_a_worker_that_leaks_is_killed_at_its_limit(bench):
    home = bench.enrol()
    slot = bench.make_slot(rows=30, how="leak", leak=300 * 2**20, after=0, memory=100 * 2**20)
    with running(bench.start(home, slot, once=False)):
        wait_until(lambda: len(starts(home)) > 1, "the second worker")
        wait_until(lambda: "bytes of memory" in status(home)["error"], "the status to say why")


def test_a_worker_that_dies_again_and_again_is_started_less_and_less_often(bench):
    home, slot = bench.enrol(), bench.make_slot(rows=1, how="die", after=0)
    with running(bench.start(home, slot, once=False)):
        wait_until(lambda: len(starts(home)) >= 4, "four workers")
        wait_until(lambda: status(home)["restarts"] >= 3, "the status")
        assert "ended with code 3" in status(home)["error"]


def test_a_worker_keeps_to_its_share_of_a_core(bench):
    home = bench.enrol()
    slot = bench.make_slot(rows=10**9, batch=1, how="spin", after=1, cpu=0.2)
    with running(bench.start(home, slot)):
        wait_until(lambda: starts(home), "the worker")
        worker = psutil.Process(int(starts(home)[0][0]))
        begun = wait_until(lambda: used(worker) > 0.5 and measured(worker), "it to work")
        wait_until(lambda: measured(worker)[0] - begun[0] > 5, "five seconds to pass")
        wall, cpu = (now - then for now, then in zip(measured(worker), begun, strict=True))
        assert cpu / wall < 0.35


def used(process):
    return sum(process.cpu_times()[:2])


def measured(process):
    return time.monotonic(), used(process)


def test_a_worker_gives_way(bench):
    """Its session of its own weighed as much as all else: being nice counted for nothing."""
    home, slot = bench.enrol(), bench.make_slot(rows=10**6, batch=1, pause=0.01)
    with running(bench.start(home, slot)):
        wait_until(lambda: starts(home), "the worker")
        worker = psutil.Process(int(starts(home)[0][0]))
        assert worker.nice() == 5
        group = Path(f"/proc/{worker.pid}/autogroup")
        told = group.read_text() if group.exists() else ""
        assert not told.startswith("/autogroup") or told.strip().endswith("nice 5")


def test_a_supervisor_that_is_killed_takes_its_worker_along(bench):
    home, slot = bench.enrol(), bench.make_slot(rows=10**6, batch=1, pause=0.01)
    with running(bench.start(home, slot)) as agent:
        wait_until(lambda: starts(home), "the worker")
        worker = int(starts(home)[0][0])
        agent.kill()
        wait_until(lambda: is_gone(worker), "the worker to end")


def test_an_agent_that_is_asked_to_end_ends_with_its_worker(bench):
    home, slot = bench.enrol(), bench.make_slot(rows=10**6, batch=1, pause=0.01)
    with running(bench.start(home, slot, once=False)) as agent:
        wait_until(lambda: starts(home), "the worker")
        wait_until(lambda: read_status(home)["worker"], "its status")
        agent.send(signal.SIGTERM)
        assert agent.wait(15).code == 0
    assert is_gone(int(starts(home)[0][0]))
    assert read_status(home)["worker"] == 0


def test_two_agents_do_not_share_a_home(bench):
    home, slot = bench.enrol(), bench.make_slot(rows=0)
    with running(bench.start(home, slot, once=False)):
        wait_until((home / "status.json").exists, "the first agent")
        with running(bench.start(home, slot)) as second:
            ended = second.wait()
        assert ended.code == 1
        assert "an agent runs in" in ended.err


def test_the_hub_hears_how_the_node_is(bench):
    home, slot = bench.enrol(), bench.make_slot(rows=50)
    with running(bench.start(home, slot, once=False)):
        wait_until(lambda: [told for _, told in bench.hub.statuses if told.healthy], "a status")
    node, told = bench.hub.statuses[-1]
    assert (node, told.clock_quality, told.error) == ("till-7", "ok", "")
    assert told.memory > 10 * 2**20


def test_a_node_without_a_deployment_waits_for_one(bench):
    home = bench.enrol()
    with running(bench.start(home, None, once=False, poll=0.5)):
        wait_until(
            lambda: len([1 for _, path in bench.hub.requests if "desired" in path]) > 2, "polls"
        )
        bench.hub.desire(DesiredState(revision="r1", generation=3, target="nothing"))
        # Nobody has signed it: it is refused, said, and the agent goes on.
        wait_until(lambda: [told for _, told in bench.hub.statuses if told.failed == 3], "refusal")
    assert starts(home) == []


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux")
def test_an_idle_supervisor_is_small(bench):
    home, slot = bench.enrol(), bench.make_slot(rows=1)
    command = [sys.executable, "-m", "segue", "agent", "run", "--home", home, "--slot", slot]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as agent:
        try:
            wait_until(
                lambda: (home / "status.json").exists() and read_status(home)["running"], "it"
            )
            process = psutil.Process(agent.pid)
            assert process.memory_full_info().uss < 32 * 2**20
        finally:
            agent.terminate()
