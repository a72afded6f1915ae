"""What DuckDB can do."""

from __future__ import annotations

from segue.protocols import Capabilities

HASH_IDENTITY = "duckdb-hash-1"
"""Name of DuckDB's row hash; a DuckDB that hashes differently is refused."""

CAPABILITIES = Capabilities(
    dialect="duckdb",
    scans=frozenset({"csv", "json", "parquet", "arrow"}),
    functions=True,
    distributed=False,
    row_hash=HASH_IDENTITY,
)
