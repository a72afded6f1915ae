"""Import segue and say what came with it."""

import json
import sys
import time

HEAVY = ("duckdb", "pyarrow", "pandas", "polars", "deltalake", "sqlalchemy", "sqlglot", "numpy")

began = time.perf_counter()
import segue  # noqa: E402, F401

seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "heavy": [name for name in HEAVY if name in sys.modules]}))
