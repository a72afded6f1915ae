"""The shelf of a hub, and rollouts on it, with real keys and metadata."""

import errno
import fcntl
from dataclasses import replace

import pytest

from segue.errors import (
    BundleError,
    DeploymentError,
    SegueError,
    StorageError,
    UnknownNameError,
    UsageError,
)
from segue.hub.rollout_store import Shelf
from segue.hub.rollouts import Rollouts
from segue.spec.hub import Node, NodeStatus
from segue.wire.archive import write_archive
from segue.wire.messages import Status
from segue.wire.trust import Trust
from segue.wire.trust_folder import fetch_from_folders, pin_root
from tests.deploying import World


class Nodes:
    """A roster of nodes that are always there."""

    def __init__(self, count):
        self.nodes = [
            Node(f"n{i}", "shop", f"k{i}", b"", {"role": "shop"}, 0.0) for i in range(count)
        ]
        self.silent = set()
        self.told = {}

    def all(self):
        return self.nodes

    def status(self, name):
        return NodeStatus(name, 0.0, self.told.get(name, {})), name in self.silent


class Ticks:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "world")


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "shelf")


def pack(world, files, path, *, root=True):
    named = {f"trust/{name}": text for name, text in files.items()}
    if root:
        named["trust/1.root.json"] = world.root
    if world.path is not None:
        named[f"targets/{world.path.name}"] = world.path
    write_archive(path, named)
    return path


def take(shelf, upload):
    with upload.open("rb") as file:
        return shelf.accept(file)


@pytest.fixture
def upload(world, tmp_path):
    def make(content=b"{}", **options):
        _, files = world.sign(content, **options)
        world.publish(files)
        return pack(world, files, tmp_path / "upload.zip")

    return make


def test_what_is_taken_in_is_what_a_node_gets(world, shelf, upload, tmp_path):
    (new,) = take(shelf, upload(b"one"))
    assert new.generation == 1
    assert shelf.root() == world.root

    pin_root(tmp_path / "node", world.root)
    node = Trust(tmp_path / "node", fetch_from_folders(shelf.folder))
    assert node.refresh() == [new]
    node.fetch_bundle(new.target, tmp_path / "bundle")
    assert Shelf(shelf.folder).deployments() == [new]
    assert sorted(path.name for path in shelf.folder.iterdir()) == [
        "known",
        "lock",
        "targets",
        "trust",
    ]


def test_the_root_can_come_before_anything_else(world, shelf, tmp_path):
    write_archive(tmp_path / "u.zip", {"trust/1.root.json": world.root})
    assert take(shelf, tmp_path / "u.zip") == []
    assert shelf.root_digest()


def test_nothing_is_taken_before_there_is_a_root(world, shelf, tmp_path):
    _, files = world.sign()
    with pytest.raises(UsageError, match="nobody may deploy here yet"):
        take(shelf, pack(world, files, tmp_path / "u.zip", root=False))


def check_refused(shelf, upload, match, error=SegueError):
    before = {path: path.read_bytes() for path in shelf.folder.rglob("*") if path.is_file()}
    with pytest.raises(error, match=match):
        take(shelf, upload)
    after = {path: path.read_bytes() for path in shelf.folder.rglob("*") if path.is_file()}
    assert after == before


def test_two_who_deploy_at_once_are_told(world, shelf, upload, tmp_path):
    take(shelf, upload(b"one"))
    _, files = world.sign(b"two")
    first = pack(world, files, tmp_path / "first.zip")
    _, files = world.sign(b"three")
    second = pack(world, files, tmp_path / "second.zip")
    take(shelf, first)
    check_refused(shelf, second, "meanwhile", DeploymentError)


def test_what_strangers_sign_is_refused(world, shelf, upload, tmp_path):
    take(shelf, upload(b"one"))
    stranger = World(tmp_path / "stranger")
    _, files = stranger.sign(b"evil")
    check_refused(shelf, pack(stranger, files, tmp_path / "u.zip"), "another root")
    check_refused(
        shelf, pack(stranger, files, tmp_path / "u.zip", root=False), "not signed", DeploymentError
    )


def test_a_bundle_that_is_missing_or_another_is_refused(world, shelf, upload, tmp_path):
    take(shelf, upload(b"one"))
    new, files = world.sign(b"two")
    good = world.path
    world.path = None
    check_refused(shelf, pack(world, files, tmp_path / "u.zip"), "withholds")
    named = {f"trust/{name}": text for name, text in files.items()}
    write_archive(tmp_path / "v.zip", {**named, f"targets/{new.target}": b"other"})
    check_refused(shelf, tmp_path / "v.zip", "differs")
    write_archive(tmp_path / "w.zip", {**named, f"targets/{good.name}": good})
    assert [each.generation for each in take(shelf, tmp_path / "w.zip")] == [2]


@pytest.mark.parametrize(
    "name",
    ["trust/x.json", "trust/01.root.json", "targets/x.zip", "x", "known/a", "trust/a/b"],
)
def test_other_files_are_refused(world, shelf, tmp_path, name):
    write_archive(tmp_path / "u.zip", {"trust/1.root.json": world.root, name: b""})
    check_refused(shelf, tmp_path / "u.zip", "no deployment|not the name", BundleError)


@pytest.mark.parametrize("name", ["../known/root.json", "1.root.json/..", "x", "", "/etc/passwd"])
def test_only_metadata_and_bundles_are_served(world, shelf, upload, name):
    take(shelf, upload())
    with pytest.raises(UnknownNameError):
        shelf.find_metadata(name)
    with pytest.raises(UnknownNameError):
        shelf.find_bundle(name)


def test_bundles_that_nobody_needs_are_removed(world, shelf, upload):
    for number in range(8):
        take(shelf, upload(b"%d" % number))
    assert len(list((shelf.folder / "targets").iterdir())) == 5


def test_a_hub_that_died_before_it_had_noted_what_it_took_goes_on(world, shelf, upload, tmp_path):
    import shutil

    take(shelf, upload(b"one"))
    shutil.copytree(shelf.folder / "known", tmp_path / "older", symlinks=True)
    take(shelf, upload(b"two"))
    shutil.rmtree(shelf.folder / "known")
    shutil.copytree(tmp_path / "older", shelf.folder / "known", symlinks=True)

    assert [each.generation for each in Shelf(shelf.folder).deployments()] == [1, 2]


def test_who_only_looks_disturbs_nobody_who_takes_an_upload_in(world, shelf, upload):
    take(shelf, upload(b"one"))
    with shelf._hold(fcntl.LOCK_EX):
        (shelf.folder / ".upload-now").mkdir()
        assert [each.generation for each in Shelf(shelf.folder).deployments()] == [1]
        assert (shelf.folder / ".upload-now").is_dir()
    Shelf(shelf.folder)
    assert not (shelf.folder / ".upload-now").exists()


CANARY = {"kind": "canary", "part": "1", "health": "errors < 1%", "after": 60}


@pytest.fixture
def rollouts(tmp_path):
    ticks, rung = Ticks(), []
    made = Rollouts(
        tmp_path / "shelf", Nodes(4), changed=lambda: rung.append(ticks()), steady=ticks
    )
    made.ticks, made.rung = ticks, rung
    return made


def generations(rollouts):
    return [rollouts.desired(node).generation for node in rollouts._nodes.all()]


def follow(rollouts, seconds):
    for _ in range(0, seconds, 5):
        for node in rollouts._nodes.all():
            state = rollouts.desired(node)
            rollouts.note_status(node, Status(applied=state.generation, healthy=True))
        rollouts.ticks.seconds += 5
        rollouts.tick()


def test_nodes_are_woken_when_something_changes(rollouts, upload):
    assert generations(rollouts) == [0, 0, 0, 0]
    before = rollouts.desired(rollouts._nodes.nodes[0]).revision
    take(rollouts, upload(b"one"))
    assert generations(rollouts) == [1, 1, 1, 1]
    assert rollouts.rung
    assert rollouts.desired(rollouts._nodes.nodes[0]).revision != before


def test_what_was_deployed_by_way_of_another_hub_is_known(rollouts, upload):
    take(rollouts, upload(b"one"))
    other = Rollouts(rollouts.shelf.folder, rollouts._nodes, steady=rollouts.ticks)
    take(rollouts, upload(b"two"))
    rollouts.ticks.seconds += 1
    assert generations(other) == generations(rollouts) == [2, 2, 2, 2]


def test_a_canary_goes_on_where_a_hub_that_was_restarted_was(rollouts, upload):
    take(rollouts, upload(b"one"))
    follow(rollouts, 10)
    take(rollouts, upload(b"two", rollout=CANARY))
    follow(rollouts, 40)
    assert sorted(generations(rollouts)) == [1, 1, 1, 2]

    again = Rollouts(rollouts.shelf.folder, rollouts._nodes, steady=Ticks())
    again.ticks = again._steady
    assert sorted(generations(again)) == [1, 1, 1, 2]
    follow(again, 40)
    assert generations(again) == [2, 2, 2, 2]


def test_a_deployment_is_stopped_by_people_too(rollouts, upload):
    take(rollouts, upload(b"one"))
    follow(rollouts, 10)
    take(rollouts, upload(b"two", rollout=CANARY))
    follow(rollouts, 10)
    rollouts.stop(2, "ann")
    follow(rollouts, 200)
    assert sorted(generations(rollouts)) == [1, 1, 1, 2]
    told = rollouts.describe()
    assert told["deployments"][1]["reason"] == "stopped by ann"
    assert told["deployments"][1]["running"] == 1
    assert [node["applied"] for node in told["nodes"]].count(1) == 3
    with pytest.raises(UnknownNameError, match="no deployment 9"):
        rollouts.stop(9, "ann")


def test_what_was_told_under_another_key_is_not_believed(rollouts, upload):
    take(rollouts, upload(b"one"))
    follow(rollouts, 10)
    nodes = rollouts._nodes.nodes
    nodes[0] = replace(nodes[0], key_id="new")
    told = {each["name"]: each["applied"] for each in rollouts.describe()["nodes"]}
    assert told == {"n0": 0, "n1": 1, "n2": 1, "n3": 1}


def test_what_was_kept_of_nonsense_hurts_nobody(rollouts, upload):
    take(rollouts, upload(b"one"))
    rollouts._nodes.told["n1"] = {"applied": [], "rows": 3}
    follow(rollouts, 10)
    assert generations(rollouts) == [1, 1, 1, 1]


def test_who_only_looks_writes_no_progress(rollouts, upload):
    take(rollouts, upload(b"one", rollout=CANARY))
    rollouts.stop(1, "ann")
    written = rollouts.shelf.folder / "rollouts.json"
    before = written.read_bytes()
    written.unlink()
    Rollouts(rollouts.shelf.folder, rollouts._nodes, keep=False).describe()
    assert not written.exists()
    written.write_bytes(before)
    told = Rollouts(rollouts.shelf.folder, rollouts._nodes, keep=False).describe()
    assert told["deployments"][0]["reason"] == "stopped by ann"


def test_a_damaged_progress_begins_again(rollouts, upload):
    take(rollouts, upload(b"one"))
    (rollouts.shelf.folder / "rollouts.json").write_bytes(b"{")
    assert generations(Rollouts(rollouts.shelf.folder, rollouts._nodes)) == [1, 1, 1, 1]


def lose_the_canary(rollouts, upload):
    """Deploy with one canary, and let it go away."""
    take(rollouts, upload(b"one"))
    follow(rollouts, 10)
    take(rollouts, upload(b"two", rollout={**CANARY, "patience": 600}))
    (gone,) = rollouts.describe()["deployments"][1]["first"]
    rollouts._nodes.silent = {gone}
    return gone


def follow_others(rollouts, seconds):
    """Let nodes that are there do what they are told."""
    for _ in range(0, seconds, 5):
        for node in rollouts._nodes.all():
            if node.name not in rollouts._nodes.silent:
                state = rollouts.desired(node)
                rollouts.note_status(node, Status(applied=state.generation, healthy=True))
        rollouts.ticks.seconds += 5
        rollouts.tick()


def restart(rollouts, **options):
    """Return what a hub finds that was killed: nothing is written at an end."""
    again = Rollouts(rollouts.shelf.folder, rollouts._nodes, steady=Ticks(), **options)
    again.ticks = again._steady
    return again


def test_a_lost_canary_is_counted_on_by_a_hub_that_was_killed(rollouts, upload):
    gone = lose_the_canary(rollouts, upload)
    follow_others(rollouts, 400)
    noted = []
    again = restart(rollouts, note=lambda *event: noted.append(event))
    follow_others(again, 150)
    assert again.describe()["deployments"][1]["first"] == [gone]
    follow_others(again, 100)
    told = again.describe()["deployments"][1]
    assert told["left"] == [gone]
    (new,) = told["first"]
    assert noted[0] == ("canary", gone, f"2: not seen for too long; in its place goes first {new}")

    third = restart(again)
    told = third.describe()["deployments"][1]
    assert (told["first"], told["left"]) == ([new], [gone])
    follow_others(third, 100)
    assert third.describe()["deployments"][1]["stage"] == "open"
    third._nodes.silent = set()
    follow_others(third, 10)
    assert generations(third) == [2, 2, 2, 2]


def test_a_deployment_is_opened_by_people_and_stays_open(rollouts, upload):
    gone = lose_the_canary(rollouts, upload)
    follow_others(rollouts, 100)
    told = rollouts.describe()["deployments"][1]
    assert told["waits"].startswith(f"{gone} was not seen any more after it was told; after 10 min")
    rollouts.open(2, "ann")
    again = restart(rollouts)
    again._nodes.silent = set()
    assert generations(again) == [2, 2, 2, 2]
    assert again.describe()["deployments"][1]["reason"] == "opened by ann"
    again.stop(2, "bo")
    assert restart(again).describe()["deployments"][1]["reason"] == "stopped by bo"
    with pytest.raises(UnknownNameError, match="no deployment 9"):
        rollouts.open(9, "ann")


def test_what_can_not_be_written_down_is_offered_to_nobody(rollouts, upload, monkeypatch):
    take(rollouts, upload(b"one"))
    follow(rollouts, 10)
    take(rollouts, upload(b"two", rollout=CANARY))
    follow(rollouts, 10)
    with monkeypatch.context() as patch:
        patch.setattr(rollouts.shelf, "write_progress", full)
        follow(rollouts, 200)
        assert sorted(generations(rollouts)) == [1, 1, 1, 2]
        with pytest.raises(StorageError, match="opened by ann"):
            rollouts.open(2, "ann")
    follow(rollouts, 30)
    assert generations(rollouts) == [2, 2, 2, 2]


def full(progress):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "odd", [{"after": "x"}, {"kind": "canary", "part": "many"}, {"patience": -1}]
)
def test_a_rollout_that_is_signed_and_can_not_be_read_is_refused(rollouts, upload, odd):
    take(rollouts, upload(b"one"))
    with pytest.raises(DeploymentError, match="can't be read"):
        take(rollouts, upload(b"two", rollout=odd))
    assert generations(rollouts) == [1, 1, 1, 1]
