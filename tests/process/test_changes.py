"""What makes a step run again, and says why; what does not."""

import sys

import pytest

from segue.cli.main import run_command
from segue.testing.faults import start_call
from tests.process.generations import copy_site, write_project

STEP = '''
from faults_dist import nothing
from segue import step
from steps.shared import FACTOR, double


def make_adder(n):
    def add(x):
        return x + n
    return add


add_one = make_adder(1)


@step
def made(seed: list[dict], limit: int = 5) -> list[dict]:
    """Doubles."""
    # a comment
    return [{"n": add_one(double(row["id"])) * FACTOR + nothing()} for row in seed[:limit]]
'''
SHARED = "FACTOR = 3\n\n\ndef double(n):\n    return 2 * n\n"
CONTRACT = "made:\n  columns:\n    n: {required: true}\n"

CHANGES = {
    "the step": ("steps/made.py", "seed[:limit]]", "seed[:limit] if row]", "code changed"),
    "a helper": ("steps/shared.py", "2 * n", "n + n", "code changed"),
    "a constant": ("steps/shared.py", "FACTOR = 3", "FACTOR = 4", "code changed"),
    "a closure": ("steps/made.py", "make_adder(1)", "make_adder(2)", "code changed"),
    "SQL": ("steps/totals.sql", "count(*)", "count(id)", "code changed"),
    "a default": ("steps/made.py", "limit: int = 5", "limit: int = 6", "parameter changed"),
    "a parameter": (
        "segue.toml",
        'name = "generations"',
        'name = "generations"\n[params]\nmade.limit = 8',
        "parameter changed",
    ),
    "a contract": ("contracts.yml", "required: true", "between: [0, 900]", "contract changed"),
    "a library": ("site-packages/faults_dist-1.0.dist-info/METADATA", "1.0", "2.0", "faults_dist"),
}
SAME = {
    "a comment": ("steps/made.py", "# a comment", "# another one"),
    "a docstring": ("steps/made.py", '"""Doubles."""', '"""Twice as much."""'),
    "formatting": ("steps/made.py", "return [{", "return [\n        {"),
    "a helper's formatting": ("steps/shared.py", "2 * n", "(2 * n)"),
    "SQL's formatting": ("steps/totals.sql", "select", "-- a note\nSELECT\n "),
    "an unused helper": (
        "steps/shared.py",
        "def double",
        "def triple(n):\n    return 3 * n\n\n\ndef double",
    ),
    "the contract's words": ("contracts.yml", "made:\n", "made:\n  about: Some numbers.\n"),
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    site = write_project(tmp_path_factory.mktemp("changes") / "project")
    site.edit("steps/made.py", STEP)
    site.edit("steps/shared.py", SHARED)
    site.edit("contracts.yml", (site.folder / "contracts.yml").read_text() + CONTRACT)
    site.edit("site-packages/faults_dist.py", "def nothing():\n    return 0\n")
    info = "site-packages/faults_dist-1.0.dist-info"
    site.edit(f"{info}/METADATA", "Metadata-Version: 2.1\nName: faults_dist\nVersion: 1.0\n")
    site.edit(f"{info}/RECORD", "faults_dist.py,,\n")
    site.edit(f"{info}/top_level.txt", "faults_dist\n")
    return site


def command(folder, *arguments):
    """Give a command, with a library of the project's own on the path."""
    sys.path.insert(0, str(folder / "site-packages"))
    return run_command([*arguments, "--project", str(folder), "--json"])


@pytest.fixture(scope="module")
def published(origin):
    ended = start_call(command, origin.folder, "run").wait()
    assert ended.code == 0, ended
    return origin


def plan_after(published, folder, name, old, new):
    """Change a copy of the project; return what a run would do with each step, and why."""
    site = copy_site(published, folder)
    path = site.folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    ended = start_call(command, site.folder, "plan").wait()
    assert ended.code == 0, ended
    return {step["step"]: step for step in ended.document["steps"]}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_counts_runs_its_step_and_says_why(published, tmp_path, change):
    name, old, new, why = CHANGES[change]
    plan = plan_after(published, tmp_path / "copy", name, old, new)
    step = "totals" if "totals" in name else "made"
    assert plan[step]["action"] == "run"
    assert why in str(plan[step]["reasons"])
    others = {each for each, planned in plan.items() if planned["action"] == "run"}
    assert others == {step}


@pytest.mark.parametrize("change", SAME)
def test_a_change_that_means_the_same_runs_nothing(published, tmp_path, change):
    plan = plan_after(published, tmp_path / "copy", *SAME[change])
    assert {step["action"] for step in plan.values()} == {"skip"}
