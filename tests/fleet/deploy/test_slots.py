"""A node and its deployments: real processes check, fetch and unpack; a hub that is a folder."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from segue.agent.deployments import Deployments
from segue.agent.fill_process import run_fill
from segue.agent.identity import IDENTITY
from segue.agent.order import Order
from segue.agent.slots import STATE, read_slots
from segue.errors import BundleError, DeploymentError, HubError
from segue.wire.bundle import EDGE, LOCK, digest_file
from segue.wire.messages import DesiredState, Status
from tests.deploying import CONTENT, EDGE_PART, World, desire, enrol
from tests.fleet.waiting import wait_for

SHORT = {"kind": "immediate", "probation": 60}


class Ticks:
    """A clock that rises when it is told to."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "world")


@pytest.fixture
def home(tmp_path, world):
    return enrol(tmp_path / "home", world, role="shop")


@pytest.fixture
def ticks():
    return Ticks()


def run_for(node, ticks, seconds, *, error="", up=True, **status):
    """Let a node look at itself every five seconds; return whether it went back."""
    back = False
    for _ in range(0, seconds + 5, 5):
        back |= node.judge(Status(applied=node.generation, **status), error, up=up)
        ticks.seconds += 5
    return back


def test_a_check_that_is_killed_while_it_is_answered_is_told(tmp_path):
    def fetch(path, into, most):
        children = psutil.Process().children()
        [child] = [each for each in children if "segue.agent.fill" in each.cmdline()]
        child.kill()
        wait_for(lambda: child.status() == psutil.STATUS_ZOMBIE)
        into.write_bytes(b"{}")

    order = Order(str(tmp_path), "n1", "shop", generation=1, target=f"bundle-{'ab' * 32}.zip")
    with pytest.raises(DeploymentError, match="ended with code -9"):
        run_fill(order, fetch)


def content(node):
    return (node.current() / CONTENT).read_bytes()


def folders(home):
    return sorted(path.name for path in (home / "slots").iterdir() if path.is_dir())


def test_a_deployment_runs_proves_itself_and_is_kept(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    assert (node.current(), node.generation) == (None, 0)

    assert node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    assert content(node) == b"one"
    assert not node.healthy
    assert not run_for(node, ticks, 60)

    assert node.healthy
    assert read_slots(home).last_good == 1
    assert not node.apply(DesiredState("r", 1, world.path.name))


def test_a_node_starts_from_what_it_has_without_a_hub(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one")))

    def unreachable(path, into, most):
        raise HubError("no network")

    again = Deployments(home, unreachable, ticks)
    assert content(again) == b"one"
    with pytest.raises(HubError, match="no network"):
        again.apply(desire(world.deploy(b"two")))
    assert content(again) == b"one"


@pytest.mark.parametrize(
    "bad",
    [
        {"batches": 100, "errors": 50, "error": "half the rows fail"},
        {"rows": {"clean": 100}, "rejects": {"clean__rejects": 100}, "error": "half are rejects"},
        {"restarts": 3, "up": False, "error": "SyntaxError: steps/clean.py:3"},
    ],
    ids=["errors", "rejects", "restarts"],
)
def test_a_bad_deployment_rolls_back_by_itself_and_is_not_tried_again(world, home, ticks, bad):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"good", rollout=SHORT)))
    run_for(node, ticks, 60)
    second = desire(world.deploy(b"bad", rollout=SHORT))
    node.apply(second)

    assert run_for(node, ticks, 60, **bad)

    assert content(node) == b"good"
    told = node.fill_status(Status(), 2)
    assert (told.desired, told.applied, told.failed, told.healthy) == (2, 1, 2, True)
    assert bad["error"] in told.error
    assert not node.apply(second)
    assert not Deployments(home, world.fetch, ticks).apply(second)
    assert folders(home) == ["1"]
    assert node.fill_status(Status(), 1).failed == 2  # still told when the hub has turned back

    third = world.deploy(b"good", rollout=SHORT, again=1)
    assert node.apply(desire(third))
    assert node.generation == 3


def test_the_first_deployment_of_a_node_fails_and_nothing_runs(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"bad", rollout=SHORT)))
    assert run_for(node, ticks, 60, restarts=3)
    assert node.current() is None
    assert node.fill_status(Status(), 1).failed == 1


def test_one_that_dies_every_two_minutes_never_proves_itself(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"good", rollout=SHORT)))
    run_for(node, ticks, 60)
    node.apply(desire(world.deploy(b"bad")))  # three minutes, if not stated

    assert not run_for(node, ticks, 120)
    assert not run_for(node, ticks, 120, restarts=1)
    assert not node.healthy
    assert not run_for(node, ticks, 120, restarts=2)
    assert run_for(node, ticks, 5, restarts=3)
    assert content(node) == b"good"


def test_one_that_turns_bad_after_two_minutes_goes_back(world, home, ticks):
    """Of all batches so far only few fail, of those of late all."""
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"bad")))
    for batches in range(0, 2400, 100):
        ticks.seconds += 5
        assert not node.judge(Status(applied=1, batches=batches), up=True)
    back = False
    for errors in range(0, 400, 100):
        ticks.seconds += 10
        status = Status(applied=1, batches=2400 + errors, errors=errors)
        back |= node.judge(status, "ValueError", up=True)
    assert back


def test_what_was_proven_is_not_forgotten_by_a_restart_of_the_agent(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    run_for(node, ticks, 40)

    again = Deployments(home, world.fetch, ticks)
    run_for(again, ticks, 25)

    assert again.healthy


def test_a_machine_that_slept_has_proven_nothing(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    run_for(node, ticks, 0)
    ticks.seconds += 3600
    run_for(node, ticks, 0)
    assert not node.healthy


def test_one_that_takes_the_agent_down_is_given_up(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"good", rollout=SHORT)))
    run_for(node, ticks, 60)
    node.apply(desire(world.deploy(b"bad", rollout=SHORT)))

    for _ in range(12):
        node = Deployments(home, world.fetch, ticks)

    assert content(node) == b"good"
    assert "ended" in node.fill_status(Status(), 2).error


def test_a_node_that_was_away_jumps_to_the_newest(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    for number in range(2, 6):
        last = world.deploy(b"%d" % number, rollout=SHORT)
    node.apply(desire(last))
    assert (content(node), node.generation) == (b"5", 5)


def test_a_newer_one_takes_the_place_of_a_candidate(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    run_for(node, ticks, 60)
    node.apply(desire(world.deploy(b"two", rollout=SHORT)))
    run_for(node, ticks, 30)
    node.apply(desire(world.deploy(b"three", rollout=SHORT)))

    assert folders(home) == ["1", "3"]
    assert read_slots(home).proven == 0
    assert run_for(node, ticks, 60, restarts=3)
    assert content(node) == b"one"


def test_an_older_number_is_refused(world, home, ticks):
    first = world.deploy(b"one", rollout=SHORT)
    second = world.deploy(b"two", rollout=SHORT)
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(second))
    assert not node.apply(desire(first))

    run_for(node, ticks, 60, restarts=3)
    assert node.current() is None
    with pytest.raises(DeploymentError, match="older than 2"):
        node.apply(desire(first))


def check_refused(node, desired, match, error=DeploymentError):
    before = node.current()
    with pytest.raises(error, match=match):
        node.apply(desired)
    assert node.current() == before
    told = node.fill_status(Status(), desired.generation)
    assert told.failed == desired.generation
    assert told.error


def test_what_is_signed_for_others_is_refused(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))

    check_refused(node, desire(world.deploy(selector="role=van")), "for role=van")
    check_refused(node, desire(world.deploy(selector="node=n2")), "for node=n2")
    check_refused(node, desire(world.deploy(selector="!role")), "for !role")


def test_another_project_is_refused(world, home, ticks):
    document = json.loads((home / IDENTITY).read_text())
    (home / IDENTITY).write_text(json.dumps({**document, "project": "other"}))
    check_refused(Deployments(home, world.fetch, ticks), desire(world.deploy()), "of project")


def test_another_fleet_is_refused(world, tmp_path, ticks):
    home = enrol(tmp_path / "other", world, fleet="vans")
    check_refused(Deployments(home, world.fetch, ticks), desire(world.deploy()), "for fleet")


def test_what_the_hub_makes_up_is_refused(world, home, ticks):
    first = world.deploy(b"one", rollout=SHORT)
    second = world.deploy(b"two", rollout=SHORT)
    node = Deployments(home, world.fetch, ticks)
    made_up = replace(desire(first), generation=99)
    check_refused(node, made_up, "nobody has signed")
    check_refused(node, replace(desire(first), target=second.target), "another bundle")
    check_refused(node, replace(desire(second), target="../../x"), "not the name", BundleError)


def test_expired_signatures_change_nothing_that_runs(world, home, ticks):
    from datetime import UTC, datetime, timedelta

    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    long_ago = datetime.now(UTC) - timedelta(days=200)
    check_refused(node, desire(world.deploy(b"two", now=long_ago)), "expired")
    assert content(Deployments(home, world.fetch, ticks)) == b"one"


def test_a_refused_one_is_looked_at_again_later_and_not_at_once(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    deployed = world.deploy(b"one")
    held = world.path.read_bytes()
    world.path.write_bytes(held + b"x")
    check_refused(node, desire(deployed), "differs")
    world.path.write_bytes(held)

    with pytest.raises(DeploymentError, match="differs"):
        node.apply(desire(deployed))
    assert node.fill_status(Status(), 0).failed == 1
    ticks.seconds += 31
    # a hub offers nothing to a node that has failed it: it must hear that it may again
    assert node.fill_status(Status(), 0).failed == 0
    assert node.apply(desire(deployed))
    assert node.fill_status(Status(), 1).failed == 0


def test_a_candidate_goes_back_while_the_next_is_on_its_way(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    run_for(node, ticks, 60)
    node.apply(desire(world.deploy(b"two", rollout=SHORT)))

    def fetch(path, into, most):
        if path.startswith("targets/"):
            assert run_for(node, ticks, 60, restarts=3)
            assert content(node) == b"one"
        world.fetch(path, into, most)

    node._fetch = fetch
    assert node.apply(desire(world.deploy(b"three", rollout=SHORT)))
    assert content(node) == b"three"
    assert folders(home) == ["1", "3"]


def test_a_lock_file_that_was_not_signed_is_refused(world, home, ticks):
    deployed = world.deploy(files={LOCK: b"# nothing\n"})
    check_refused(Deployments(home, world.fetch, ticks), desire(deployed), "lock", BundleError)


def test_a_bundle_of_another_fleet_is_refused(world, home, ticks, monkeypatch):
    deployed = world.deploy(fleet="vans")
    check_refused(Deployments(home, world.fetch, ticks), desire(deployed), "of shop", BundleError)


def test_a_part_that_this_release_does_not_know_is_refused(world, home, ticks):
    newer = EDGE_PART.replace(b'"format":1', b'"format":2')
    assert newer != EDGE_PART
    deployed = world.deploy(files={EDGE: newer})
    check_refused(Deployments(home, world.fetch, ticks), desire(deployed), "format 2", BundleError)


def test_what_the_worker_before_did_is_not_told_of_the_new_one(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    run_for(node, ticks, 60)
    node.apply(desire(world.deploy(b"two", rollout=SHORT)))
    before = Status(applied=1, batches=9, errors=9, restarts=9, rows={"a": 1}, rejects={"a": 9})

    assert not node.judge(before, "old", up=True)
    told = node.fill_status(before, 2)
    assert (told.applied, told.errors, told.restarts, told.rejects) == (2, 0, 0, {})


def test_a_lost_folder_is_fetched_again(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    deployed = world.deploy(b"one", rollout=SHORT)
    node.apply(desire(deployed))
    run_for(node, ticks, 60)
    shutil.rmtree(node.current())

    again = Deployments(home, world.fetch, ticks)
    assert again.current() is None
    assert again.apply(desire(deployed))
    assert content(again) == b"one"


@pytest.mark.parametrize("damage", [b"", b"{", b"\0" * 100, b"[]", b'{"current": 1'])
def test_a_damaged_state_does_not_stop_the_node(world, home, ticks, damage):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    (home / STATE).write_bytes(damage)

    again = Deployments(home, world.fetch, ticks)

    assert content(again) == b"one"
    assert again.apply(desire(world.deploy(b"two", rollout=SHORT)))


SCRIPT = """
import sys
from pathlib import Path
from segue.agent.deployments import Deployments
from segue.wire.messages import DesiredState
from segue.wire.trust_folder import fetch_from_folders
home, hub, generation, target = sys.argv[1:]
node = Deployments(Path(home), fetch_from_folders(Path(hub)))
node.apply(DesiredState("r", int(generation), target))
"""

POINTS = [
    "deploy.fetched",
    "deploy.unpacked",
    "deploy.switch.before",
    "deploy.switch.after",
    "deploy.clean",
]


@pytest.mark.parametrize("point", POINTS)
def test_a_node_that_is_killed_at_any_point_goes_on(world, home, ticks, point):
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    run_for(node, ticks, 60)
    second = world.deploy(b"two", rollout=SHORT)
    (home / "slots" / "77").mkdir()  # something to clean up

    command = [sys.executable, "-c", SCRIPT, home, world.hub, "2", second.target]
    environ = {**os.environ, "SEGUE_FAILPOINT": f"{point}=kill"}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    in_child = point in POINTS[:2]
    assert ended.returncode == (1 if in_child else -signal.SIGKILL), ended.stderr
    assert not in_child or "ended with code -9" in ended.stderr

    again = Deployments(home, world.fetch, ticks)
    assert content(again) in (b"one", b"two")
    again.apply(desire(second))
    assert content(again) == b"two"
    assert folders(home) == ["1", "2"]
    assert not list((home / "slots").glob(".*"))


def test_a_node_that_dies_while_it_falls_back_falls_back(world, home, ticks):
    """At each of the writes of the state, before and after."""
    node = Deployments(home, world.fetch, ticks)
    node.apply(desire(world.deploy(b"one", rollout=SHORT)))
    run_for(node, ticks, 60)
    node.apply(desire(world.deploy(b"two", rollout=SHORT)))
    saved = home.with_name("saved")
    shutil.copytree(home, saved, symlinks=True)
    script = SCRIPT.replace(
        'node.apply(DesiredState("r", int(generation), target))',
        "from segue.wire.messages import Status\nnode.judge(Status(applied=2, restarts=3), 'x')",
    )
    for point in ("deploy.switch.before=kill@2", "deploy.switch.after=kill@2", "deploy.clean=kill"):
        shutil.rmtree(home)
        shutil.copytree(saved, home, symlinks=True)
        command = [sys.executable, "-c", script, home, world.hub, "2", "x"]
        environ = {**os.environ, "SEGUE_FAILPOINT": point}
        ended = subprocess.run(command, env=environ, capture_output=True, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        again = Deployments(home, world.fetch, ticks)
        back = again.judge(Status(applied=2, restarts=3), "x")
        assert back == ("before" in point)
        assert content(again) == b"one"
        assert folders(home) == ["1"]


def test_what_is_removed_is_bounded(world, home, ticks):
    node = Deployments(home, world.fetch, ticks)
    for number in range(5):
        node.apply(desire(world.deploy(b"%d" % number, rollout=SHORT)))
        run_for(node, ticks, 60)
    assert folders(home) == ["5"]


def test_the_supervisor_loads_no_heavy_library():
    heavy = ["tuf", "cryptography", "urllib3", "pyarrow", "pydantic", "sqlalchemy", "duckdb"]
    script = (
        "import sys, segue.agent.slots, segue.agent.probation, segue.agent.fill\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_packages_are_digested_with_the_deployment(world, home, ticks):
    lock = b"pyarrow==0.0.1 --hash=sha256:" + b"0" * 64
    world.path = None
    (home / "lock").write_bytes(lock)
    deployed = world.deploy(files={LOCK: lock}, lock=digest_file(home / "lock"))
    check_refused(Deployments(home, world.fetch, ticks), desire(deployed), "lacks pyarrow==0.0.1")
    assert folders(home) == []
