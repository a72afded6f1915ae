"""Reports for CI servers, pull requests and browsers, of values that try to break out of them."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from segue.judge.findings import Findings
from segue.judge.reports.github import write_github
from segue.judge.reports.junit import write_junit
from segue.judge.reports.markdown import MOST, escape, write_markdown
from segue.judge.reports.page import write_page
from segue.spec.contract import Verdict
from tests.unit.judge.reporting import HOSTILE, make_findings, measured

WRITERS = (write_junit, write_markdown, write_page, write_github)


@pytest.mark.parametrize("write", WRITERS)
def test_no_control_character_gets_through(write):
    text = write(make_findings(subject="shop\x1b[2J\u202e"))

    assert text.encode("utf-8")
    assert not [c for c in text if not c.isprintable() and c not in "\n\u200b"]


@pytest.mark.parametrize("write", WRITERS)
def test_the_same_findings_give_the_same_text(write):
    assert write(make_findings()) == write(make_findings())


@pytest.mark.parametrize("write", WRITERS)
def test_nothing_found_is_a_report_as_well(write):
    write(Findings("shop", ()))


# The attributes and children that the schema of the Jenkins xUnit plug-in allows.
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors", "disabled"},
    "testsuite": {
        *("name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id"),
        *("package", "file", "group", "log", "url", "version", "disabled"),
    },
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase"],
    "properties": ["property"],
    "testcase": ["skipped", "error", "failure", "system-out", "system-err"],
}


def test_junit_keeps_to_the_common_schema():
    root = ET.fromstring(write_junit(make_findings()))

    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag], element.tag
        order = CHILDREN.get(element.tag, [])
        places = [order.index(child.tag) for child in element]
        assert places == sorted(places)
        for name in ("tests", "failures", "errors", "skipped"):
            assert element.get(name, "0").isdecimal()
        if "time" in element.attrib:
            float(element.get("time"))
        if "timestamp" in element.attrib:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", element.get("timestamp"))
    for suite in root:
        cases = suite.findall("testcase")
        assert len({case.get("name") for case in cases}) == len(cases) == int(suite.get("tests"))
        for word, name in (("failure", "failures"), ("error", "errors")):
            assert len(suite.findall(f"testcase/{word}")) == int(suite.get(name))
        assert all(case.get("name") and case.get("classname") for case in cases)


def test_junit_says_what_failed_and_why():
    root = ET.fromstring(write_junit(make_findings()))
    cases = {case.get("name"): case for case in root.iter("testcase")}

    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert failed == {"bad", "parts"}  # rows that are set aside stop nothing
    assert cases["broken"].find("error").get("message").startswith("can't be measured")
    assert "the rows are set aside" in cases["aside"].find("system-out").text
    told = cases["bad"].find("failure").text
    assert "97% of them have carrier = 'XX'" in told
    assert "declared in contracts.yml:5" in told
    assert "owner: owner@example.com" in told
    assert cases["bad"].get("time") == "0.250000"
    assert len(cases["good"]) == 0


class Page(HTMLParser):
    """Collects the elements of a page, and holds that each is closed."""

    VOID = ("meta", "br")

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_needs_nothing_and_runs_nothing():
    page = Page(write_page(make_findings()))

    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "base", "form", "a"}
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert not [v for _, attrs in page.tags for v in attrs.values() if v and "://" in v]
    policy = next(attrs["content"] for _, attrs in page.tags if "http-equiv" in attrs)
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_the_page_shows_hostile_values_as_text():
    page = Page(write_page(make_findings(subject="</title><script>x")))

    assert "<script>alert(1)</script>" in page.text
    assert "\\x1b[31mred" in page.text
    assert "\\u202egnp.exe" in page.text
    assert "مرحبا" in page.text
    assert max(map(len, page.text.split())) < 2000


def test_the_page_draws_history_segments_and_shares():
    page = Page(write_page(make_findings()))

    assert [tag for tag, _ in page.tags].count("polyline") == 1
    assert "28 measurements from 2026-01-01 to 2026-01-28: 0% to 0.4%" in page.text
    assert ("dl", {"class": "segments"}) in page.tags
    assert "97% of them have carrier = 'XX' (2% of all rows)" in page.text
    assert "select count(*) from orders where id < 0" in page.text


def test_markdown_has_one_table_row_for_each_check_that_is_not_well():
    text = write_markdown(make_findings())

    rows = [line for line in text.splitlines() if line.startswith(("| ✗", "| !"))]
    assert len(rows) == 5
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    assert "**stores**: 1 check: 1 pass, on 40 rows" in text


def test_markdown_lets_no_value_out_of_its_block():
    text = write_markdown(make_findings())
    fence, blocks = None, 0
    for line in text.splitlines():
        if fence is None and (opened := re.match(r"(`{3,})text$", line)):
            fence, blocks = opened[1], blocks + 1
        elif line == fence:
            fence = None
        elif fence is None:
            assert "<script" not in line
            assert not re.search(r"@\w", line)

    assert (fence, blocks) == (None, 2)


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_means_nothing_in_markdown(text):
    written = escape(text)

    assert "\n" not in written
    assert "<" not in written
    assert not re.search(r"(?<!\\)[|*`]", written)
    assert not re.search(r"[@#]\w|://\w", written)
    assert len(written) < 1000


def test_a_comment_is_never_longer_than_github_takes():
    many = [measured(f"check {at}", Verdict.FAIL, failing=1) for at in range(5000)]

    text = write_markdown(make_findings(*many))

    assert len(text) < MOST + 200
    assert "more parts are left out here" in text


def test_annotations_name_file_and_line_and_stay_on_one_line():
    findings = replace(make_findings(), folder="shop")
    lines = write_github(findings).splitlines()

    levels = [line[2:].partition(" ")[0] for line in lines]
    assert levels == ["error", "error", "error", "warning", "warning"]
    assert lines[0].startswith("::error file=shop/contracts.yml,title=orders%3A broken,line=7::")
    assert "%0A97%25 of them have carrier" in lines[1]
