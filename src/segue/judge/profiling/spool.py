"""Rows that are dear to read again, written once to where each column is read by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from pathlib import Path

    from segue.protocols import LocalSession
    from segue.spec.types import DataType, TableSchema


def spool_rows(session: LocalSession, table: str, schema: TableSchema, folder: Path) -> None:
    """Bind a table to a copy of its rows in Parquet.

    Args:
        session: The local engine, in which the table is bound.
        table: Name of the table.
        schema: Its columns.
        folder: Folder for the copy, which the caller removes.
    """
    query = f"select * from {quote_identifier(table)}"
    files = session.write(query, folder, "profile", schema, _keep)
    session.bind(
        table, Scan("parquet", tuple(str(folder / file.path) for file in files), schema=schema)
    )


def _keep(type_: DataType) -> DataType:
    return type_
