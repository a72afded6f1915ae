"""Where a block is cut, and what else is in it, does not change what becomes of a line."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.agent.formats.reading import open_for

SCHEMA = (
    "n: int64, u: uint8, f: float32, s: string, b: bool, d: decimal(6,2), at: timestamp, "
    "z: timestamp(us, UTC), day: date, l: list<int64>"
)
NESTED = "n: int64, m: map<string, float64>, st: struct<a: date, b: list<string>>"

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-300, 300),
    st.integers(-(2**66), 2**66),
    st.floats(),
    st.floats(width=32),
    st.text(max_size=5),
    st.sampled_from(
        ["2024-01-01T00:00:00Z", "2024-01-01 10:00", "2024-01-01", "1.5", "12345.678", " 1", "1"]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
names = st.sampled_from(["n", "u", "f", "s", "b", "d", "at", "z", "day", "l", "m", "st", "x"])
objects = st.dictionaries(names, values, max_size=4).map(lambda each: json.dumps(each).encode())
fragments = st.lists(
    st.sampled_from(
        [
            *(b"{", b"}", b'"n"', b":", b",", b"1", b"null", b"[", b"]", b" ", b"\r", b'"', b"\\"),
            *(b"x", b"=", b";", b"'", b"\xc3\xa9", b"\xff", b"n=1", b'"n":1', b"Inf", b"NaN"),
        ]
    ),
    max_size=8,
).map(b"".join)
texts = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=12)
lines = st.lists(st.one_of(objects, fragments, texts.map(str.encode)), max_size=30)

FORMATS = {
    "json": ("json", SCHEMA, {}),
    "json, nested": ("json", NESTED, {"epoch": {}}),
    "json, epochs": ("json", "at: timestamp, z: timestamp(ms, UTC)", {"epoch": {"at": "ms"}}),
    "csv": ("csv", "n: int64, s: string", {}),
    "csv, one column": ("csv", "s: string", {"escape": "\\", "header": False}),
    "logfmt": ("logfmt", "n: int64, x: string", {}),
    "pairs": ("pairs", "n: int64, x: string", {"between": ";", "quote": "'"}),
    "pattern": ("pattern", "n: int64, s: string", {"pattern": "%{DATA:s}(?:%{INT:n})?"}),
    "text": ("text", "s: string", {}),
    "text, numbers": ("text", "d: decimal(6,2)", {"decimal": ","}),
}


def take(format_, data):
    parsed = format_.parse(data)
    parsed.table.validate(full=True)
    rejects = [(each["line"], each["reason"]) for each in parsed.rejects.to_pylist()]
    return [repr(row) for row in parsed.table.to_pylist()], Counter(rejects)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=150, deadline=None)
@given(lines=lines)
def test_a_line_means_the_same_alone_and_among_others(name, lines):
    kind, schema, options = FORMATS[name]
    format_ = open_for(kind, schema, **options)
    together = take(format_, b"".join(line + b"\n" for line in lines))
    alone = [take(format_, line + b"\n") for line in lines]
    assert together[0] == [row for rows, _ in alone for row in rows]
    assert together[1] == sum((rejects for _, rejects in alone), Counter())


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=8, deadline=None)
@given(lines=lines)
def test_each_line_is_a_row_or_a_reject_or_blank(name, lines):
    kind, schema, options = FORMATS[name]
    rows, rejects = take(open_for(kind, schema, **options), b"\n".join(lines) + b"\n")
    blank = sum(not line.strip() or (kind == "csv" and line.strip() == b"s") for line in lines)
    assert len(lines) - blank <= len(rows) + rejects.total() + (kind != "json") * blank
    assert len(rows) + rejects.total() <= len(lines)
