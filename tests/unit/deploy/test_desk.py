"""The desk of a person who deploys, and a hub that is a folder."""

import pytest

from segue.deploy import desk as desks
from segue.deploy.desk import Desk
from segue.deploy.keys import make_key
from segue.deploy.repository import change_root
from segue.errors import DeploymentError
from segue.wire.trust_folder import fetch_from_folders
from tests.deploying import World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "world")


@pytest.fixture
def desk(world, tmp_path, monkeypatch):
    monkeypatch.setattr(desks, "fetch_from_hub", lambda _: fetch_from_folders(world.hub))
    made = Desk(tmp_path / "project", object())
    made.write_root(world.root, 1)
    return made


def test_a_root_whose_upload_seemed_to_fail_is_found_at_the_hub(world, desk):
    key = make_key(world.keys, "bo")[1]
    root = desk.refresh().root
    text = change_root(root, [world.signer("root")], add=[("deploy", key)])
    (world.hub / "trust" / "2.root.json").write_bytes(text)
    known = desk.refresh()
    assert known.root.version == 2
    assert (desk.folder / "2.root.json").read_bytes() == text


def test_a_root_that_the_hub_made_up_is_not_taken(world, desk, tmp_path):
    stranger = World(tmp_path / "stranger")
    key = make_key(stranger.keys, "eve")[1]
    mine = Desk(tmp_path / "other", None)
    mine.write_root(stranger.root, 1)
    root = desks.walk_roots(mine.folder)
    text = change_root(root, [stranger.signer("root")], add=[("deploy", key)])
    (world.hub / "trust" / "2.root.json").write_bytes(text)
    with pytest.raises(DeploymentError, match="not a good successor"):
        desk.refresh()
    assert [path.name for path in desk.folder.glob("*.root.json")] == ["1.root.json"]
