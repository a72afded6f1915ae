"""The soak, for some seconds: whatever is drawn, every line is in exactly one place."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("seed", [2])
def test_a_short_soak_loses_and_doubles_nothing(seed):
    command = [sys.executable, "-m", "tests.fleet.soak", "--minutes", "0.4", "--nodes", "3"]
    done = subprocess.run(
        [*command, "--seed", str(seed)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "doubled 0, missing 0" in done.stdout
