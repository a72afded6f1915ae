"""Do the work with Fugue. Arguments: groups|aggregate|join, engine, points, names, result."""

import sys
import warnings

from work import AGGREGATE, JOIN, Watch, smooth

warnings.simplefilter("ignore")
task, engine, points, names, result = sys.argv[1:]

if __name__ == "__main__":
    watch = Watch()
    import fugue.api as fa
    import pandas as pd

    if engine == "spark":
        from pyspark.sql import SparkSession

        session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        on = session.config("spark.driver.memory", "3g").getOrCreate()
    elif engine == "ray":
        import ray

        ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level="ERROR")
        on = "ray"
    elif engine == "dask":
        from distributed import Client

        on = Client(n_workers=2, threads_per_worker=1, dashboard_address=None)
    else:
        on = {"local": "native"}[engine]

    def call(frame: pd.DataFrame) -> pd.DataFrame:
        return smooth(frame)

    warm = pd.DataFrame({"k": [1, 2], "t": [1, 2], "v": [0.5, 1.5]})
    made = fa.transform(
        warm, call, schema="*,level:double", partition={"by": "k"}, engine=on, as_local=True
    )
    watch.started()
    with fa.engine_context(on):
        if task == "groups":
            loaded = fa.load(points)
            made = fa.transform(loaded, call, schema="*,level:double", partition={"by": "k"})
            result = f"{result}.parquet"
            fa.save(made, result, mode="overwrite")
            rows = fa.count(fa.load(result))
        else:
            sql = AGGREGATE if task == "aggregate" else JOIN
            points, names = fa.load(points), fa.load(names)
            rows = len(fa.as_pandas(fa.fugue_sql(sql, points=points, names=names)))
    watch.tell(rows)
