"""The reference tells of everything that users can meet, as the code has it now."""

import json
import re
import sys
from pathlib import Path

import pytest
import yaml

import segue
from segue import errors, failpoints, registry, settings
from segue.cli.group import COMMANDS
from segue.cli.main import run_command
from segue.declare.options import OPTIONS
from segue.spec.step import FrameKind, Mode

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
sys.path.insert(0, str(ROOT / "docs"))

import generate  # noqa: E402  # docs/ is no package

MADE = generate.make_pages()


def headings(page):
    return re.findall(r"^## (.+)$", (REFERENCE / page).read_text(encoding="utf-8"), re.MULTILINE)


def words(page):
    """Everything that stands in back quotes."""
    return set(re.findall(r"`([^`\n]+)`", (REFERENCE / page).read_text(encoding="utf-8")))


def models(model):
    found = [model]
    for field in model.model_fields.values():
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, settings.Table):
                found += models(kind)
    return found


def error_codes():
    def below(kind):
        return [kind.code, *(code for each in kind.__subclasses__() for code in below(each))]

    return below(errors.SegueError)


@pytest.mark.parametrize("name", MADE)
def test_page_is_what_the_generator_makes(name):
    found = (REFERENCE / name).read_text(encoding="utf-8")
    assert found == MADE[name], "run .venvs/dev/bin/python docs/generate.py, and look at the change"


def test_every_setting_is_documented():
    keys = {key for model in models(settings.Settings) for key in model.model_fields}
    tables = {
        part for heading in headings("settings.md") for part in heading.strip("[]").split(".")
    }
    assert keys <= words("settings.md") | tables


def test_every_error_code_is_documented():
    assert set(error_codes()) <= words("errors.md")


def test_every_command_is_documented():
    assert headings("commands.md") == [f"segue {name}" for name in COMMANDS]


def test_every_check_kind_is_documented():
    assert headings("checks.md") == list(registry.names(registry.CHECKS))


def test_every_source_kind_is_documented_with_its_keys():
    kinds = registry.names(registry.SOURCES)
    assert headings("sources.md") == list(kinds)
    for kind in kinds:
        assert set(registry.load_source(kind).options.model_fields) <= words("sources.md")


def test_every_failpoint_is_documented():
    assert set(failpoints.POINTS) <= words("failpoints.md")


def test_every_option_mode_and_frame_of_a_step_is_documented():
    told = {word for cell in words("steps.md") for word in (cell, *cell.split(", "))}
    modes = {mode.value for mode in Mode if mode is not Mode.EFFECT}
    assert {*OPTIONS, *modes, *(kind.value for kind in FrameKind)} <= told


def test_every_method_of_a_project_is_documented():
    members = vars(segue.Project).items()
    names = {f"Project.{name}" for name, value in members if callable(value) and name[0] != "_"}
    assert names <= set(headings("python.md"))


def test_every_key_of_a_record_is_documented(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_command(["new", "shop"]) == 0
    assert run_command(["run", "--project", "shop"]) == 0
    [path] = (tmp_path / "shop" / "lake" / "_runs").glob("*.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    step = next(each for each in record["steps"] if each["measurements"] and each["output"])
    parts = (record, step, step["output"], step["output"]["files"][0], step["measurements"][0])
    assert {key for part in parts for key in part} <= words("record.md")


def test_every_page_is_in_the_navigation():
    def names(entries):
        for entry in entries:
            [(_, value)] = entry.items()
            yield from [value] if isinstance(value, str) else names(value)

    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(names(config["nav"])) == sorted(pages)
