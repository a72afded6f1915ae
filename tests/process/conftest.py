import pytest

from tests.process.generations import copy_site, write_project


@pytest.fixture(scope="session")
def first_generation(tmp_path_factory):
    """A project with one published generation."""
    site = write_project(tmp_path_factory.mktemp("first") / "project")
    assert site.run(1).code == 0
    return site


@pytest.fixture
def site(first_generation, tmp_path, monkeypatch):
    """A copy of it, whose processes have a folder for temporary files of their own."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    return copy_site(first_generation, tmp_path / "project")
