"""What flow tests start from."""

import shutil

import pytest

from segue.cli.main import run_command
from tests.flow.building import TOML, Built


@pytest.fixture
def make_project(tmp_path):
    """Write a project; a `segue.toml` is there unless the test brings its own."""
    made = []

    def make(files, folder="p"):
        root = tmp_path / folder
        root.mkdir(parents=True, exist_ok=True)
        built = Built(root).write({"segue.toml": TOML, **files})
        made.append(built)
        return built

    yield make
    for built in made:
        built.close()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The sample project after one run."""
    folder = tmp_path_factory.mktemp("published") / "shop"
    assert run_command(["new", str(folder), "--json"]) == 0
    assert run_command(["run", "--project", str(folder), "--json"]) == 0
    return folder


@pytest.fixture
def shop(published, tmp_path, monkeypatch):
    """A copy of it, which a test may change; the current folder."""
    folder = shutil.copytree(published, tmp_path / "shop")
    monkeypatch.chdir(folder)
    return folder
