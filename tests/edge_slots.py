"""Unpacked bundles made by hand, and what a worker made of them, for tests of workers."""

import json
from pathlib import Path

import pyarrow as pa

from segue.agent.spool import Spool
from segue.agent.work.payload import name_schema, read_payload
from segue.spec.edge import (
    EdgeCheck,
    EdgePart,
    EdgeSource,
    EdgeStep,
    ReferenceTable,
    SentTable,
    SpoolSettings,
    WhenFull,
)
from segue.spec.edge_codec import write_edge
from segue.spec.step import FrameKind, FrameSpec, FunctionSpec
from segue.spec.types import parse_schema

SETTINGS = SpoolSettings(cap=200_000_000, when_full=WhenFull.BLOCK)
SCHEMA = "n: int64, sensor: string, value: float64"


def source(path, schema=SCHEMA, name="readings"):
    """Return a source of JSON lines."""
    return EdgeSource(name, "tail", {"path": str(path)}, "json", {}, parse_schema(schema))


def sql_step(name, sql, schema=SCHEMA, stream="readings", **more):
    """Return a SQL step."""
    return _step(name, stream, schema, sql=sql, **more)


def python_step(name, schema=SCHEMA, stream="readings", frame=FrameKind.ARROW, **more):
    """Return a Python step; its function is in ``steps/<name>.py``."""
    references = more.get("references", ())
    inputs = tuple((table, FrameSpec(frame)) for table in (stream, *references))
    function = FunctionSpec(f"steps/{name}.py", name, inputs, FrameSpec(frame))
    return _step(name, stream, schema, function=function, **more)


def _step(name, stream, schema, **more):
    given = {"references": (), "sql": None, "function": None, "window": None, "by": (), "sort": ()}
    given |= {"parameters": {}} | more
    return EdgeStep(
        name=name,
        stream=stream,
        fingerprint=name,
        reads=(stream, *given["references"]),
        schema=parse_schema(schema),
        **given,
    )


def sent(step_or_source):
    """Return a table that leaves the node."""
    schema = step_or_source.schema
    return SentTable(step_or_source.name, schema, name_schema(schema))


def check(table, name, breaks, *, sets_aside=True):
    """Return a check."""
    return EdgeCheck(table, name, breaks, sets_aside)


def write_slot(folder, sources, steps=(), *, send=None, files=None, references=None, **more):
    """Write a bundle as a node unpacks it, and return its folder.

    Args:
        folder: Where; its name is the generation.
        sources: Sources.
        steps: Steps.
        send: Tables that leave the node; the last step, or the source, if not stated.
        files: Modules of the project, by path.
        references: Reference tables, by name.
        more: Other parts of the edge part.
    """
    (folder / "project" / "steps").mkdir(parents=True)
    (folder / "tables").mkdir()
    for path, text in (files or {}).items():
        (folder / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "project" / path).write_text(text)
    known = []
    for name, table in (references or {}).items():
        with pa.ipc.new_file(folder / "tables" / f"{name}.arrow", table.schema) as writer:
            writer.write_table(table)
        schema = parse_schema(", ".join(f"{each.name}: {each.type}" for each in table.schema))
        known.append(ReferenceTable(name, f"tables/{name}.arrow", schema, "0" * 64))
    part = EdgePart(
        project="plant",
        fleet="shops",
        sources=tuple(sources),
        steps=tuple(steps),
        sent=tuple(sent(each) for each in send or [(*sources, *steps)[-1]]),
        references=tuple(known),
        needs_sql=True,
        **{"spool": SETTINGS, **more},
    )
    (folder / "edge.json").write_bytes(write_edge(part))
    return folder


def write_lines(path, rows):
    """Append rows as JSON lines."""
    with Path(path).open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def read_spool(home, reader="lake"):
    """Return the rows of each stream, in their order, and check that no sequence is missing."""
    found = {}
    with Spool(home / "spool.db", SETTINGS) as spool:
        for standing in spool.streams(reader):
            rows, last = found.setdefault(standing.stream, []), 0
            while records := spool.read(reader, standing.stream, standing.epoch, last, 10**8):
                for header, payload in records:
                    assert header.first == last + 1
                    last = header.last
                    if header.kind == "gap":
                        rows.append({"gap": header.rows, "reason": header.reason})
                    else:
                        table = read_payload(payload)
                        assert table.num_rows == header.rows
                        rows += table.to_pylist()
    return {stream: rows for stream, rows in found.items() if rows}


def read_headers(home, stream):
    """Return the headers of a stream's records."""
    with Spool(home / "spool.db", SETTINGS) as spool:
        return [
            record.header
            for standing in spool.streams("lake")
            if standing.stream == stream
            for record in spool.read("lake", stream, standing.epoch, 0, 10**9)
        ]
