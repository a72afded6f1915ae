"""kill -9 of worker and supervisor at every failpoint of the spool, and at random moments."""

import os
import random
import time

import pytest

from segue.agent.spool import Spool
from segue.testing.faults import running, start_call
from tests.fleet.spool.spool_processes import (
    SETTINGS,
    STREAM,
    assert_oracle,
    count_rows,
    supervise,
    work,
)

SEED = int(os.environ.get("SEGUE_FAULTS_SEED", "2026"))


@pytest.fixture
def folders(tmp_path):
    home, hub = tmp_path / "home", tmp_path / "hub"
    home.mkdir()
    hub.mkdir()
    return home, hub


@pytest.mark.parametrize("pass_number", [1, 2, 9])
@pytest.mark.parametrize("point", ["agent.commit.before", "agent.commit.after"])
def test_a_worker_killed_around_its_commit(point, pass_number, folders):
    home, hub = folders
    assert start_call(work, home, 60, failpoints=f"{point}=kill@{pass_number}").wait().killed
    committed = pass_number if point.endswith("after") else pass_number - 1
    with Spool(home / "spool.db", SETTINGS) as spool:
        epoch = spool.epoch
        assert (spool.cursor("numbers") or {"at": 0}) == {"at": 2 * committed}
        assert sum(each.last for each in spool.streams("lake")) == 2 * committed
    assert start_call(work, home, 60).wait().code == 0
    assert start_call(supervise, home, hub, 60).wait().code == 0
    assert assert_oracle(hub, 60) == []
    with Spool(home / "spool.db", SETTINGS) as spool:
        assert spool.epoch == epoch, "a kill is no damage"
        assert spool.usage().alerts == ()


@pytest.mark.parametrize("pass_number", [1, 2, 5])
@pytest.mark.parametrize("point", ["agent.sent", "agent.acknowledged", "agent.delete"])
def test_a_supervisor_killed_around_its_acknowledgement(point, pass_number, folders):
    home, hub = folders
    assert start_call(work, home, 120).wait().code == 0
    killed = start_call(supervise, home, hub, 120, failpoints=f"{point}=kill@{pass_number}").wait()
    assert killed.killed
    assert 0 < count_rows(hub) < 120
    assert start_call(supervise, home, hub, 120).wait().code == 0
    assert assert_oracle(hub, 120) == []
    with Spool(home / "spool.db", SETTINGS) as spool:
        (standing,) = spool.streams("lake")
        assert (standing.stream, standing.acknowledged, standing.rows) == (STREAM, 120, 0)
        assert spool.usage().kept_bytes <= SETTINGS.keep


@pytest.mark.parametrize("seed", [SEED])
def test_worker_and_supervisor_killed_at_random(seed, folders):
    home, hub = folders
    draw, upto, kills = random.Random(seed), 6_000, 0
    worker, supervisor = start_call(work, home, upto), start_call(supervise, home, hub, upto)
    deadline = time.monotonic() + 90
    while count_rows(hub) < upto and time.monotonic() < deadline:
        time.sleep(draw.uniform(0.01, 0.15))  # the moment is the fault
        if draw.random() < 0.5:
            kills += worker.kill().killed
            worker = start_call(work, home, upto)
        else:
            kills += supervisor.kill().killed
            supervisor = start_call(supervise, home, hub, upto)
        if kills > 15:
            break
    with running(worker), running(supervisor):
        assert worker.wait().code == 0
        assert supervisor.wait().code == 0
    assert kills > 3
    assert assert_oracle(hub, upto) == []
