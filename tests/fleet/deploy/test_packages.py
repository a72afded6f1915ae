"""Packages that a deployment has locked: from the machine, from its wheels, or refused."""

import base64
import hashlib
import importlib.metadata
import subprocess
import sys
import zipfile
from dataclasses import replace

import pytest

from segue.agent.deployments import Deployments
from segue.agent.packages import find_missing, read_lock
from segue.errors import DeploymentError
from segue.spec.edge import DestinationSpec, StreamAlert
from segue.spec.edge_codec import write_edge
from segue.wire.bundle import EDGE, LOCK
from tests.deploying import PART, World, desire, enrol


def make_wheel(folder, name="shopkit", version="1.0"):
    """Write a wheel of one module, as a build tool would."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{path},sha256={digest.decode()},{len(text)}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name_, text in files.items():
            wheel.writestr(name_, text)
    return path


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "world")


@pytest.fixture
def node(tmp_path, world):
    return Deployments(enrol(tmp_path / "home", world), world.fetch)


def deploy(world, lock, wheels=(), **values):
    files = {f"wheels/{each.name}": each.read_bytes() for each in wheels}
    digest = hashlib.sha256(lock.encode()).hexdigest()
    return desire(world.deploy(files={LOCK: lock.encode(), **files}, lock=digest, **values))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_wheels_of_a_bundle_are_installed_for_its_slot_alone(world, node, tmp_path):
    wheel = make_wheel(tmp_path / "wheels")
    lock = f"shopkit==1.0 \\\n    --hash=sha256:{digest(wheel)}  # by hand\n"

    assert node.apply(deploy(world, lock, [wheel]))

    site = node.current() / "site"
    script = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import shopkit; print(shopkit.VERSION)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1.0\n"
    assert find_missing(read_lock(lock))  # the machine's own packages are as they were


def test_a_wheel_with_another_digest_is_refused(world, node, tmp_path):
    wheel = make_wheel(tmp_path / "wheels")
    lock = f"shopkit==1.0 --hash=sha256:{'0' * 64}\n"
    with pytest.raises(DeploymentError, match=r"can't be installed.*shopkit"):
        node.apply(deploy(world, lock, [wheel]))
    assert node.current() is None


def test_a_lock_without_digests_is_refused(world, node, tmp_path):
    wheel = make_wheel(tmp_path / "wheels")
    with pytest.raises(DeploymentError, match="can't be installed"):
        node.apply(deploy(world, "shopkit==1.0\n", [wheel]))


def test_what_is_missing_is_named(world, node):
    with pytest.raises(DeploymentError, match=r"lacks shopkit==1\.0, and the deployment has no w"):
        node.apply(deploy(world, f"shopkit==1.0 --hash=sha256:{'0' * 64}\n"))


def test_what_the_machine_has_is_not_installed_again(world, node):
    version = importlib.metadata.version("PyYAML")
    assert node.apply(deploy(world, f"PyYAML=={version} --hash=sha256:{'0' * 64}\n"))
    assert not (node.current() / "site").exists()


def test_modules_that_are_needed_are_looked_for(world, node):
    with pytest.raises(DeploymentError, match="lacks no_such_module"):
        node.apply(deploy(world, "", needs=["json", "no_such_module"]))


def test_a_secret_that_is_not_set_is_named_and_the_deployment_taken_once_it_is(
    world, tmp_path, monkeypatch
):
    base = DestinationSpec("base", "postgres", {"url": "postgresql://w:${BASE_SECRET}@db/plant"})
    made = world.deploy(files={EDGE: write_edge(replace(PART, destinations=(base,)))})
    home = enrol(tmp_path / "home", world)
    with pytest.raises(DeploymentError, match="base: the environment variable BASE_SECRET") as told:
        Deployments(home, world.fetch).apply(desire(made))
    assert "restart" in told.value.hint
    monkeypatch.setenv("BASE_SECRET", "x")  # an agent that is started anew has it
    assert Deployments(home, world.fetch).apply(desire(made))


def test_a_secret_of_a_channel_that_is_not_set_is_named_as_those_of_destinations_are(
    world, tmp_path, monkeypatch
):
    send = ("mqtt://broker/alarms", "slack://${SLACK_SECRET}/#plant")
    alert = StreamAlert("hot", "readings", "value > 1", 1, "", 0, "", send, "", 1)
    made = world.deploy(files={EDGE: write_edge(replace(PART, alerts=(alert,)))})
    home = enrol(tmp_path / "home", world)
    expected = "alert hot: the environment variable SLACK_SECRET is not set at this node"
    with pytest.raises(DeploymentError, match=expected):
        Deployments(home, world.fetch).apply(desire(made))
    monkeypatch.setenv("SLACK_SECRET", "x")
    assert Deployments(home, world.fetch).apply(desire(made))


def test_a_lock_is_read_as_tools_write_it():
    text = """
    # made by a tool
    --index-url https://index.test/simple
    Foo_Bar.baz[extra]==1.0 ; python_version >= "3" \\
        --hash=sha256:00 \\
        --hash=sha256:11
        # via something
    old==2.0 ; python_version < "3"
    plain == 3
    """
    assert [(each.name, each.version) for each in read_lock(text)] == [
        ("foo-bar-baz", "1.0"),
        ("plain", "3"),
    ]


@pytest.mark.parametrize("line", ["-e .", "foo", "foo>=1", "foo @ file:///x.whl", "--pre"])
def test_lines_that_lock_nothing_are_refused(line):
    with pytest.raises(DeploymentError, match="no locked package"):
        read_lock(line)


def test_a_marker_that_is_none_is_refused():
    with pytest.raises(DeploymentError, match="marker"):
        read_lock("foo==1 ; system('x')")
