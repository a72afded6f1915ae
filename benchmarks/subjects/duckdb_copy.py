"""Run every SELECT of a folder in DuckDB, each into a Parquet file.

Arguments: folder of the SELECTs, folder of the source tables, folder of the results.
"""

import json
import sys
import time
from pathlib import Path

began = time.perf_counter()
import duckdb  # noqa: E402  # importing is part of what a user waits for

queries, sources, results = map(Path, sys.argv[1:])
rows = {}
connection = duckdb.connect()
for path in sources.glob("*.parquet"):
    connection.execute(f"create view {path.stem} as from '{path}'")
for path in sorted(queries.glob("*.sql")):
    target = results / f"{path.stem}.parquet"
    copy = f"copy ({path.read_text()}\n) to '{target}' (format parquet)"
    rows[path.stem] = connection.execute(copy).fetchall()[0][0]
connection.close()
print(json.dumps({"seconds": time.perf_counter() - began, "rows": rows}))
