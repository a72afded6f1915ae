"""Moving the cut by one step changes one line, and what is published is the same."""

import json
import random

import pytest

from segue.agent.spool import Spool
from segue.agent.work.once import run_once
from segue.project.edge import cut
from segue.spec.arriving import Batch, Key
from segue.spec.edge_codec import write_edge

STEPS = ("typed", "modelled", "described", "wanted", "per_minute")
TOML = """\
[places.shops]
engine = "fleet"

[places.shops.options]
spool = "50MB"
when_full = "block"
batch_rows = 40

[tables.readings]
on = "shops"
kind = "tail"
path = "PATH/*.jsonl"
format = "json"
columns = {time = "timestamp", sensor = "string", value = "string"}

[tables.sites]
path = "sites.csv"
types = {sensor = "string", site = "string", room = "int64"}
"""
FILES = {
    "steps/typed.sql": 'select "time", sensor, try_cast(value as double) as value from readings',
    "steps/modelled.py": """\
import pyarrow as pa
import pyarrow.compute as pc
from segue import step
from models.heat import above

@step(schema="*, +excess: float64")
def modelled(typed: pa.Table, limit: float = 20.0) -> pa.Table:
    return typed.append_column("excess", above(typed["value"], limit))
""",
    "models/heat.py": """\
import pyarrow.compute as pc

def above(values, limit):
    return pc.max_element_wise(pc.subtract(values, limit), 0.0, skip_nulls=False)
""",
    "steps/described.sql": 'select "time", sensor, value, excess, site, room'
    " from modelled join sites using (sensor)",
    "steps/wanted.sql": "select * from described where value is not null and room < 4",
    "steps/per_minute.sql": """\
-- segue: {window: {column: time, size: 1m, every: 20s, late: 15s}}
select window_start, window_end, site, room, count(*) as n, sum(value) as total,
    max(excess) as worst
from wanted group by all
""",
    "steps/report.sql": "select site, room, window_start, n, total, worst from per_minute",
}


def readings(node, rows=400):
    """Yield the lines of a node's log: nearly in order, some of them without a number."""
    draw = random.Random(node)
    for number in range(rows):
        second = max(0, number + draw.randrange(-10, 1))
        time = f"2026-03-01T{8 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        value = "n/a" if draw.random() < 0.05 else str(draw.randrange(0, 80) / 2)
        yield json.dumps({"time": time, "sensor": f"{node}-{draw.randrange(6)}", "value": value})


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Write what the sensors of two nodes said."""
    folders = {}
    for node in ("n1", "n2"):
        folders[node] = tmp_path_factory.mktemp(node)
        text = "\n".join(readings(node)) + "\n"
        (folders[node] / "sensor.jsonl").write_text(text)
    return folders


def write_sites():
    sensors = [(f"{node}-{k}", f"site {node}", k) for node in ("n1", "n2") for k in range(5)]
    return "sensor,site,room\n" + "".join(f"{s},{site},{room}\n" for s, site, room in sensors)


def write_toml(count, log):
    """Return settings that place the first steps on the fleet: each is one line."""
    placed = "".join(f'{name}.on = "shops"\n' for name in STEPS[:count])
    return f'[project]\nname = "plant"\n{TOML}\n[steps]\n{placed}'.replace("PATH", str(log))


def work(built, node, root, hub):
    """Run the edge part at a node, and deliver what it sends."""
    made = cut(built.root, "shops")
    slot, home = root / node / "1", root / node / "home"
    for name in made.files:
        target = slot / "project" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((made.root / name).read_bytes())
    for name, data in made.tables.items():
        (slot / name).parent.mkdir(parents=True, exist_ok=True)
        (slot / name).write_bytes(data)
    slot.mkdir(parents=True, exist_ok=True)
    home.mkdir()
    (slot / "edge.json").write_bytes(write_edge(made.part))
    run_once(slot, home, node)
    with Spool(home / "spool.db", made.part.spool) as spool:
        for standing in spool.streams("lake"):
            for header, payload in spool.read("lake", standing.stream, standing.epoch, 0, 2**30):
                assert header.kind == "rows"
                batch = Batch(
                    header.stream, Key(node, header.epoch), header.first, header.last,
                    header.rows, payload=payload, format=header.format, digest=header.digest,
                    schema_id=header.schema, deployment=header.deployment,
                )  # fmt: skip
                hub.commit(batch)
    return made


def publish(make_fleet, open_arrivals, logs, tmp_path, count):
    """Run a project that is cut behind its first steps; return its report's version and rows."""
    name = f"cut{count}"
    built = make_fleet({**FILES, "sites.csv": write_sites()}, name=name)
    hub = open_arrivals(built)
    for node, log in logs.items():
        built.write({"segue.toml": write_toml(count, log)})
        made = work(built, node, tmp_path / f"{name}-nodes", hub)
        crossing = (("readings", *STEPS)[count],)
        assert tuple(each.table for each in made.part.sent) == crossing
        assert tuple(step.name for step in made.part.steps) == STEPS[:count]
    statuses = built.run()
    assert set(STEPS[count:]) < statuses.keys()
    assert not set(STEPS[:count]) & statuses.keys() - {crossing[0]}
    version = built.project.history("report")[-1]
    return version.content_hash, str(version.schema), built.rows("report")


def test_every_cut_publishes_the_same(make_fleet, open_arrivals, logs, tmp_path):
    first = publish(make_fleet, open_arrivals, logs, tmp_path, 0)
    assert len(first[2]) > 100
    for count in range(1, len(STEPS) + 1):
        assert publish(make_fleet, open_arrivals, logs, tmp_path, count) == first, count


def test_moving_the_cut_changes_one_line(logs):
    for count, name in enumerate(STEPS):
        before, after = (write_toml(n, logs["n1"]).splitlines() for n in (count, count + 1))
        assert after == [*before, f'{name}.on = "shops"']
