"""Parquet files that DuckDB writes, and what is recorded of Parquet files."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.engines.duckdb.digest import format_digest, hash_rows
from segue.engines.duckdb.layout import cast_expression, store_expression
from segue.engines.duckdb.stats import read_stats
from segue.engines.duckdb.types import (
    list_arguments,
    quote_path,
    read_schema,
)
from segue.errors import OutputError
from segue.spec.output import DataFile
from segue.spec.sql import quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb

    from segue.spec.scan import Scan
    from segue.spec.types import DataType, TableSchema

_FILE = "segue file of the row"


def match_columns(found: TableSchema, schema: TableSchema) -> None:
    """Refuse a result whose columns are not those of the schema, in whatever order.

    Raises:
        OutputError: A column is missing or not expected.
    """
    missing = [name for name in schema.names if name not in found.names]
    excess = [name for name in found.names if name not in schema.names]
    if missing:
        raise OutputError(
            f"the result has no column {missing[0]!r}", hint=f"its columns are: {found}"
        )
    if excess:
        raise OutputError(
            f"the result has a column {excess[0]!r} that its schema does not have",
            hint=f"the schema is: {schema}",
        )


def copy_sql(
    query: str,
    path: Path,
    found: TableSchema,
    schema: TableSchema,
    storage: Callable[[DataType], DataType],
) -> tuple[str, int]:
    """Return the statement that writes a query's rows, and how many bytes stand before it.

    Args:
        query: A SELECT.
        path: The file.
        found: What the query's columns are.
        schema: What they are to be, and in which order.
        storage: Gives the type in which a logical type is stored.
    """
    types = {column.name: column.type for column in found}
    columns = []
    for column in schema:
        value = cast_expression(quote_identifier(column.name), types[column.name], column.type)
        stored = store_expression(value, column.type, storage(column.type))
        columns.append(f"{stored} as {quote_identifier(column.name)}")
    begin = f"copy (select {', '.join(columns)} from (\n"
    options = (
        "format parquet, compression zstd, compression_level 1, return_stats, use_tmp_file false"
    )
    return f"{begin}{query}\n)) to {quote_text(str(path))} ({options})", len(begin.encode())


@contextmanager
def removed_on_failure(path: Path) -> Iterator[None]:
    """Remove a file that could not be finished."""
    try:
        yield
    except BaseException:  # an interrupt leaves half a file, too
        path.unlink(missing_ok=True)
        raise


def copy_rows(connection: duckdb.DuckDBPyConnection, statement: str, path: Path) -> tuple[Any, ...]:
    """Run what `copy_sql` made, and return what DuckDB tells of the file."""
    row: tuple[Any, ...] = connection.execute(statement).fetchall()[0]
    _sync_file(path)
    return row


def describe_file(
    connection: duckdb.DuckDBPyConnection,
    row: tuple[Any, ...],
    path: Path,
    schema: TableSchema,
    storage: Callable[[DataType], DataType],
) -> DataFile:
    """Return what is to be recorded of a file that `copy_rows` wrote."""
    columns = [(column.name, storage(column.type)) for column in schema]
    stats = {name: [row[4].get(quote_identifier(name), {})] for name, _ in columns}
    total = 0
    if row[1]:
        hashed = hash_rows((name, bool(type_.fields)) for name, type_ in columns)
        total = connection.execute(
            f"select {hashed} from read_parquet({list_arguments([str(path)])})"
        ).fetchall()[0][0]
    return DataFile(path.name, row[1], row[2], format_digest(total), read_stats(columns, stats))


def _sync_file(path: Path) -> None:
    """Make a file and its name safe from a loss of power."""
    for target in (path, path.parent):
        number = os.open(target, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def digest_files(connection: duckdb.DuckDBPyConnection, scan: Scan) -> tuple[DataFile, ...]:
    """Return what is to be recorded of each file of a scan."""
    if not scan.paths:
        return ()
    source = f"read_parquet({list_arguments(scan.paths)})"
    relation = connection.sql(f"from {source}")
    columns = [(each.name, each.type) for each in read_schema(relation.columns, relation.types)]
    if scan.schema is not None:
        order = scan.schema.names.index
        columns.sort(key=lambda column: order(column[0]))
    hashed = hash_rows((name, bool(type_.fields)) for name, type_ in columns)
    named = list_arguments(scan.paths, {"filename": quote_text(_FILE)})
    file = quote_identifier(_FILE)
    rows = connection.execute(
        f"select {file}, count(*), {hashed} from read_parquet({named}) group by all"
    ).fetchall()
    totals = {path: (count, total) for path, count, total in rows}
    texts = _read_metadata(connection, scan.paths)
    files = []
    for path in scan.paths:
        count, total = totals.get(path, (0, 0))
        stats = read_stats(columns, texts.get(path, {}))
        size = Path(path).stat().st_size
        files.append(DataFile(Path(path).name, count, size, format_digest(total), stats))
    return tuple(files)


def _read_metadata(
    connection: duckdb.DuckDBPyConnection, paths: tuple[str, ...]
) -> dict[str, dict[str, list[dict[str, str]]]]:
    """Return what `read_stats` reads, by file."""
    rows = connection.execute(
        "select file_name, path_in_schema, stats_min_value, stats_max_value, "
        "min_is_exact::varchar, max_is_exact::varchar, stats_null_count::varchar, "
        f"num_values::varchar from parquet_metadata([{', '.join(map(quote_path, paths))}])"
    ).fetchall()
    names = ("min", "max", "min_is_exact", "max_is_exact", "null_count", "num_values")
    files: dict[str, dict[str, list[dict[str, str]]]] = {}
    for path, column, *texts in rows:
        part = {name: text for name, text in zip(names, texts, strict=True) if text is not None}
        if ", " not in column:  # may be a field of a struct
            files.setdefault(path, {}).setdefault(column, []).append(part)
    return files
