"""What the footers of Parquet files tell of their rows, without a look at these."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from segue.engines.duckdb.stats import read_stats
from segue.engines.duckdb.types import quote_path
from segue.spec.output import DataFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

    from segue.spec.scan import Scan
    from segue.spec.types import DataType, TableSchema

_Parts = dict[str, list[dict[str, str]]]
"""Texts of each part of a column, by name of the column."""

MOST = 1_000
"""Files whose footers are read; for more of them, a scan is hardly dearer."""

_INTEGERS = frozenset({"INT32", "INT64"})
_PHYSICAL = {
    "float32": frozenset({"FLOAT"}),
    "float64": frozenset({"DOUBLE"}),
    "decimal": frozenset({"INT32", "INT64", "FIXED_LEN_BYTE_ARRAY", "BYTE_ARRAY"}),
    "string": frozenset({"BYTE_ARRAY"}),
    "date": frozenset({"INT32"}),
    "timestamp": frozenset({"INT64"}),
}
"""How values are stored whose statistics order as they do."""

_FACTS = {
    "min": "stats_min_value",
    "max": "stats_max_value",
    "min_is_exact": "coalesce(min_is_exact, false)::varchar",
    "max_is_exact": "coalesce(max_is_exact, false)::varchar",
    "null_count": "stats_null_count::varchar",
    "num_values": "num_values::varchar",
    "has_nan": "(stats_nan_count > 0)::varchar",
}


def read_footers(
    connection: duckdb.DuckDBPyConnection, scan: Scan, schema: TableSchema
) -> tuple[DataFile, ...] | None:
    """Return the files of a scan with their rows and statistics; None if they don't tell.

    Args:
        connection: Where to read.
        scan: The files.
        schema: Columns as the scan is read.
    """
    if scan.format != "parquet" or not 0 < len(scan.paths) <= MOST:
        return None
    listed = ", ".join(map(quote_path, scan.paths))
    counted = connection.execute(
        f"select file_name, num_rows from parquet_file_metadata([{listed}])"
    ).fetchall()
    rows: dict[str, int] = dict(counted)
    facts = ", ".join(_FACTS.values())
    parts = connection.execute(
        f"select file_name, path_in_schema, type, {facts} from parquet_metadata([{listed}])"
    ).fetchall()
    if set(rows) != set(scan.paths):
        return None
    found: dict[str, _Parts] = {path: defaultdict(list) for path in scan.paths}
    stored = defaultdict(set)
    for file, column, kind, *texts in parts:
        stored[column].add(kind)
        told = zip(_FACTS, texts, strict=True)
        found[file][column].append({fact: text for fact, text in told if text is not None})
    columns = [
        (each.name, each.type)
        for each in schema
        if each.name not in scan.types
        and stored[each.name] <= _name_storage(each.type)
        and not (scan.hive and any(f"/{each.name}=" in path for path in scan.paths))
    ]
    return tuple(_describe(path, rows[path], columns, found[path]) for path in scan.paths)


def _name_storage(type_: DataType) -> frozenset[str]:
    return _INTEGERS if type_.is_integer else _PHYSICAL.get(type_.kind, frozenset())


def _describe(
    path: str, rows: int, columns: Iterable[tuple[str, DataType]], found: _Parts
) -> DataFile:
    # a column that the file lacks is all null, and not in its footer
    there = [(name, type_) for name, type_ in columns if name in found]
    bounded = [part for name, _ in there for part in found[name] if "min" in part]
    exact = all(part["min_is_exact"] == part["max_is_exact"] == "true" for part in bounded)
    stats = read_stats(there, found, exact=exact)
    return DataFile(path, rows, Path(path).stat().st_size, stats=stats | {"tightBounds": exact})
