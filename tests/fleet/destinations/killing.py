"""Kills the process that drains a spool at a point, and drains the rest."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.fleet.destinations.drain import drain
from tests.fleet.destinations.spools import fill

POINTS = ["deliver.before", "deliver.written", "deliver.acknowledged"]
ROOT = Path(__file__).parents[3]


def drain_killed(path, spec, point, rounds=3):
    """Fill and drain so often, each time killed at the point; then once to the end."""
    told = json.dumps([asdict(spec)])
    for round_ in range(rounds):
        fill(path, batches=4, begin=4 * round_)
        killed = subprocess.run(
            [sys.executable, "-m", "tests.fleet.destinations.drain", path, told],
            env={**os.environ, "SEGUE_FAILPOINT": f"{point}=kill"},
            cwd=ROOT,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
    fill(path, batches=4, begin=4 * rounds)
    drain(path, [spec])
    return [*range((rounds + 1) * 20)]
