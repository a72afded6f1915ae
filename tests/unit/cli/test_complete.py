"""What the tab key offers."""

import pytest
from click.shell_completion import ShellComplete

from segue.cli.group import segue

FILES = {
    "segue.toml": '[project]\nname = "p"\n\n[tables.raw_orders]\npath = "x.csv"\n',
    "steps/orders.sql": "select * from raw_orders",
    "steps/more.py": "@step(by='a')\n# why\ndef forecast(orders): ...\n\ndef helper(): ...\n",
}


@pytest.fixture
def offer(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    complete = ShellComplete(segue, {}, "segue", "_SEGUE_COMPLETE")

    def ask(*words):
        return [each.value for each in complete.get_completions([*words[:-1]], words[-1])]

    return ask


def test_tables_are_sources_and_steps(offer):
    assert offer("read", "") == ["forecast", "orders", "raw_orders"]
    assert offer("show", "or") == ["orders"]
    assert offer("check", "orders", "r") == ["raw_orders"]


def test_selections_are_steps_with_their_sign(offer):
    assert offer("run", "") == ["forecast", "orders"]
    assert offer("plan", "+f") == ["+forecast"]


def test_project_is_that_of_the_option(offer, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    assert offer("read", "") == []
    assert offer("read", "--project", str(tmp_path), "f") == ["forecast"]


def test_damaged_files_are_passed_over(offer, tmp_path):
    (tmp_path / "segue.toml").write_text("[tables")
    (tmp_path / "steps" / "odd.py").write_bytes(b"\xff@step\ndef odd(): ...")
    assert offer("read", "") == ["forecast", "orders"]
