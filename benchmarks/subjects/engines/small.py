"""Time small data: 100 rows. Prints milliseconds of each way, the medians of many calls."""

import json
import statistics
import time
from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd
from work import AGGREGATE, smooth

import segue

points = pd.DataFrame(
    {"k": np.arange(100) % 5, "t": np.arange(100), "v": np.random.default_rng(1).random(100)}
)


def call(frame: pd.DataFrame) -> pd.DataFrame:
    return smooth(frame)


def by_pandas() -> pd.DataFrame:
    return points.groupby("k", group_keys=False)[["k", "t", "v"]].apply(smooth)


def by_segue() -> pd.DataFrame:
    return segue.transform(points, call, by="k")


def ask_duckdb() -> pd.DataFrame:
    return duckdb.sql(AGGREGATE).df()


def ask_segue() -> pd.DataFrame:
    return segue.query(AGGREGATE, points=points)


def measure(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median milliseconds of each, measured by turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            taken[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


ways = {"pandas": by_pandas, "segue": by_segue, "duckdb": ask_duckdb, "segue_sql": ask_segue}
measure(ways, 5)
print(json.dumps(measure(ways, 200)))
