"""What flow tests start from."""

import pytest

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
