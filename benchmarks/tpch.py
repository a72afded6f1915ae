"""The 22 queries of TPC-H as a published project, against DuckDB writing the same to Parquet."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.children import Child, ChildError, run_child, subject
from benchmarks.kit import Kit
from benchmarks.projects import forget_lake, name_parquet, write_project
from benchmarks.results import Row

NAME = "tpch"
QUERIES = Path(__file__).resolve().parent / "tpch"
BOUND = 1.15


def measure(kit: Kit) -> list[Row]:
    """Time the project against plain copies, then compare their rows."""
    sources = kit.make_tpch()
    steps = {path.name: path.read_text() for path in QUERIES.glob("*.sql")}
    tables = {path.stem: path for path in sorted(sources.glob("*.parquet"))}
    project = write_project(kit.scratch / "tpch", steps, name_parquet(tables))
    results = kit.scratch / "tpch-duckdb"

    def clear_results() -> None:
        shutil.rmtree(results, ignore_errors=True)
        results.mkdir()

    found = kit.measure(
        {
            "segue": Child(subject("segue_run", project), prepare=lambda: forget_lake(project)),
            "duckdb": Child(
                subject("duckdb_copy", QUERIES, sources, results), prepare=clear_results
            ),
        },
        repeats=5,
    )
    mine, theirs = found["segue"], found["duckdb"]
    if mine.told["rows"] != theirs.told["rows"]:
        raise ChildError(f"different rows: {mine.told['rows']} and {theirs.told['rows']}")
    compared = run_child(Child(subject("compare_rows", project, results)))
    if compared.told["different"]:
        raise ChildError(f"different rows in {', '.join(compared.told['different'])}")
    return [
        Row(
            "22 TPC-H queries, published",
            mine.median("run"),
            theirs.seconds,
            "DuckDB",
            "s",
            BOUND,
            peak=mine.peak,
            peer_peak=theirs.peak,
            note="project.run(), with what it imports",
        ),
        Row(
            "  with import and load",
            mine.seconds,
            theirs.seconds,
            "DuckDB",
            "s",
            None,
            mine.cpu / theirs.cpu,
            mine.peak,
            theirs.peak,
        ),
    ]
