"""Copying a source into Parquet for the length of a run.

A source that has a contract is judged, and perhaps parted with some of its rows, before
anyone reads it; a text file that several steps read is parsed once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.spec.output import StagedTable
from segue.spec.sql import quote_identifier
from segue.spec.step import Mode

if TYPE_CHECKING:
    from segue.protocols import Lake, LocalSession, Tell


def land_source(
    session: LocalSession, name: str, landing: Lake, progress: Tell | None = None
) -> StagedTable:
    """Copy what is bound as `name` into files of its own.

    Args:
        session: Where the source is bound.
        name: Name of the source.
        landing: A lake in the run's scratch folder.
        progress: Hears how far it has come.

    Raises:
        SourceError: A file of the source can't be read to its end.
    """
    query = f"select * from {quote_identifier(name)}"
    schema = session.describe(query)
    folder = landing.folder(name)
    files = session.write(query, folder, name, schema, landing.storage_type, progress)
    return StagedTable(name, schema, Mode.REPLACE, files)
