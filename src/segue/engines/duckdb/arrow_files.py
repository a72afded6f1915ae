"""Arrow tables for DuckDB: files of Arrow's own formats, and tables that are bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from segue.engines.duckdb.types import refuse_case_twins
from segue.errors import Location, SourceError, SqlError
from segue.frames.arrow_types import conform, from_arrow
from segue.spec.types import Column, DataType, TableSchema

if TYPE_CHECKING:
    from segue.spec.scan import Scan


def read_arrow(scan: Scan) -> pa.Table:
    """Read the files of a scan; pages are mapped, so that unread columns cost nothing.

    Raises:
        SourceError: A file is damaged, or its columns are not those of the first.
    """
    shown = scan.options.get("shown", {})
    tables = [_read_file(path, shown.get(path, path)) for path in scan.paths]
    first = tables[0].schema
    for path, table in zip(scan.paths, tables, strict=True):
        if not scan.options.get("union") and not table.schema.equals(first):
            raise SourceError(
                f"its columns ({from_arrow(table.schema)}) are not those of the first file "
                f"({from_arrow(first)})",
                location=Location(shown.get(path, path)),
                hint="set union = true to fill missing columns with nulls",
            )
    mode = "permissive" if scan.options.get("union") else "none"
    try:
        whole = pa.concat_tables(tables, promote_options=mode)
        schema = from_arrow(whole.schema)
        typed = (Column(each.name, scan.types.get(each.name, each.type)) for each in schema)
        return prepare_table("the source", conform(whole, TableSchema(tuple(typed))))
    except (pa.ArrowException, ValueError) as error:
        path = shown.get(scan.paths[0], scan.paths[0])
        raise SourceError(str(error), location=Location(path)) from None


def _read_file(path: str, shown: str) -> pa.Table:
    try:
        with pa.memory_map(path) as source:
            try:
                table = pa.ipc.open_file(source).read_all()
            except pa.ArrowInvalid:
                source.seek(0)
                table = pa.ipc.open_stream(source).read_all()
        # damaged buffers can read without an error and crash much later
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"the file can't be read: {str(error).partition(chr(10))[0]}",
            location=Location(shown),
            hint="is it whole, and an Arrow file?",
        ) from None
    return table


def prepare_table(name: str, table: pa.Table) -> pa.Table:
    """Return a table with what DuckDB can't see brought to what it can.

    Raises:
        SqlError: Two columns differ only by case, a type can't be a column, or there is none.
    """
    refuse_case_twins(f"table {name!r}", table.schema.names)
    if not table.schema.names:
        raise SqlError(f"table {name!r} has no columns")
    try:
        schema = from_arrow(table.schema)
        seen = (Column(column.name, _visible_type(column.type)) for column in schema)
        return conform(table, TableSchema(tuple(seen)))
    except ValueError as error:
        raise SqlError(f"table {name!r}: {error}") from None


def _visible_type(type_: DataType) -> DataType:
    """Return the type with durations in microseconds, the only ones that SQL has."""
    if type_.kind == "duration":
        return DataType("duration", ("us",))
    fields = tuple((name, _visible_type(part)) for name, part in type_.fields)
    return DataType(type_.kind, type_.arguments, fields)
