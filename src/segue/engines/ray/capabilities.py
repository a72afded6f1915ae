"""What Ray can do."""

from __future__ import annotations

from segue.protocols import Capabilities

CAPABILITIES = Capabilities(
    dialect="duckdb",
    scans=frozenset({"parquet"}),
    functions=True,
    distributed=True,
    sql_workers="one",
    extra="ray",
    requires=("ray",),
    schemes=("ray://",),
    start_seconds=6.0,
)
