import gzip

import pytest

from segue.errors import SourceError


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '[{"a": 1, "b": {"c": [1, 2]}}, {"a": 2}]'),
        ("a.json", '{"a": 1,\n "b": {"c": [1, 2]}}\n{"a": 2}'),
        ("a.jsonl", '{"a": 1, "b": {"c": [1, 2]}}\n{"a": 2}\n'),
        ("a.ndjson", '{"a": 1, "b": {"c": [1, 2]}}\n\n{"a": 2}'),
    ],
)
def test_ways_to_write_one_table(world, name, text):
    world.put(name, text)
    assert world.types("json", path=name) == "a: int64, b: struct<c: list<int64>>"
    expected = [{"a": 1, "b": {"c": [1, 2]}}, {"a": 2, "b": None}]
    assert world.read("json", path=name).to_pylist() == expected


def test_one_object_is_one_row(world):
    world.put("a.json", '{"a": 1}')
    assert world.read("json", path="a.json").to_pylist() == [{"a": 1}]


def test_mixed_values_are_text(world):
    world.put("a.jsonl", '{"a": 1}\n{"a": "x"}\n{"a": [1]}\n{"a": null}\n')
    assert world.read("json", path="a.jsonl")["a"].to_pylist() == ["1", "x", "[1]", None]


def test_types_can_be_stated(world):
    world.put("a.jsonl", '{"id": "0012", "day": "2020-01-01"}\n')
    assert world.types("json", path="a.jsonl", types={"day": "string"}) == (
        "id: string, day: string"
    )


def test_files_are_one_table(world):
    world.put("m/a.jsonl", '{"a": 1}\n')
    world.put("m/b.jsonl.gz", gzip.compress(b'{"b": "x"}\n'))
    expected = [{"a": 1, "b": None}, {"a": None, "b": "x"}]
    assert world.read("json", path="m").to_pylist() == expected


@pytest.mark.parametrize(
    ("text", "types", "line"),
    [
        ('{"a": 1}\n{"a":\n{"a": 2}\n', {}, 2),
        ('{"a": 1}\n{"a": "x"}\n', {"a": "int64"}, 2),
        ("", {}, None),
        ('{"a": 1}\n', {"b": "int64"}, None),
    ],
)
def test_a_bad_line_is_named(world, text, types, line):
    world.put("bad.jsonl", text)
    with pytest.raises(SourceError) as caught:
        world.read("json", path="bad.jsonl", types=types)
    assert (caught.value.location.path, caught.value.location.line) == ("bad.jsonl", line)
