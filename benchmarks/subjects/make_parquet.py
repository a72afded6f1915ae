"""Write the rows of a SELECT as Parquet. Arguments: the SELECT, the file."""

import sys
from pathlib import Path

import duckdb

query, path = sys.argv[1:]
connection = duckdb.connect()
connection.execute(f"copy ({query}) to '{path}.part' (format parquet)")
Path(f"{path}.part").rename(path)
