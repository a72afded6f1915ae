"""What Dask can do."""

from __future__ import annotations

from segue.protocols import Capabilities

CAPABILITIES = Capabilities(
    dialect="duckdb",
    scans=frozenset({"parquet"}),
    functions=True,
    distributed=True,
    sql_workers="one",
    extra="dask",
    requires=("dask", "distributed"),
    schemes=("tcp://", "tls://"),
    start_seconds=2.0,
)
