"""Do the work with an engine's own API. Arguments: task, engine, points, names, result."""

import sys
import warnings

from work import AGGREGATE, JOIN, Watch, smooth

warnings.simplefilter("ignore")
task, engine, points, names, result = sys.argv[1:]
SQL = AGGREGATE if task == "aggregate" else JOIN


def run_pandas(watch: Watch) -> int:
    import pandas as pd

    watch.started()
    frame = pd.read_parquet(points)
    if task == "groups":
        made = frame.groupby("k", group_keys=False)[["k", "t", "v"]].apply(smooth)
        made.to_parquet(result, index=False)
        return len(made)
    if task == "join":
        frame = frame.merge(pd.read_parquet(names), on="k")
        return len(frame.groupby("label").agg(n=("k", "size"), total=("t", "sum")))
    return len(frame.groupby("k").agg(n=("k", "size"), total=("t", "sum"), mean=("v", "mean")))


def run_polars(watch: Watch) -> int:
    import polars as pl

    pl.scan_parquet(names).collect()
    watch.started()
    context = pl.SQLContext(points=pl.scan_parquet(points), names=pl.scan_parquet(names))
    return context.execute(SQL, eager=True).height


def run_duckdb(watch: Watch) -> int:
    import duckdb

    connection = duckdb.connect()
    connection.sql(f"select count(*) as n from '{names}'").to_arrow_table()
    watch.started()
    connection.execute(f"create view points as from '{points}'")
    connection.execute(f"create view names as from '{names}'")
    return connection.sql(SQL).to_arrow_table().num_rows


def run_daft(watch: Watch) -> int:
    import daft

    watch.started()
    found = daft.sql(SQL, points=daft.read_parquet(points), names=daft.read_parquet(names))
    return found.to_arrow().num_rows


def run_spark(watch: Watch) -> int:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.memory", "3g")
    builder = builder.config("spark.sql.execution.arrow.pyspark.enabled", "true")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.range(2).count()
    watch.started()
    session.read.parquet(points).createOrReplaceTempView("points")
    session.read.parquet(names).createOrReplaceTempView("names")
    if task != "groups":
        return session.sql(SQL).toArrow().num_rows
    made = session.table("points").groupby("k")
    made = made.applyInPandas(smooth, "k long, t long, v double, level double")
    made.write.mode("overwrite").parquet(result)
    return session.read.parquet(result).count()


def run_ray(watch: Watch) -> int:
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    ray.data.range(2).count()
    watch.started()
    made = ray.data.read_parquet(points).groupby("k").map_groups(smooth, batch_format="pandas")
    made.write_parquet(result)
    return ray.data.read_parquet(result).count()


def run_dask(watch: Watch) -> int:
    import dask.dataframe as dd
    from distributed import Client

    Client(n_workers=2, threads_per_worker=1, dashboard_address=None)
    watch.started()
    frame = dd.read_parquet(points)
    if task == "groups":
        meta = {"k": "i8", "t": "i8", "v": "f8", "level": "f8"}
        made = frame.groupby("k", group_keys=False)[["k", "t", "v"]].apply(smooth, meta=meta)
        made.to_parquet(result)
        return len(dd.read_parquet(result))
    if task == "join":
        frame = frame.merge(dd.read_parquet(names), on="k")
        return len(frame.groupby("label").agg({"k": "size", "t": "sum"}).compute())
    return len(frame.groupby("k").agg({"k": "size", "t": "sum", "v": "mean"}).compute())


if __name__ == "__main__":
    watch = Watch()
    watch.tell(globals()[f"run_{engine}"](watch))
