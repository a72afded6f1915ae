"""``segue check --report``: where reports go, and what GitHub Actions gets."""

import json
from xml.etree import ElementTree as ET

import pytest

from segue.cli.main import run_command
from tests.flow.building import TOML, lines, source


@pytest.fixture
def checked(make_project, monkeypatch):
    """A project with a check that fails and one that passes, from within its folder."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines("id,secret", "1,canary", "-2,canary"),
            "contracts.yml": "raw:\n  owner: o@x.test\n  columns:\n"
            "    id: {between: {min: 0}}\n    secret: {required: true, sensitive: true}\n",
        }
    )
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture
def check(checked, capsys):
    def call(*arguments, code=1):
        capsys.readouterr()
        assert run_command(["check", *arguments]) == code
        return capsys.readouterr()

    return call


def test_each_report_goes_to_its_file_and_the_terminals_to_the_terminal(check, checked):
    formats = ("terminal", "json", "junit", "markdown", "html", "github")
    wanted = [f"--report={name}=out/{name}.txt" for name in formats]

    shown = check(*wanted)

    texts = {name: (checked.root / f"out/{name}.txt").read_text() for name in formats}
    assert texts["terminal"] == shown.out
    assert shown.err == ""
    assert json.loads(texts["json"])["tables"][0]["owner"] == "o@x.test"
    assert ET.fromstring(texts["junit"]).get("failures") == "1"
    assert texts["markdown"].startswith("## ✗ p: 2 checks")
    assert texts["html"].startswith("<!doctype html>")
    assert texts["github"].startswith("::error file=contracts.yml,title=raw%3A id between,line=4::")
    assert all("canary" not in text for text in (*texts.values(), shown.out))


def test_json_is_the_same_by_both_names(check):
    def told(text):
        return [{**each, "seconds": 0} for each in json.loads(text)["tables"][0]["checks"]]

    assert told(check("--json").out) == told(check("--report", "json").out)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--report", "junti"], "did you mean 'junit'"),
        (["--report", "junit="], "names no file"),
        (["--report", "junit", "--report", "html"], "only one report can go to standard output"),
        (["--json", "--report", "html"], "would both go to standard output"),
        (["--report", "html=segue.toml/x.html"], "can't be written"),
    ],
)
def test_what_can_not_be_written_is_refused(check, arguments, problem):
    assert problem in check(*arguments, code=2).err


def test_github_gets_its_notes_besides_what_was_asked_for(check, checked, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(checked.root.parent))

    shown = check("--json")

    assert json.loads(shown.out)["verdict"] == "fail"
    assert shown.err.startswith("::error file=p/contracts.yml,title=raw%3A id between,line=4::")
    once = check("--report", "github")
    assert (once.out.count("::error"), once.err.count("::error")) == (1, 0)
