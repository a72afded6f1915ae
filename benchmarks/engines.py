"""The same function and SQL on every engine, beside the engine's own way and Fugue's.

Times are without the start of an engine, which is told beside; all include reading Parquet
and, for functions, writing the result.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.children import (
    ROOT,
    Child,
    ChildError,
    Measure,
    Sample,
    run_child,
    subject,
    summarize,
)
from benchmarks.kit import Kit
from benchmarks.results import Row

GROUPS = 2_000
SIZES = (5_000_000, 50_000_000)
ENGINES = ("local", "spark", "ray", "dask")
OWN = {"local": "pandas", "spark": "spark", "ray": "ray", "dask": "dask"}
PEERS = ROOT / ".venvs" / "engine-peers" / "bin" / "python"
Way = tuple[str, str]
"""A tool and the engine that it uses."""

GROUP_BOUNDS: dict[str, dict[Way, float | None]] = {
    "local": {("native", "pandas"): 0.7},
    "spark": {("fugue", "spark"): 0.5},
    "ray": {("native", "pandas"): 1.0, ("fugue", "ray"): 0.2},
    "dask": {("native", "pandas"): 1.0, ("fugue", "dask"): 0.2},
}
SQL_PEERS: dict[str, dict[Way, float | None]] = {
    "local": {("native", "duckdb"): 1.1, ("native", "polars"): None, ("native", "pandas"): None},
    "spark": {("native", "spark"): 1.1},
    "ray": {("native", "duckdb"): None, ("native", "daft"): None},
    "dask": {("native", "duckdb"): None, ("native", "dask"): None},
}
NEEDED = 16e9
"""Bytes of memory that the largest size needs for its peers."""


@dataclass(frozen=True)
class Files:
    """Generated inputs, and where results go.

    Attributes:
        points: Rows of a key, a number and a measured value.
        names: A label for each key.
        result: File or folder that is made anew each time.
        rows: Rows of points.
    """

    points: Path
    names: Path
    result: Path
    rows: int


def make_files(kit: Kit, rows: int) -> Files:
    """Return the inputs, generated if they are not there."""
    rows = kit.scale(rows)
    columns = f"(hash(range) % {GROUPS})::bigint as k, range as t, random() as v"
    points = kit.make_parquet(f"points-{rows}", f"select {columns} from range({rows})")
    labels = f"select range::bigint as k, 'label ' || (range % 50) as label from range({GROUPS})"
    names = kit.make_parquet("names", labels)
    return Files(points, names, kit.scratch / "result", rows)


def child(kit: Kit, tool: str, task: str, engine: str, files: Files) -> Child:
    """Return the process that does a task with a tool on an engine."""
    peer = tool == "fugue" or engine == "daft"
    python = PEERS if peer else Path(sys.executable)
    if not python.exists():
        raise ChildError(f"{tool} is not installed")

    def prepare() -> None:
        if files.result.is_dir():
            shutil.rmtree(files.result)
        files.result.unlink(missing_ok=True)

    name = f"engines/{tool}_work"
    command = subject(name, task, engine, files.points, files.names, files.result, python=python)
    env = {
        "PYSPARK_PYTHON": str(python),
        "PYTHONPATH": str(ROOT / "benchmarks" / "subjects" / "engines"),  # for workers
        "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    }
    return Child(command, cwd=kit.scratch, env=env, prepare=prepare)


def measure_small(kit: Kit) -> list[Row]:
    """Time 100 rows: what a call costs beyond the work itself."""
    told = kit.measure({"small": Child(subject("engines/small"))}, 3)["small"].told
    more = told["segue"] - told["pandas"]
    row = "transform of 100 rows, beyond pandas"
    return [
        Row(row, max(more, 0.001), 1.5, "limit", "ms", 1.0, note=f"pandas {told['pandas']:.2f} ms"),
        Row("query of 100 rows", told["segue_sql"], told["duckdb"], "DuckDB", "ms", 1.5),
    ]


def measure_groups(kit: Kit) -> list[Row]:
    """Time a pandas function for each of 2,000 groups, from Parquet to Parquet."""
    rows: list[Row] = []
    for size in filter(kit.most.__ge__, SIZES):
        files = make_files(kit, size)
        wanted = {("segue", engine) for engine in ENGINES} | {("native", "pandas")}
        small = size == SIZES[0]
        if small:  # with more rows these take minutes
            wanted |= {("native", engine) for engine in ENGINES[1:]}
            wanted |= {("fugue", engine) for engine in ENGINES}
        found = measure_ways(kit, "groups", wanted, files, repeats=3 if small else 1)
        for engine in ENGINES:
            bounds = GROUP_BOUNDS[engine] if small else {}
            peers = dict.fromkeys([("native", "pandas"), ("native", OWN[engine])])
            peers |= {("fugue", engine): None} | bounds
            rows += set_beside("function per group", engine, peers, found, files)
    return rows


def measure_sql(kit: Kit) -> list[Row]:
    """Time an aggregate and a join in SQL."""
    rows: list[Row] = []
    for size in filter(kit.most.__ge__, SIZES):
        files = make_files(kit, size)
        for task in ("aggregate", "join"):
            wanted = {("segue", engine) for engine in ENGINES}
            wanted |= {peer for peers in SQL_PEERS.values() for peer in peers}
            found = measure_ways(kit, task, wanted, files, repeats=3)
            for engine in ENGINES:
                rows += set_beside(task, engine, SQL_PEERS[engine], found, files)
    return rows


def measure_ways(
    kit: Kit, task: str, wanted: set[Way], files: Files, repeats: int
) -> dict[Way, Measure]:
    """Measure several ways by turns; those that fail are told and left out."""
    if files.rows > SIZES[0] and psutil.virtual_memory().available < NEEDED:
        wanted = {way for way in wanted if way[0] == "segue"}
    samples: dict[Way, list[Sample]] = {way: [] for way in sorted(wanted)}
    for _ in range(kit.count(repeats)):
        for way in list(samples):
            try:
                samples[way].append(run_way(kit, *way, task, files))
            except ChildError as error:
                del samples[way]
                last = str(error).strip().splitlines()[-1][:200]
                print(f"  {way[0]} on {way[1]} is left out of {task}: {last}", flush=True)
    return {way: summarize(taken) for way, taken in samples.items()}


def run_way(kit: Kit, tool: str, engine: str, task: str, files: Files) -> Sample:
    """Do a task with a tool on an engine.

    Raises:
        ChildError: It failed, or did not tell what it made.
    """
    sample = run_child(child(kit, tool, task, engine, files))
    if "rows" not in sample.told:
        raise ChildError("it did not tell its rows")
    return sample


def set_beside(
    task: str,
    engine: str,
    peers: Mapping[Way, float | None],
    found: Mapping[Way, Measure],
    files: Files,
) -> list[Row]:
    """Return a line for each peer that was measured, with the bound of the ratio to it."""
    mine = found.get(("segue", engine))
    rows = []
    for peer, bound in peers.items():
        theirs = found.get(peer)
        if mine is None or theirs is None:
            continue
        if mine.told["rows"] != theirs.told["rows"]:
            raise ChildError(f"{task}: {mine.told['rows']} rows, {theirs.told['rows']} of {peer}")
        told = f"start {mine.told['start']:.1f} / {theirs.told['start']:.1f} s"
        rows.append(
            Row(
                f"{task} on {engine}, {files.rows / 1e6:g} M rows",
                mine.seconds,
                theirs.seconds,
                f"Fugue on {peer[1]}" if peer[0] == "fugue" else peer[1],
                "s",
                bound,
                mine.cpu / theirs.cpu,
                mine.peak,
                theirs.peak,
                note=f"{told}, driver {mine.told['driver'] / 1e6:,.0f} MB",
            )
        )
    return rows
