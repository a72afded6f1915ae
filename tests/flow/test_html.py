"""What notebooks show of a project: readable, complete, and never more than text."""

import re
from html.parser import HTMLParser

import pytest

from segue.errors import RunError
from tests.flow.building import TOML, lines, source

EVIL = '<script>alert("1")</script>&amp;'
CANARY = "hunter2-canary"
VOID = ("br", "path", "rect")


class Page(HTMLParser):
    """Reads HTML strictly: tags are closed in order, and only harmless ones are there."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.tags = [], [], set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        assert all(not name.startswith("on") for name, _ in attributes)
        assert all("://" not in (value or "") or name == "xmlns" for name, value in attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


def read(thing):
    """Return the text of what a notebook shows."""
    page = Page()
    markup = thing._repr_html_()
    page.feed(markup)
    page.close()
    assert page.open == []
    assert not page.tags & {"script", "img", "link", "iframe", "object"}
    assert not re.search(r"@import|url\((?!#)", markup)
    return " ".join(page.text)


@pytest.fixture
def shop(make_project, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", CANARY)
    return make_project(
        {
            "segue.toml": TOML + source("raw", "in/${SHOP_TOKEN}/a.csv"),
            f"in/{CANARY}/a.csv": lines(f'n,"{EVIL.replace(chr(34), chr(34) * 2)}"', "1,x", "1,y"),
            "steps/kept.sql": "select * from raw",
            "steps/counted.sql": "select count(*) as n from kept",
            "contracts.yml": f"kept:\n  owner: {EVIL!r}\n  about: {EVIL!r}\n"
            "  columns:\n    n: {unique: {warn: 0, fail: 5}}\n",
        }
    )


def test_plan(shop):
    text = read(shop.project.plan())
    assert "counted" in text
    assert "never ran" in text
    assert "2 steps run." in text
    assert CANARY not in text


def test_run_and_what_it_made(shop):
    result = shop.project.run()
    text = read(result)
    assert result.run_id in text
    assert "done" in text
    assert "n unique" in text  # what did not pass is told
    assert "such as" in text
    assert "there was nothing to do" in read(shop.project.run())
    tables = read(shop.project.tables())
    assert EVIL in tables
    assert "rejects" not in tables
    kept = next(each for each in shop.project.tables() if each.name == "kept")
    assert EVIL in read(kept)
    assert "int64" in read(kept)
    assert result.run_id in read(shop.project.runs())


def test_reports(shop):
    shop.project.run()
    reports = shop.project.check()
    assert "! warn" in read(reports)
    assert EVIL in read(reports[0])  # in the sample's rows
    assert reports == tuple(reports)


def test_failed_run(shop):
    shop.edit("contracts.yml", "fail: 5", "fail: 1")
    with pytest.raises(RunError):
        shop.project.run()
    text = read(shop.project.run(check=False))
    assert "failed" in text
    assert "✗ fail" in text
    shop.write({"steps/counted.sql": f"select error('{EVIL}')::int as n from raw"})
    text = read(shop.project.run("counted", check=False))
    assert EVIL in text
    assert "counted" in text


def test_project_and_lineage(shop):
    text = read(shop.project)
    assert all(name in text for name in ("raw", "kept", "counted", "source", "replace", "local"))
    assert "kept" in read(shop.project.lineage())
    shop.project.run()
    assert "counted.n" in read(shop.project.column_lineage("counted.n"))


def test_project_without_steps_and_contracts(make_project):
    project = make_project({"segue.toml": TOML}).project
    assert "There are no steps to run." in read(project.plan())
    assert "There are no contracts." in read(project.check())
    assert read(project)
    assert read(project.tables())
    assert read(project.runs())
