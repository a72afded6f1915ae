"""Drains a spool into destinations until all is there: a process that can be killed."""

import json
import sys
import time
from pathlib import Path

from segue.agent.destinations.deliveries import Deliveries
from segue.agent.destinations.parcels import Origin
from segue.spec.edge import DestinationSpec
from tests.fleet.destinations.spools import is_drained, open_spool


def drain(path, specs, seconds=180.0):
    """Deliver until nothing is left; return the status of each destination."""
    origin = Origin("node-1", {"role": "shop"})
    deliveries = Deliveries(
        lambda: open_spool(Path(path)), Path(path).parent / "destinations", origin
    )
    deliveries.start(specs)
    try:
        wait_drained(path, [spec.name for spec in specs], seconds, deliveries)
        return deliveries.status()
    finally:
        deliveries.close()


def wait_drained(path, names, seconds=180.0, deliveries=None):
    deadline = time.monotonic() + seconds
    while not is_drained(Path(path), names):
        _wait(deadline, deliveries)
    while deliveries and any(each["unsent"] for each in deliveries.status()):
        _wait(deadline, deliveries)  # what is acknowledged is counted a moment later


def _wait(deadline, deliveries):
    if time.monotonic() > deadline:
        raise TimeoutError(f"not drained: {deliveries and deliveries.status()}")
    time.sleep(0.02)


if __name__ == "__main__":
    told = json.loads(sys.argv[2])
    drain(sys.argv[1], [DestinationSpec(**each) for each in told])
