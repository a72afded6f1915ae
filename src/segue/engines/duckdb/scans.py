"""How DuckDB reads the files of a scan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from segue.engines.duckdb.csv import csv_sql
from segue.engines.duckdb.file_failures import refuse_unknown_types, show_file
from segue.engines.duckdb.json import json_sql
from segue.engines.duckdb.layout import has_special, restore_expression
from segue.engines.duckdb.types import (
    list_arguments,
    refuse_case_twins,
    select_nothing,
    sql_type,
)
from segue.errors import SourceError
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    import pyarrow as pa

    from segue.spec.scan import Scan
    from segue.spec.types import DataType


def read_scan(connection: duckdb.DuckDBPyConnection, scan: Scan) -> str | pa.Table:
    """Return the SELECT that reads a scan's files, or their rows where SQL can't read them.

    Raises:
        SourceError: A file can't be read.
    """
    if not scan.paths:
        if scan.schema is None:
            raise SourceError("there is no file to read")
        return select_nothing(scan.schema)
    if scan.format == "arrow":
        from segue.engines.duckdb.arrow_files import read_arrow

        return read_arrow(scan)
    readers = {"parquet": _read_parquet, "csv": csv_sql, "json": json_sql}
    return readers[scan.format](connection, scan)


def _read_parquet(connection: duckdb.DuckDBPyConnection, scan: Scan) -> str:
    extra = {"union_by_name": "true"} if scan.options.get("union") else {}
    source = f"read_parquet({list_arguments(scan.paths, extra, hive=scan.hive)})"
    if scan.schema is None:
        relation = connection.sql(f"from {source}")
        refuse_unknown_types(scan, relation.columns)
        _refuse_renamed(scan, relation.columns)
        return f"select {_replace_types('*', scan.types)} from {source}"
    found: dict[str, Any] = {}
    if extra or any(has_special(column.type) for column in scan.schema):
        relation = connection.sql(f"from {source}")
        found = dict(zip(relation.columns, relation.types, strict=True))
    columns = []
    for column in scan.schema:
        name, kept = quote_identifier(column.name), found.get(column.name)
        if kept is None and extra:
            columns.append(f"null::{sql_type(column.type)} as {name}")
        elif kept is None:
            columns.append(f"{name}::{sql_type(column.type)} as {name}")
        else:
            columns.append(f"{restore_expression(name, column.type, kept)} as {name}")
    return f"select {', '.join(columns)} from {source}"


def _refuse_renamed(scan: Scan, columns: Sequence[str]) -> None:
    """Refuse a file with names that differ only by case: DuckDB gives the second a new one."""
    if any(re.search(r"_\d+$", name) for name in columns):
        import pyarrow.parquet as pq

        names = pq.read_schema(scan.paths[0]).names
        refuse_case_twins(f"the file {show_file(scan, scan.paths[0])}", names)


def _replace_types(columns: str, types: Mapping[str, DataType]) -> str:
    if not types:
        return columns
    casts = (
        f"{quote_identifier(name)}::{sql_type(type_)} as {quote_identifier(name)}"
        for name, type_ in types.items()
    )
    return f"{columns} replace ({', '.join(casts)})"
