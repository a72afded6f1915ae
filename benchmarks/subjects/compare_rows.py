"""Count tables that differ between a project and a folder of Parquet files.

Arguments: the project, the folder. Doubles agree if ten digits do: sums depend on threads.
"""

import json
import sys
from pathlib import Path

import duckdb

import segue

project, folder = Path(sys.argv[1]), Path(sys.argv[2])


def plain(path: Path) -> str:
    types = duckdb.sql(f"describe from '{path}'").fetchall()
    columns = [
        f'round("{name}", 10 - ceil(log10(abs("{name}") + 1))::int) as "{name}"'
        if kind == "DOUBLE"
        else f'"{name}"'
        for name, kind, *_ in types
    ]
    return ", ".join(columns)


different = []
with segue.load(project) as opened:
    for path in sorted(folder.glob("*.parquet")):
        mine = opened.read(path.stem)
        theirs = duckdb.sql(f"from '{path}'")
        columns = plain(path)
        a, b = f"(select {columns} from mine)", f"(select {columns} from theirs)"
        found = duckdb.sql(
            f"select count(*) from (({a} except all {b}) union all ({b} except all {a}))"
        ).fetchall()[0][0]
        if found or mine.num_rows != len(theirs):
            different.append(path.stem)
print(json.dumps({"different": different}))
