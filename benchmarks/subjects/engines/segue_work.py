"""Do the work with segue. Arguments: groups|aggregate|join, engine, points, names, result."""

import sys
import warnings

from work import AGGREGATE, JOIN, Watch, smooth

warnings.simplefilter("ignore")
task, engine, points, names, result = sys.argv[1:]


def call(frame: "pd.DataFrame") -> "pd.DataFrame":
    return smooth(frame)


if __name__ == "__main__":
    watch = Watch()
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    import segue

    on = None if engine == "local" else engine
    warm = pd.DataFrame({"k": [1, 2], "t": [1, 2], "v": [0.5, 1.5]})
    segue.transform(warm, call, by="k", on=on)
    segue.query("select k from points", points=warm, on=on)
    segue.query("select count(*) as n from names", names=names, on=on)  # as files are read
    watch.started()
    if task == "groups":
        schema = "*, level: float64"
        found = segue.transform(points, call, by="k", schema=schema, on=on, returns="arrow")
        pq.write_table(found, result)
    else:
        sql = AGGREGATE if task == "aggregate" else JOIN
        found = segue.query(sql, points=points, names=names, on=on, returns="arrow")
    assert isinstance(found, pa.Table)
    watch.tell(found.num_rows)
