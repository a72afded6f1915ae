"""A hub opened from its project: whose deployments count, before anybody has deployed."""

import hashlib

import pytest

from segue.deploy.desk import Desk
from segue.errors import DeploymentError
from segue.hub.opening import FOLDER, HubPlace, find_trust
from segue.hub.rollout_store import Shelf
from tests.deploying import World


@pytest.fixture
def place(tmp_path):
    lake = tmp_path / "lake"
    return HubPlace("shop", lake, lake / "_hub", "", frozenset(), tmp_path / "shop")


def test_a_project_without_a_root_has_none(place):
    assert find_trust(place) == ""
    assert not place.lake.exists()


def test_the_projects_root_counts_before_anybody_has_deployed(place, tmp_path):
    root = World(tmp_path / "world").root
    Desk(place.root, None).write_root(root, 1)
    assert find_trust(place) == hashlib.sha256(root).hexdigest()
    assert Shelf(place.home / FOLDER).root() == root
    assert find_trust(place) == hashlib.sha256(root).hexdigest()


def test_another_root_than_the_hubs_is_refused(place, tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    Desk(place.root, None).write_root(World(tmp_path / "one").root, 1)
    find_trust(place)
    Desk(place.root, None).write_root(World(tmp_path / "other").root, 1)
    with pytest.raises(DeploymentError, match="another root") as raised:
        find_trust(place)
    assert "trust/" in raised.value.hint


def test_a_look_at_the_root_leaves_uploads_that_are_under_way(place, tmp_path):
    Desk(place.root, None).write_root(World(tmp_path / "world").root, 1)
    under_way = place.home / FOLDER / ".upload-x"
    under_way.mkdir(parents=True)
    find_trust(place)
    assert under_way.is_dir()
