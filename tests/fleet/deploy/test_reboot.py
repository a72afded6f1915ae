"""A machine that starts again while its hub is down, with a deployment on its disk."""

import json
import os
import signal
import time

import psutil
import pytest

from tests.fleet.waiting import wait_for

pytestmark = pytest.mark.timeout(300)


def made(report):
    """Return how many rows a worker has brought into its spool since it began."""
    return json.loads(report.read_text())["rows"].get("clean", 0)


def used(pid):
    """Return the seconds of processors that a process and its children have had."""
    agent = psutil.Process(pid)
    family = [agent, *agent.children(recursive=True)]
    return sum(sum(each.cpu_times()[:4]) for each in family)


def test_a_node_that_starts_without_its_hub_collects_from_its_disk(plant):
    plant.start_hub()
    plant.call("deploy", "init")
    plant.enrol("n1")
    plant.start_node("n1")
    plant.ask("deploy", "--probation", "1s")
    wait_for(lambda: plant.applied()["n1"] == 1, 100)
    plant.stop("n1", signal.SIGKILL)
    plant.stop("hub", signal.SIGKILL)
    plant.write(50)
    report = plant.nodes / "n1" / "worker.json"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    plant.start_node("n1")
    wait_for(lambda: report.exists() and made(report) == 50, 100)
    # Seconds of the clock are those of whatever else the machine does: what counts is that the
    # agent waits for nothing, and that its work is done in far less than ten seconds.
    cpu, wall = used(plant.processes["n1"].pid), time.monotonic() - began
    assert cpu < 6
    assert wall < 10 * max(1.0, os.getloadavg()[0] / os.cpu_count())
    plant.start_hub()
    query = "select count(*) as rows, count(distinct n) as once from clean"
    wait_for(lambda: "50" in plant.call("query", query, "--json"), 100)
    [found] = map(json.loads, plant.call("query", query, "--json").splitlines())
    assert found == {"rows": 50, "once": 50}
