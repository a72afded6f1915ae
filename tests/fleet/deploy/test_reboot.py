"""A machine that starts again while its hub is down, with a deployment on its disk."""

import json
import signal
import time

import pytest

from tests.fleet.waiting import wait_for

pytestmark = pytest.mark.timeout(300)


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
    began = time.monotonic()
    plant.start_node("n1")
    status = plant.nodes / "n1" / "status.json"
    wait_for(lambda: json.loads(status.read_text())["status"]["unsent"] == 50, 100)
    assert time.monotonic() - began < 40  # less than ten seconds on a machine that is idle
    plant.start_hub()
    query = "select count(*) as rows, count(distinct n) as once from clean"
    wait_for(lambda: "50" in plant.call("query", query, "--json"), 100)
    [found] = map(json.loads, plant.call("query", query, "--json").splitlines())
    assert found == {"rows": 50, "once": 50}
