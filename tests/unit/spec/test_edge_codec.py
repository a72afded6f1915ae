"""An edge part survives its JSON, and nothing odd is read."""

import json
from dataclasses import replace

import pytest

from segue.errors import BundleError
from segue.spec.edge import (
    DestinationSpec,
    EdgeCheck,
    EdgePart,
    EdgeSource,
    EdgeStep,
    ReferenceTable,
    SentTable,
    SpoolSettings,
    StreamAlert,
    WhenFull,
    WindowKind,
    WindowSpec,
)
from segue.spec.edge_codec import MAX_BYTES, read_edge, write_edge
from segue.spec.step import FrameKind, FrameSpec, FunctionSpec
from segue.spec.types import parse_schema

SCHEMA = parse_schema('at: timestamp, "the value": float64, sensor: string')
FUNCTION = FunctionSpec(
    "steps/clean.py",
    "clean",
    (("readings", FrameSpec(FrameKind.ARROW, iterator=True)),),
    FrameSpec(FrameKind.ARROW),
    (("limit", 1.5), ("name", None)),
)
WINDOW = WindowSpec(WindowKind.SLIDING, "at", 60_000_000, 10_000_000, 5, ("sensor",))
STEP = EdgeStep(
    "clean",
    "readings",
    ("sites",),
    "f" * 32,
    ("readings", "sites"),
    None,
    FUNCTION,
    WINDOW,
    ("sensor",),
    ("-at",),
    {"limit": 2.5, "on": True, "no": None},
    SCHEMA,
    "models/a.onnx",
)
PART = EdgePart(
    "shop",
    "shops",
    (EdgeSource("readings", "tail", {"path": "/x/*.log", "n": [1, {"a": None}]}, "csv",
                {"delimiter": ";"}, SCHEMA),),
    (STEP, replace(STEP, name="more", sql="select 1", function=None, window=None, model=None)),
    (SentTable("clean", SCHEMA, "0" * 16, ("archive",), lake=False),),
    SpoolSettings(10**9, WhenFull.DROP_OLDEST),
    (EdgeCheck("clean", "value above 0", "(value <= 0)", sets_aside=True),),
    (ReferenceTable("sites", "tables/sites.arrow", SCHEMA, "d" * 64),),
    (DestinationSpec("archive", "s3", {"bucket": "b", "key": "${KEY}"}),),
    (StreamAlert("hot", "clean", "value > 9", 4, "sensor", 60, "at", ("mqtt://x",), "hot!", 5),),
    512 * 10**6,
    0.5,
    needs_sql=True,
    secrets=("KEY",),
)  # fmt: skip


def change(*path, value):
    document = json.loads(write_edge(PART))
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(document).encode()


def freeze(value):
    if isinstance(value, list | tuple):
        return tuple(map(freeze, value))
    return {k: freeze(v) for k, v in value.items()} if isinstance(value, dict) else value


def test_what_is_written_is_read():
    read = read_edge(write_edge(PART))
    source = replace(PART.sources[0], options=freeze(PART.sources[0].options))
    assert read == replace(PART, sources=(source,))
    assert write_edge(read) == write_edge(PART)


def test_what_has_a_default_may_be_missing():
    assert read_edge(change("cpu", value=...)).cpu is None


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("format",), 2, "format 2"),
        (("format",), ..., "format None"),
        (("surprise",), 1, "'surprise'"),
        (("spool",), ..., "'spool'"),
        (("spool", "when_full"), "explode", "explode"),
        (("spool", "cap"), -1, "above 0"),
        (("spool", "cap"), True, "above 0"),
        (("steps", 0, "name"), "../x", "no name"),
        (("steps", 0, "model"), "../x", "no path"),
        (("steps", 0, "function", "path"), "/etc/x", "no path"),
        (("steps", 0, "window", "every"), 0, "above 0"),
        (("steps", 0, "schema"), "a: nothing", "unknown type"),
        (("references", 0, "file"), "a\\..\\b", "no path"),
        (("sent",), {}, "list"),
        (("sent",), [1] * 10_001, "list"),
        (("sources", 0), 7, "a table"),
    ],
)
def test_odd_parts_are_refused(path, value, told):
    with pytest.raises(BundleError, match=told):
        read_edge(change(*path, value=value))


@pytest.mark.parametrize("data", [b"", b"[]", b"nothing", b"[" * 100_000, b" " * (MAX_BYTES + 1)])
def test_other_bytes_are_refused(data):
    with pytest.raises(BundleError):
        read_edge(data)
