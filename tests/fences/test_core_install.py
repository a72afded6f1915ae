"""What is installed without extras is enough for projects of plain functions and SQL."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions

from packaging.requirements import Requirement

HIDE = """
import sys

class Hider:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

HIDDEN = set(sys.argv.pop(1).split(","))
sys.meta_path.insert(0, Hider())
from segue.cli.main import main
main()
"""


def find_core(names=("segue",)):
    """Return the names of distributions and their dependencies, without extras."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            wanted = distribution(name).requires or ()
        except PackageNotFoundError:  # of another platform
            continue
        needed = map(Requirement, wanted)
        waiting += [
            each.name.lower().replace("_", "-")
            for each in needed
            if each.marker is None or each.marker.evaluate({"extra": ""})
        ]
    return found


def test_a_project_needs_no_extras(tmp_path):
    core = find_core()
    hidden = {
        module
        for module, owners in packages_distributions().items()
        if not any(owner.lower().replace("_", "-") in core for owner in owners)
    }
    assert {"pandas", "polars"} <= hidden

    def segue(*arguments, folder=tmp_path / "shop"):
        command = [sys.executable, "-c", HIDE, ",".join(sorted(hidden)), *arguments]
        environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    segue("new", "shop", folder=tmp_path)
    assert "published 3 tables" in segue("run")
    for command in (
        ["run"],
        ["check"],
        ["read", "daily"],
        ["query", "select count(*) from orders"],
        ["lineage", "daily"],
        ["profile", "orders", "--html", "page.html"],
        ["suggest", "daily"],
        ["checks", "history", "orders"],
        ["contracts", "export", "--partial"],
        ["doctor"],
    ):
        segue(*command)
