"""What a deployment would change, in the words of the project."""

from dataclasses import replace

from segue.deploy.difference import compare_parts
from segue.spec.edge import (
    EdgePart,
    EdgeSource,
    EdgeStep,
    ReferenceTable,
    SpoolSettings,
    WhenFull,
)
from segue.spec.edge_codec import read_edge, write_edge
from segue.spec.types import parse_schema

SCHEMA = parse_schema("n: int64")
SOURCE = EdgeSource("readings", "tail", {"path": "a"}, "json", {}, SCHEMA)
STEP = EdgeStep(
    "hot",
    "readings",
    (),
    "f1",
    ("readings",),
    "select 1",
    None,
    None,
    (),
    (),
    {"limit": 80},
    SCHEMA,
)
PART = EdgePart("p", "f", (SOURCE,), (STEP,), (), SpoolSettings(100, WhenFull.BLOCK))


def tell(old, new):
    return [str(change) for change in compare_parts(old, new)]


def test_the_same_changes_nothing():
    assert tell(PART, PART) == []


def test_all_is_new_where_nothing_runs():
    assert tell(None, PART) == ["+ source readings", "+ step hot"]


def test_code_and_settings_are_told_apart():
    code = replace(STEP, fingerprint="f2", sql="select 2")
    setting = replace(STEP, parameters={"limit": 75})
    assert tell(PART, replace(PART, steps=(code,))) == ["~ step hot: code"]
    assert tell(PART, replace(PART, steps=(setting,))) == ["~ step hot: parameters limit 80 -> 75"]


def test_what_comes_and_goes_is_told():
    other = replace(PART, sources=(replace(SOURCE, name="other"),), memory=5, spool=replace(
        PART.spool, cap=200))  # fmt: skip
    assert tell(PART, other) == [
        "+ source other",
        "- source readings",
        "~ setting spool: cap 100 -> 200",
        "~ setting memory: None -> 5",
    ]


def test_rows_of_a_reference_table_are_told():
    table = ReferenceTable("sites", "tables/sites.arrow", SCHEMA, "d1")
    old, new = (replace(PART, references=(each,)) for each in (table, replace(table, digest="d2")))
    assert tell(old, new) == ["~ reference table sites: rows"]


def test_a_part_that_was_written_and_read_again_is_the_same():
    options = {"topics": ["hall/+/door"], "fields": {"by": ["sensor"]}, "none": []}
    part = replace(PART, sources=(replace(SOURCE, options=options),))
    assert tell(read_edge(write_edge(part)), part) == []
