"""Nothing becomes public by accident, and what is public is there."""

import importlib.metadata
import subprocess
import sys

import pytest

import segue

PUBLIC = {
    "Project",
    "SegueError",
    "__version__",
    "check",
    "checkpoint",
    "load",
    "persist",
    "profile",
    "query",
    "step",
    "suggest",
    "transform",
}


def test_public_names_are_these():
    assert set(segue.__all__) == PUBLIC


def test_public_names_are_sorted():
    assert list(segue.__all__) == sorted(segue.__all__)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_name_resolves(name):
    assert getattr(segue, name) is not None


def test_dir_shows_only_public_names():
    code = "import segue; print(*dir(segue))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert set(shown.split()) == PUBLIC


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        segue.nonsense  # noqa: B018 - the access is the test


def test_version_is_the_one_of_the_package():
    assert segue.__version__ == importlib.metadata.version("segue")


def entry_points():
    return [
        point
        for point in importlib.metadata.distribution("segue").entry_points
        if point.group.startswith("segue.") or point.name == "segue"
    ]


@pytest.mark.parametrize("point", entry_points(), ids=lambda point: f"{point.group}:{point.name}")
def test_entry_point_resolves(point):
    assert point.load() is not None
