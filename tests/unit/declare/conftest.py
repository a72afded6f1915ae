"""Small projects on disk, and what is wrong with them."""

import textwrap

import pytest

from segue.declare.discover import declare_project
from segue.errors import ProjectError


class Folder:
    """A project's folder that tests fill file by file."""

    def __init__(self, root):
        self.root = root
        self.write("segue.toml", '[project]\nname = "shop"\n')
        self.write("steps/raw.sql", "select 1 as id, 2.5 as amount")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def add_toml(self, text):
        self.write("segue.toml", '[project]\nname = "shop"\n' + textwrap.dedent(text))

    def declare(self, **parameters):
        given = {key.replace("__", "."): value for key, value in parameters.items()}
        return declare_project(self.root, given)

    def problems(self, **parameters):
        with pytest.raises(ProjectError) as caught:
            self.declare(**parameters)
        return caught.value.problems

    def problem(self, **parameters):
        """Return the one problem that there must be."""
        found = self.problems(**parameters)
        assert len(found) == 1, "\n".join(map(str, found))
        return found[0]

    def fingerprint(self, step):
        return self.declare().steps[step].fingerprint


@pytest.fixture
def project(tmp_path):
    return Folder(tmp_path / "shop")


def tell(problem):
    """Return a problem as code and place."""
    return f"{problem.code} {problem.location}"
