"""What Spark can do."""

from __future__ import annotations

from segue.protocols import Capabilities

CAPABILITIES = Capabilities(
    dialect="spark",
    scans=frozenset({"parquet"}),
    functions=True,
    distributed=True,
    sql_workers="all",
    extra="spark",
    requires=("pyspark",),
    schemes=("sc://", "spark://", "local["),
    start_seconds=8.0,
    gaps={
        "distinct-maps": "upstream: Spark does not compare maps, so it can't tell equal ones",
        "sql-total-of-nothing": "upstream: Spark has no total of no rows among other groups",
    },
)
