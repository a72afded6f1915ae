"""What DuckDB can do."""

from __future__ import annotations

from segue.protocols import Capabilities

CAPABILITIES = Capabilities(
    dialect="duckdb",
    scans=frozenset({"csv", "json", "parquet", "arrow"}),
    functions=True,
    distributed=False,
)
