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
    from collections.abc import Sequence

    from segue.protocols import Lake, LocalSession, Tell
    from segue.spec.output import DataFile
    from segue.spec.scan import Scan


def land_source(
    session: LocalSession,
    name: str,
    landing: Lake,
    progress: Tell | None = None,
    parts: Sequence[Scan | None] = (),
) -> StagedTable:
    """Copy what is bound as `name` into files of its own.

    Args:
        session: Where the source is bound.
        name: Name of the source.
        landing: A lake in the run's scratch folder.
        progress: Hears how far it has come.
        parts: Its files that were judged before and those that were not, to be kept apart:
            the copy of the former is what the result keeps, that of the latter what it adds.

    Raises:
        SourceError: A file of the source can't be read to its end.
    """
    schema = session.describe(f"select * from {quote_identifier(name)}")
    folder = landing.folder(name)

    def copy(bound: str, stem: str) -> tuple[DataFile, ...]:
        query = f"select * from {quote_identifier(bound)}"
        return session.write(query, folder, stem, schema, landing.storage_type, progress)

    if not parts:
        return StagedTable(name, schema, Mode.REPLACE, copy(name, name))
    copies: list[tuple[DataFile, ...]] = []
    for number, part in enumerate(parts):
        if part is not None:
            session.bind(f"{name}__part", part)
        copies.append(copy(f"{name}__part", f"{name}-{number}") if part else ())
    kept, adds = copies
    return StagedTable(name, schema, Mode.REPLACE, adds, kept)
