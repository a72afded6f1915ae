"""A deployment that two people sign, each on a machine of their own."""

import pytest

from segue.deploy.joint import add_signatures, read_joint, write_joint
from segue.deploy.repository import keep_live, number_next, sign_deployments
from segue.errors import BundleError, DeploymentError, UsageError
from segue.wire.archive import read_member, read_members, write_archive
from segue.wire.bundle import EDGE, LIMITS, write_bundle
from segue.wire.deployment import Deployment
from tests.deploying import CONTENT, EDGE_PART, World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "world", threshold=2, deployers=("ann", "bo", "cleo"))


@pytest.fixture
def share(world, tmp_path):
    """Return what makes a file with the signature of one person."""

    def make(*, content=b"a", signer="ann", selector="*"):
        made = tmp_path / "made"
        made.mkdir(exist_ok=True)
        named = {EDGE: EDGE_PART, CONTENT: content}
        bundle = write_bundle(made, named, project="shop", fleet="shops")
        known = world.known()
        new = Deployment(0, "shop", "shops", selector, target=bundle.name)
        new = number_next(known, new)
        bundles = {bundle.name: bundle}
        live = keep_live(known.deployments(), new)
        files = sign_deployments(known, live, bundles, [world.signer(signer)], whole=False)
        write_joint(tmp_path / "next.zip", files, bundles)
        return tmp_path / "next.zip"

    return make


@pytest.fixture
def read(world, tmp_path):
    """Return what reads such a file as the next person does."""
    count = iter(range(100))

    def make(path):
        folder = tmp_path / f"read{next(count)}"
        folder.mkdir()
        return read_joint(path, world.known(), folder)

    return make


def put(world, joint):
    for name, bundle in joint.bundles.items():
        (world.hub / "targets" / name).write_bytes(bundle.read_bytes())
    world.publish(joint.files())


def change(path, name, edit):
    """Change one file in an archive."""
    with path.open("rb") as file:
        members = read_members(file, LIMITS)
        files = {each.name: b"".join(read_member(file, each)) for each in members}
    (found,) = [each for each in files if name in each]
    files[found] = edit(files[found])
    write_archive(path, files)


def test_two_people_sign_one_after_the_other_and_nodes_take_it(world, share, read, tmp_path):
    path = share()
    joint = read(path)
    assert (joint.signed, joint.missing) == (("ann",), 1)
    assert [each.generation for each in joint.new] == [1]
    signed = add_signatures(joint, world.known(), [world.signer("bo")])
    assert (signed.signed, signed.missing) == (("ann", "bo"), 0)
    put(world, signed)
    (taken,) = world.node(tmp_path / "node").refresh()
    assert taken == joint.new[0]

    second = share(content=b"b", signer="cleo")
    signed = add_signatures(read(second), world.known(), [world.signer("ann")])
    put(world, signed)
    assert [each.generation for each in world.node(tmp_path / "node").refresh()] == [1, 2]


def test_one_signature_of_two_moves_no_node(world, share, read, tmp_path):
    put(world, read(share()))
    with pytest.raises(DeploymentError, match="not signed by enough"):
        world.node(tmp_path / "node").refresh()


def test_the_file_goes_on_with_each_signature(world, share, read, tmp_path):
    world = World(tmp_path / "three", threshold=3, deployers=("ann", "bo", "cleo"))
    bundle = write_bundle(tmp_path, {EDGE: EDGE_PART}, project="shop", fleet="shops")
    known, bundles = world.known(), {bundle.name: bundle}
    new = Deployment(1, "shop", "shops", target=bundle.name)
    files = sign_deployments(known, [new], bundles, [world.signer("ann")], whole=False)
    path = tmp_path / "three.zip"
    write_joint(path, files, bundles)
    for number, name in enumerate(("bo", "cleo")):
        folder = tmp_path / name
        folder.mkdir()
        joint = add_signatures(read_joint(path, known, folder), known, [world.signer(name)])
        assert joint.missing == 1 - number
        write_joint(path, joint.files(), joint.bundles)


def test_the_same_person_counts_once(world, share, read):
    with pytest.raises(UsageError, match="already: ann"):
        add_signatures(read(share()), world.known(), [world.signer("ann")])


def test_a_stranger_does_not_count(world, share, read):
    with pytest.raises(UsageError, match="no key that was given may sign"):
        add_signatures(read(share()), world.known(), [world.signer("root")])


def test_what_was_deployed_meanwhile_makes_it_void(world, share, read):
    path = share()
    world.deploy(b"meanwhile", signers=["bo", "cleo"])
    with pytest.raises(DeploymentError, match="does not follow") as raised:
        read(path)
    assert "meanwhile" in raised.value.hint or "since" in raised.value.hint


@pytest.mark.parametrize("part", ["targets.json", "snapshot.json", "timestamp.json"])
def test_what_was_changed_on_the_way_is_refused(share, read, part):
    path = share(selector="role=shop")
    change(path, part, lambda text: text.replace(b'"expires":"20', b'"expires":"21'))
    with pytest.raises((DeploymentError, BundleError)):
        read(path)


def test_another_bundle_is_refused(share, read):
    path = share()
    change(path, "targets/", lambda text: text[:-30] + b"x" * 30)
    with pytest.raises((DeploymentError, BundleError)):
        read(path)


def test_any_other_file_is_refused(read, tmp_path):
    (tmp_path / "x.zip").write_bytes(b"nonsense")
    with pytest.raises(BundleError):
        read(tmp_path / "x.zip")
