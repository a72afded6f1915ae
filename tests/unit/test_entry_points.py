"""Entry points are found as `importlib.metadata` finds them, without loading it."""

import json
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points

import pytest

from segue import registry

GROUPS = [
    value
    for value in vars(registry).values()
    if isinstance(value, str) and value.startswith("segue.") and value != "segue.registry"
]
ASK = """
import json, sys
from segue import registry
found = {name: registry.load("segue.checks", name) for name in ("one", "two") }
print(json.dumps([found, "importlib.metadata" in sys.modules]))
"""
POINTS = """[console_scripts]
one = nowhere:main

[segue.checks]
# a comment
one = extra_checks:ONE
two=extra_checks:Two.value [extra]
"""
MODULE = "ONE = 1\nclass Two:\n    value = 2\n"


def write_package(folder, name="extra_checks-1.0", points=POINTS):
    (folder / f"{name}.dist-info").mkdir(parents=True)
    (folder / f"{name}.dist-info" / "METADATA").write_text("Name: extra-checks\nVersion: 1.0\n")
    (folder / f"{name}.dist-info" / "entry_points.txt").write_text(points)
    (folder / "extra_checks.py").write_text(MODULE)
    return folder


def ask(*path):
    """Return what a process finds, and whether it loaded the library that reads metadata."""
    before = f"import sys; sys.path[:0] = {list(map(str, path))!r}\n"
    told = subprocess.check_output([sys.executable, "-c", before + ASK], text=True)
    return json.loads(told)


@pytest.mark.parametrize("group", GROUPS)
def test_what_segue_states_is_found(group):
    known = {point.name: point.value for point in entry_points(group=group)}
    assert known
    assert set(registry.names(group)) == known.keys()


def test_a_package_in_a_folder_adds_to_segue(tmp_path):
    assert ask(write_package(tmp_path)) == [{"one": 1, "two": 2}, False]


def test_the_first_of_a_package_counts(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    write_package(first, "Extra.Checks-2.0")
    write_package(second, points=POINTS.replace(":ONE", ":NONE"))
    assert ask(first, second) == [{"one": 1, "two": 2}, False]


def test_a_package_in_an_archive_is_found_by_the_library(tmp_path):
    folder = write_package(tmp_path / "a")
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in folder.rglob("*"):
            packed.write(path, path.relative_to(folder))
    assert ask(archive) == [{"one": 1, "two": 2}, True]
