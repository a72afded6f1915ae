"""The fleet: draining a backlog, raw lines from end to end, idling, and one more node."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import psutil

from benchmarks.children import ChildError
from benchmarks.fleet_site import CORES, Site, call, write_fleet
from benchmarks.kit import Kit
from benchmarks.results import Row

NODES = 20
BACKLOG = 27_000_000
DRAIN_LIMIT = 40.0
LINES = 6_000_000
LINES_PER_SECOND = 300_000
WARM = 1_000
"""Lines that each node reads before the clock starts: all that is loaded late is there then."""
IDLE_LIMIT = 60_000_000
IDLE_SECONDS = 30.0
POLLERS = 1_000
SIZES = (1, 5, 20, 100)
EACH = 100_000
"""Rows that each of some nodes sends: too few to be packed, so that the hub writes them."""

PLACE = """
[project]
name = "plant"
[places.plant]
engine = "fleet"
address = "http://127.0.0.1:8443"
[places.plant.options]
spool = "4GB"
when_full = "block"
[tables.presses]
on = "plant"
kind = "tail"
path = "${HERE}/in/*.jsonl"
format = "json"
"""
MEASURES = (
    'columns = { n = "int64", measured = "timestamp", machine = "string", running = "bool",'
    ' shift = "int64", force = "float64", speed = "float64", heat = "float64",'
    ' power = "float64", sound = "float64" }\n'
)
FILTERED = {
    "steps/warm.sql": "select * from presses where heat > 70\n",
    "contracts.yml": "warm:\n  columns:\n    n: {required: true}\n"
    "    force: {between: [0, 1000]}\n",
}
PINNED = '[steps.warm]\non = "plant"\n'


def measure_drain(kit: Kit) -> list[Row]:
    """Let twenty agents send what their spools hold."""
    rows = kit.scale(BACKLOG) // NODES * NODES
    spent, site, _ = _drain(kit, "drain", NODES, rows)
    note = f"{rows / spent:,.0f} rows/s; {site.describe()}"
    limit = kit.scale(int(DRAIN_LIMIT * 10)) / 10
    return [
        Row(f"{rows / 1e6:.0f} M rows from 20 spools", spent, limit, "limit", "s", 1.0, note=note)
    ]


def measure_nodes(kit: Kit) -> list[Row]:
    """Let more and more nodes send as many rows each, and see what one more costs the hub."""
    rows = kit.scale(EACH)
    costs = [_drain(kit, f"nodes-{count}", count, rows * count)[2] for count in SIZES]
    told = ", ".join(
        f"{count}: {cost / (rows * count / 1e6):.2f}"
        for count, cost in zip(SIZES, costs, strict=True)
    )
    further = [costs[0] / SIZES[0]]
    further += [
        (costs[at] - costs[at - 1]) / (SIZES[at] - SIZES[at - 1]) for at in range(1, len(SIZES))
    ]
    note = f"{rows:,} rows a node; CPU of the hub a million rows, by nodes: {told} s"
    return [
        Row(
            f"one more node, at {count}",
            max(further[at], 0.0) * 1000,
            max(further[at - 1], 1e-6) * 1000,
            f"at {SIZES[at - 1]}",
            "ms",
            1.0,
            note=note,
        )
        for at, count in enumerate(SIZES)
        if at
    ]


def measure_lines(kit: Kit) -> list[Row]:
    """Take raw lines through a step and a contract at twenty nodes, into one table."""
    lines = kit.scale(LINES) // NODES * NODES
    folder = _begin(kit, "lines")
    project = write_fleet(folder / "project", {"segue.toml": PLACE + MEASURES + PINNED, **FILTERED})
    slot = _make_slot(folder)
    raw = folder / "raw.jsonl"
    told = call("lines", raw, lines // NODES, 70, WARM)
    kept, warm = told["kept"], told["first"] * NODES
    with Site(folder, _name_nodes(NODES)) as site:
        for node in site.nodes:
            _feed(site.home(node), raw, WARM)
        site.start_agents(slot)
        site.wait_for_rows(warm)
        for node in site.nodes:
            (site.home(node) / "raw.jsonl").hardlink_to(raw)
        began = time.monotonic()
        for node in site.nodes:
            (site.home(node) / "raw.jsonl").rename(site.home(node) / "in" / "b.jsonl")
        spent = site.wait_for_rows(warm + kept * NODES) - began
        time.sleep(1.5)  # a last look at what was used
    _refuse_doubles(project / "lake" / "warm", warm + kept * NODES)
    note = f"{lines / spent:,.0f} lines/s, {kept / (lines // NODES):.0%} kept; {site.describe()}"
    limit = lines / LINES_PER_SECOND
    name = f"{lines / 1e6:.1f} M raw lines, parsed to published"
    return [Row(name, spent, limit, "limit", "s", 1.0, note=note)]


def measure_idle(kit: Kit) -> list[Row]:
    """Look at an agent that has nothing to do, and at a hub that a thousand nodes ask."""
    folder = _begin(kit, "idle-agent")
    write_fleet(folder / "project", {"segue.toml": PLACE + MEASURES})
    slot = _make_slot(folder)
    seconds = IDLE_SECONDS / (10 if kit.quick else 1)
    with Site(folder, _name_nodes(1)) as site:
        (site.home("node-000") / "in").mkdir()
        site.start_agents(slot)
        time.sleep(10)
        before = site.cpu(site.nodes)
        time.sleep(seconds)
        share = (site.cpu(site.nodes) - before) / seconds
        held = site.memory("node-000")
        once = site.memory_shared_once("node-000")
    note = f"{once / 1e6:.0f} MB if what processes share is counted once"
    rows = [
        Row("idle agent, memory", held / 1e6, IDLE_LIMIT / 1e6, "limit", "MB", 1.0, note=note),
        Row("idle agent, a core", share * 1000, 10.0, "1 %", "ms", 1.0, note="of each second"),
    ]
    return [*rows, _measure_polls(kit, seconds)]


def _measure_polls(kit: Kit, seconds: float) -> Row:
    """Let a thousand nodes ask one hub what to do, and look at the hub."""
    count = kit.scale(POLLERS)
    folder = _begin(kit, "pollers")
    write_fleet(folder / "project", {"segue.toml": PLACE + MEASURES})
    with Site(folder, _name_nodes(count)) as site, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(call, "polls", folder / "homes", 3 * seconds)
        time.sleep(seconds)  # all have opened their sessions by then
        before = site.cpu(["hub"])
        time.sleep(seconds)
        share = (site.cpu(["hub"]) - before) / seconds
        told = asking.result()
    if told["linked"] < count:
        raise ChildError(f"{told['linked']} of {count} pollers had an answer: {told['error']}")
    return Row(f"hub that {count:,} nodes ask, a core", share * 1000, 1000.0, "1 core", "ms", 1.0)


def _drain(kit: Kit, name: str, count: int, rows: int) -> tuple[float, Site, float]:
    """Fill spools, start agents; return seconds, what was used, and the hub's CPU seconds."""
    folder = _begin(kit, name)
    project = write_fleet(folder / "project", {"segue.toml": PLACE + MEASURES})
    slot = _make_slot(folder)
    with Site(folder, _name_nodes(count)) as site:
        with ThreadPoolExecutor(psutil.cpu_count() or CORES) as pool:
            homes = [site.home(node) for node in site.nodes]
            list(pool.map(lambda home: call("fill", home, slot, rows // count), homes))
        idle = site.cpu(["hub"])
        began = time.monotonic()
        site.start_agents(slot)
        spent = site.wait_for_rows(rows) - began
        cpu = site.cpu(["hub"]) - idle
        time.sleep(1.5)  # a last look at what was used
    _refuse_doubles(project / "lake" / "presses", rows)
    shutil.rmtree(folder)
    return spent, site, cpu


def _make_slot(folder: Path) -> Path:
    """Write the edge part of a project as a slot, without signatures; return it."""
    call("slot", folder / "project", folder / "slot" / "1", "plant")
    return folder / "slot" / "1"


def _begin(kit: Kit, name: str) -> Path:
    folder = kit.scratch / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _name_nodes(count: int) -> tuple[str, ...]:
    return tuple(f"node-{number:03d}" for number in range(count))


def _feed(home: Path, raw: Path, lines: int) -> None:
    """Give a node a few lines to begin with."""
    (home / "in").mkdir(exist_ok=True)
    with raw.open() as whole:
        first = [next(whole) for _ in range(lines)]
    (home / "in" / "a.jsonl").write_text("".join(first))


def _refuse_doubles(table: Path, rows: int) -> None:
    """Count what is published, row by row."""
    import deltalake

    files = deltalake.DeltaTable(table).file_uris()
    query = "select count(*), count(distinct (_node, _sequence, n)) from read_parquet(?)"
    found = duckdb.execute(query, [files]).fetchone()
    if found is None or found[0] != rows:
        raise ChildError(f"{found} rows are in {table.name} in place of {rows:,}")
