"""A report as JUnit XML, which CI servers read: a table is a suite, a check is a test case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from segue.judge.reports.lines import tell_row
from segue.spec.contract import Verdict
from segue.spec.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.judge.findings import Findings
    from segue.spec.contract import Measurement, Report

_NO_CHARACTER = re.compile("[\ufffe\uffff]")
"""Printable for Python, and refused by every reader of XML."""


def write_junit(findings: Findings) -> str:
    """Return findings as JUnit XML.

    A check that fails, and does not set its rows aside, is a failure; one that can't be
    measured is an error. What warns or sets rows aside passes, and says so in its output.
    """
    root = ET.Element("testsuites", {"name": _clean(findings.subject)})
    suites = [_add_suite(root, findings, report) for report in findings.reports]
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in suites)))
    root.set("time", f"{sum(float(suite.get('time', 0)) for suite in suites):.6f}")
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _add_suite(root: ET.Element, findings: Findings, report: Report) -> ET.Element:
    words = [_outcome(found) for found in report.measurements]
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": _clean(report.table),
            "tests": str(len(words)),
            "failures": str(words.count("failure")),
            "errors": str(words.count("error")),
            "skipped": "0",
            # queries that checks share are counted for each: a sum would be too long
            "time": f"{max((found.seconds or 0 for found in report.measurements), default=0):.6f}",
            "timestamp": findings.at[:19],
        },
    )
    facts = ET.SubElement(suite, "properties")
    for name, value in (("rows", str(report.rows)), ("owner", findings.owner(report.table))):
        if value:
            ET.SubElement(facts, "property", {"name": name, "value": _clean(value)})
    for found, word in zip(report.measurements, words, strict=True):
        _add_case(suite, findings, found, word)
    return suite


def _add_case(suite: ET.Element, findings: Findings, found: Measurement, word: str) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "name": _clean(found.check),
            "classname": _clean(found.table),
            "time": f"{found.seconds or 0:.6f}",
        },
    )
    told = "\n".join(map(_clean, _tell(findings, found)))
    if word:
        told_in = {"message": _clean(found.message), "type": _clean(found.kind)}
        ET.SubElement(case, word, told_in).text = told
    elif found.verdict is not Verdict.PASS:
        ET.SubElement(case, "system-out").text = told


def _outcome(found: Measurement) -> str:
    if found.verdict is Verdict.ERROR:
        return "error"
    return "failure" if found.verdict is Verdict.FAIL and not found.rejected else ""


def _tell(findings: Findings, found: Measurement) -> Iterator[str]:
    """Go through the lines of what is known of a check that is not well."""
    yield found.message
    if found.rejected:
        yield "the rows are set aside"
    yield from found.shared
    for row in found.sample:
        yield f"such as {tell_row(found, row)}"
    if where := findings.locate(found):
        yield f"declared in {where}"
    if owner := findings.owner(found.table):
        yield f"owner: {owner}"


def _clean(text: str) -> str:
    """Return text without what XML has no way to write, not even escaped."""
    return _NO_CHARACTER.sub("\ufffd", printable(text))
