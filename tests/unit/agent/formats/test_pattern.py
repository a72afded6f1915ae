# ruff: noqa: DTZ001 - times of columns without a zone
from datetime import datetime

import pytest

from segue.agent.formats import check_format
from segue.agent.formats.grok import expand_pattern
from segue.agent.formats.grok_library import LIBRARY
from segue.agent.formats.pattern_split import find_fault
from segue.spec.types import parse_schema
from tests.unit.agent.formats.reading import parse

APACHE = (
    b'127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326\n'
    b"junk\n"
    b'::1 - - [10/Oct/2000:13:55:36 -0700] "-" 408 -\n'
)


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_every_pattern_of_the_library_is_one_of_re2(name):
    assert find_fault(expand_pattern(f"%{{{name}}}").pattern) == ""


MATCHES = {
    "INT": (["0", "-12", "+7"], ["1.5", "x", ""]),
    "NUMBER": (["1", "1.5", ".5", "-1e9"], ["1,5", "e", "."]),
    "WORD": (["abc", "a_1"], ["a b", "a-b"]),
    "UUID": (["123e4567-e89b-12d3-a456-426614174000"], ["123e4567"]),
    "IPV4": (["1.2.3.4", "255.255.255.255"], ["256.1.1.1", "1.2.3"]),
    "IPV6": (
        ["::", "::1", "1::", "fe80::1%eth0", "1:2:3:4:5:6:7:8", "1::3:8", "::ffff:1.2.3.4"],
        ["1:2:3", ":::", "12345::", "1:2:3:4:5:6:7:8:9"],
    ),
    "MAC": (["00:1a:2B:3c:4d:5e", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e"], ["00:1a"]),
    "HOSTNAME": (["a", "a.b-c.example"], ["-a", "a b"]),
    "HOSTPORT": (["a:80", "[::1]:443"], ["a", "a:"]),
    "EMAILADDRESS": (["a.b+c@example.com"], ["a@", "@b"]),
    "URI": (["http://u:p@h:8/p?q=1#f", "ftp://[::1]/x"], ["http:/x", "x"]),
    "UNIXPATH": (["/a/b.c", "/"], ["a/b"]),
    "WINPATH": ([r"C:\a\b", r"\\host\share"], ["C:/a"]),
    "QUOTEDSTRING": (['"a \\" b"', "'x'"], ['"a', "a"]),
    "TIMESTAMP_ISO8601": (
        ["2024-01-01T00:00:00Z", "2024-01-01 00:00", "2024-01-01T00:00:00.123+02:00"],
        ["2024-1-1", "00:00"],
    ),
    "HTTPDATE": (["10/Oct/2000:13:55:36 -0700"], ["10/10/2000"]),
    "SYSLOGTIMESTAMP": (["Oct 11 22:14:15", "Oct  1 22:14:15.5"], ["11 Oct"]),
    "LOGLEVEL": (["INFO", "warning", "Error"], ["loud"]),
    "DATE_EU": (["31.12.2024", "1/2/24"], ["2024-01-01"]),
    "BASE16NUM": (["0xff", "DEAD"], ["0xg"]),
}


@pytest.mark.parametrize("name", sorted(MATCHES))
def test_what_patterns_mean(name):
    for texts, kept in zip(MATCHES[name], (True, False), strict=True):
        for text in texts:
            rows, _ = parse("pattern", "x: string", text.encode() + b"\n", pattern=f"%{{{name}:x}}")
            assert bool(rows) is kept or not text, text


def test_a_line_of_a_web_server():
    schema = "client: string, ident: string, auth: string, timestamp: timestamp, verb: string, "
    schema += "request: string, httpversion: string, response: int16, bytes: int64"
    rows, rejects = parse(
        "pattern",
        schema,
        APACHE,
        pattern="%{COMMONAPACHELOG}",
        time_format={"timestamp": "%d/%b/%Y:%H:%M:%S %z"},
    )
    assert rows[0] == {
        "client": "127.0.0.1",
        "ident": "-",
        "auth": "frank",
        "timestamp": datetime(2000, 10, 10, 20, 55, 36),
        "verb": "GET",
        "request": "/a.gif",
        "httpversion": "1.0",
        "response": 200,
        "bytes": 2326,
    }
    assert (rows[1]["client"], rows[1]["verb"], rows[1]["bytes"]) == ("::1", None, None)
    assert rejects == [(b"junk", "does not match the pattern")]


def test_the_first_of_several_patterns_decides():
    options = {"pattern": ["%{WORD:a-b}=%{INT:c}", "%{INT:c}: %{DATA:a-b}"]}
    rows, rejects = parse("pattern", '"a-b": string, c: int64', b"x=1\n2: [y]\n3\n", **options)
    assert rows == [{"a-b": "x", "c": 1}, {"a-b": "[y]", "c": 2}]
    assert rejects == [(b"3", "does not match any pattern")]


def test_named_groups_patterns_of_ones_own_and_either_of_two_groups():
    options = {"pattern": r"(?P<n>\d+)(kg|g) (?:%{DOOR:door}|<%{DOOR:door}>)"}
    options["patterns"] = {"DOOR": "open|closed"}
    rows, _ = parse("pattern", "n: int64, door: string", b"5kg open\n6g <closed>\n", **options)
    assert rows == [{"n": 5, "door": "open"}, {"n": 6, "door": "closed"}]


def test_brackets_and_escapes_in_a_pattern_of_ones_own():
    found = expand_pattern(r"[(\]]\((?P<x>[]a(]+)(b)\)")
    assert found.pattern == r"[(\]]\((?P<g0>[]a(]+)(?:b)\)"


def test_nothing_backtracks_for_ever():
    rows, rejects = parse("pattern", "a: string", b"a" * 100_000 + b"b\n", pattern="(?P<a>(a+)+)$")
    assert (rows, len(rejects)) == ([], 1)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "pattern: must be stated"),
        ({"pattern": 3}, "pattern: must be a text or a list of texts"),
        ({"pattern": "%{IPP:x}"}, "pattern: there is no pattern called 'IPP': did you mean 'IP'?"),
        ({"pattern": "%{IP:x}(?=a)"}, "pattern: invalid perl operator: (?="),
        ({"pattern": r"(?P<x>a)\1"}, r"pattern: invalid escape sequence: \1"),
        ({"pattern": "(?P<x>a"}, "pattern: missing ): \\A(?:(?P<g0>a)\\z"),
        ({"pattern": "%{IP:y}"}, "pattern: 'y' is no column: there are: x"),
        ({"pattern": "%{INT:x:int}"}, "pattern: 'x' is taken as int, and the column is string"),
        ({"pattern": "abc"}, "pattern: nothing gives column 'x'"),
        (
            {"pattern": "%{A:x}", "patterns": {"A": "%{B}", "B": "%{A}"}},
            "pattern: patterns hold each other without end",
        ),
        ({"pattern": "%{IP:x}", "pattrns": {}}, "there is no option 'pattrns': did you mean"),
    ],
)
def test_what_can_not_be_meant_is_refused_at_declaration(options, problem):
    problems = check_format("pattern", options, parse_schema("x: string"))
    assert any(each.startswith(problem) for each in problems), problems
