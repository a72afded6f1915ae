"""A pandas function called for each of two thousand groups, against pandas alone."""

from __future__ import annotations

from benchmarks.children import Child, ChildError, subject
from benchmarks.kit import Kit
from benchmarks.projects import forget_lake, name_parquet, write_project
from benchmarks.results import Row

NAME = "groups"
ROWS = 5_000_000
GROUPS = 2_000

STEP = """\
import pandas as pd
from segue import step


@step(by="k")
def smooth(points: pd.DataFrame) -> pd.DataFrame:
    return points.assign(level=points["v"] - points["v"].mean())
"""


def measure(kit: Kit) -> list[Row]:
    """Time load, calls, write and, for segue, publication."""
    rows = kit.scale(ROWS)
    columns = f"(hash(range) % {GROUPS})::bigint as k, range as t, random() as v"
    path = kit.make_parquet(f"points-{rows}", f"select {columns} from range({rows})")
    project = write_project(
        kit.scratch / "groups", {"smooth.py": STEP}, name_parquet({"points": path})
    )
    result = kit.scratch / "smooth.parquet"
    found = kit.measure(
        {
            "segue": Child(subject("segue_run", project), prepare=lambda: forget_lake(project)),
            "pandas": Child(subject("pandas_groups", path, result)),
        },
        repeats=5,
    )
    mine, theirs = found["segue"], found["pandas"]
    if mine.told["rows"] != {"smooth": rows} or theirs.told["rows"] != rows:
        raise ChildError(f"{rows:,} rows were expected: {mine.told}, {theirs.told}")
    return [
        Row(
            f"a function for each of {GROUPS:,} groups",
            mine.seconds,
            theirs.seconds,
            "pandas",
            "s",
            1.0,
            mine.cpu / theirs.cpu,
            mine.peak,
            theirs.peak,
            note=f"{rows / 1e6:g} million rows",
        )
    ]
