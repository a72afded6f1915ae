"""What a node believes, with real keys and metadata and a hub that is a folder."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tuf.api.metadata import Metadata, MetaFile

from segue.deploy.keys import make_key, read_public, read_signer
from segue.deploy.repository import Known, change_root, sign_deployments, walk_roots
from segue.errors import DeploymentError, FleetError, HubError, UsageError
from segue.wire.bundle import EDGE, write_bundle
from segue.wire.deployment import Deployment
from segue.wire.trust import Trust
from segue.wire.trust_folder import fetch_from_folders, pin_root
from tests.deploying import World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "world")


def test_a_node_believes_what_was_signed(world, tmp_path):
    first = world.deploy(b'{"a": 1}')
    second = world.deploy(b'{"a": 2}', selector="role=shop")
    trust = world.node(tmp_path / "node")

    assert trust.refresh() == [first, second] or trust.refresh() == [second, first]

    trust.fetch_bundle(second.target, tmp_path / "bundle.zip")
    assert (tmp_path / "bundle.zip").read_bytes() == world.path.read_bytes()
    assert (first.generation, second.generation) == (1, 2)


def test_going_back_is_a_new_number_for_the_same_bundle(world, tmp_path):
    first = world.deploy(b"good")
    world.deploy(b"bad")
    third = world.deploy(b"good", again=first.generation)

    listed = world.node(tmp_path / "node").refresh()

    assert third.target == first.target
    assert {each.generation for each in listed if each.target == first.target} == {1, 3}


def test_an_older_state_of_the_hub_is_refused(world, tmp_path):
    world.deploy(b"one")
    shutil.copytree(world.hub, tmp_path / "older")
    world.deploy(b"two")
    world.node(tmp_path / "node").refresh()

    shutil.rmtree(world.hub)
    shutil.move(tmp_path / "older", world.hub)

    with pytest.raises(DeploymentError, match="older than what is known"):
        world.node(tmp_path / "node").refresh()


def test_signatures_that_expired_are_refused_and_what_was_known_stays(world, tmp_path):
    world.deploy(b"one")
    node = world.node(tmp_path / "node")
    node.refresh()
    known = (tmp_path / "node" / "targets.json").read_bytes()

    world.publish(world.sign(b"two", now=datetime.now(UTC) - timedelta(days=200))[1])

    with pytest.raises(DeploymentError, match="expired"):
        world.node(tmp_path / "node").refresh()
    assert (tmp_path / "node" / "targets.json").read_bytes() == known


@pytest.mark.parametrize("role", ["targets", "snapshot"])
def test_parts_of_two_states_are_refused(world, tmp_path, role):
    """Mix and match: each part is signed, they don't belong together."""
    world.deploy(b"one")
    world.deploy(b"two")
    trust = world.hub / "trust"
    (trust / f"2.{role}.json").write_bytes((trust / f"1.{role}.json").read_bytes())

    with pytest.raises(DeploymentError):
        world.node(tmp_path / "node").refresh()


def test_the_key_of_somebody_else_is_refused(world, tmp_path):
    stranger = World(tmp_path / "stranger")
    world.deploy()
    stranger.deploy(b"evil")
    for name in ("1.targets.json", "1.snapshot.json", "timestamp.json"):
        shutil.copy(stranger.hub / "trust" / name, world.hub / "trust" / name)

    with pytest.raises(DeploymentError, match="not signed by enough"):
        world.node(tmp_path / "node").refresh()


def test_another_root_of_the_hub_is_not_believed(world, tmp_path):
    node = world.node(tmp_path / "node")
    stranger = World(tmp_path / "stranger")
    stranger.deploy(b"evil")
    shutil.rmtree(world.hub)
    shutil.copytree(stranger.hub, world.hub)

    with pytest.raises(DeploymentError, match="not signed by enough"):
        node.refresh()
    with pytest.raises(DeploymentError, match="another trust root"):
        pin_root(tmp_path / "node", stranger.root)


def test_a_token_pins_the_root(tmp_path):
    with pytest.raises(DeploymentError, match="than the token names"):
        pin_root(tmp_path, b"{}", digest="00" * 32)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("role", ["1.targets.json", "1.snapshot.json", "timestamp.json"])
def test_changed_metadata_is_refused(world, tmp_path, role):
    world.deploy()
    path = world.hub / "trust" / role
    document = json.loads(path.read_text())
    document["signed"]["expires"] = "2099-01-01T00:00:00Z"
    path.write_text(json.dumps(document))

    with pytest.raises(DeploymentError):
        world.node(tmp_path / "node").refresh()


@pytest.mark.parametrize("damage", ["flip", "cut", "grow"])
def test_a_changed_bundle_is_refused(world, tmp_path, damage):
    deployed = world.deploy(b"x" * 1000)
    data = bytearray(world.path.read_bytes())
    data[300] ^= 1
    changed = {"flip": bytes(data), "cut": bytes(data[:-1]), "grow": bytes(data) + b"x"}
    world.path.write_bytes(changed[damage])
    node = world.node(tmp_path / "node")
    node.refresh()

    with pytest.raises(FleetError, match="differs from what was signed"):
        node.fetch_bundle(deployed.target, tmp_path / "bundle.zip")
    assert not (tmp_path / "bundle.zip").exists()


def test_a_bundle_that_nobody_signed_is_refused(world, tmp_path):
    world.deploy()
    evil = write_bundle(world.hub / "targets", {EDGE: b"evil"}, project="shop", fleet="shops")

    with pytest.raises(DeploymentError, match="nobody has signed"):
        world.node(tmp_path / "node").fetch_bundle(evil.name, tmp_path / "bundle.zip")


def test_a_hub_can_withhold(world, tmp_path):
    deployed = world.deploy()
    world.path.unlink()
    node = world.node(tmp_path / "node")
    node.refresh()

    with pytest.raises(HubError, match="withholds"):
        node.fetch_bundle(deployed.target, tmp_path / "bundle.zip")


def test_two_people_must_sign_where_the_root_says_so(tmp_path):
    world = World(tmp_path / "world", threshold=2, deployers=("ann", "bo"))

    with pytest.raises(DeploymentError, match="signed by 1 of the 2 who must"):
        world.sign(signers=["ann"])
    world.deploy()
    assert len(world.node(tmp_path / "node").refresh()) == 1


def test_too_few_signatures_are_refused_by_the_node(tmp_path):
    """One person of two signs alone, and makes the rest fit, for which one is enough."""
    world = World(tmp_path / "world", threshold=2, deployers=("ann", "bo"))
    world.deploy()
    trust, ann = world.hub / "trust", world.signer("ann")
    document = json.loads((trust / "1.targets.json").read_text())
    document["signatures"].pop()
    text = json.dumps(document).encode()
    (trust / "1.targets.json").write_bytes(text)
    snapshot = Metadata.from_file(str(trust / "1.snapshot.json"))
    snapshot.signed.meta["targets.json"] = MetaFile.from_data(1, text, ["sha256"])
    snapshot.sign(ann)
    snapshot.to_file(str(trust / "1.snapshot.json"))
    timestamp = Metadata.from_file(str(trust / "timestamp.json"))
    timestamp.signed.snapshot_meta = MetaFile.from_data(1, snapshot.to_bytes(), ["sha256"])
    timestamp.sign(ann)
    timestamp.to_file(str(trust / "timestamp.json"))

    with pytest.raises(DeploymentError, match=r"not signed by enough.*targets"):
        world.node(tmp_path / "node").refresh()


def test_keys_can_be_changed_and_the_old_one_counts_no_more(world, tmp_path):
    world.deploy(b"one")
    world.node(tmp_path / "node").refresh()
    _, bo = make_key(world.keys, "bo")
    ann = read_public(world.keys / "ann.pub")
    text = change_root(
        world.known().root,
        [world.signer("root")],
        add=[("deploy", bo)],
        remove=[("deploy", ann.id)],
    )
    (world.hub / "trust" / "2.root.json").write_bytes(text)

    with pytest.raises(DeploymentError, match="not signed by enough"):
        world.node(tmp_path / "node").refresh()

    # What the old key has signed is signed again with the new one, as a whole.
    own = tmp_path / "bo"
    shutil.copytree(world.own, own)
    (own / "root.json").unlink()
    (own / "root.json").write_bytes(text)
    known = Known.read(own)
    world.publish(sign_deployments(known, known.deployments(), {}, [world.signer("bo")]))

    assert [each.generation for each in world.node(tmp_path / "node").refresh()] == [1]


def test_a_new_root_needs_the_old_ones_signature(world, tmp_path):
    _, evil = make_key(world.keys, "evil")
    with pytest.raises(DeploymentError, match="not signed by enough"):
        change_root(
            world.known().root,
            [world.signer("evil")],
            add=[("root", evil)],
            remove=[("root", read_public(world.keys / "root.pub").id)],
        )


def test_a_threshold_must_be_reachable(world):
    with pytest.raises(UsageError, match="can't be reached"):
        change_root(world.known().root, [world.signer("root")], deploy_threshold=2)


def test_without_a_pinned_root_the_first_one_counts_from_then_on(world, tmp_path):
    world.deploy()
    node = Trust(tmp_path / "node", fetch_from_folders(world.hub))
    assert len(node.refresh()) == 1

    stranger = World(tmp_path / "stranger")
    stranger.deploy(b"evil")
    with pytest.raises(DeploymentError):
        Trust(tmp_path / "node", fetch_from_folders(stranger.hub)).refresh()


def test_what_is_not_reached_can_be_tried_again(world, tmp_path):
    def fetch(path, into, most):
        raise HubError("the hub can't be reached")

    pin_root(tmp_path / "node", world.root)
    with pytest.raises(HubError, match="can't be reached") as caught:
        Trust(tmp_path / "node", fetch).refresh()
    assert caught.value.retryable


def test_each_selector_keeps_its_newest(world, tmp_path):
    for number in range(7):
        world.deploy(b"%d" % number)
    world.deploy(b"other", selector="role=shop")

    listed = sorted(each.generation for each in world.node(tmp_path / "node").refresh())

    assert listed == [3, 4, 5, 6, 7, 8]


def test_a_key_is_its_owners(tmp_path):
    path, _ = make_key(tmp_path, "ann", "secret words")
    assert path.stat().st_mode & 0o777 == 0o600
    assert (
        read_signer(path, "secret words").public_key.keyid == read_public(tmp_path / "ann.pub").id
    )
    with pytest.raises(DeploymentError, match="passphrase"):
        read_signer(path)
    with pytest.raises(DeploymentError, match="passphrase is another"):
        read_signer(path, "guess")
    with pytest.raises(UsageError, match="already"):
        make_key(tmp_path, "ann")
    path.chmod(0o644)
    with pytest.raises(DeploymentError, match="read by others"):
        read_signer(path, "secret words")


def test_the_order_of_deployments_does_not_matter(world):
    deployed = Deployment(3, "shop", "shops", selector="role=shop")
    assert deployed.fits("n", "shop", {"role": "shop"})
    assert not deployed.fits("n", "other", {"role": "shop"})
    assert not deployed.fits("n", "shop", {"role": "shop", "fleet": "vans"})
    assert replace(deployed, selector="node=n").fits("n", "shop", {})


def test_a_root_under_the_name_of_another_is_told(world, tmp_path):
    folder = tmp_path / "trust"
    folder.mkdir()
    (folder / "1.root.json").write_bytes(world.root)
    (folder / "2.root.json").write_bytes(world.root)  # as a merge of two branches can leave it
    with pytest.raises(DeploymentError, match=r"2\.root\.json is not a good successor"):
        walk_roots(folder)
    _, files = world.sign()
    (folder / "2.root.json").write_bytes(files["timestamp.json"])
    with pytest.raises(DeploymentError, match=r"2\.root\.json is not a good successor"):
        walk_roots(folder)
