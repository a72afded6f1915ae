"""What segue asks of the place where tables are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.errors import ForeignCommitError
    from segue.spec.output import DataFile
    from segue.spec.run import Publication
    from segue.spec.scan import Scan
    from segue.spec.types import DataType, TableSchema


class Lake(Protocol):
    """Where tables are stored."""

    def folder(self, table: str) -> Path:
        """Return the folder of a table, made if need be: files are staged there."""
        ...

    def storage_type(self, type_: DataType) -> DataType:
        """Return the nearest type that the lake can store."""
        ...

    def scan(self, schema: TableSchema, table: str, files: Sequence[DataFile]) -> Scan:
        """Return how to read files of a table, published or staged."""
        ...

    def head(self, table: str) -> int | None:
        """Return the newest version in the table's log, None if there is no log; cheap."""
        ...

    def preload(self) -> None:
        """Begin to load what `commit` needs for tables with a log, beside the work before it.

        Nothing depends on it; what can't be loaded fails where it is used.
        """
        ...

    def commit(self, publication: Publication) -> int:
        """Make a table's staged files its newest version; repeating it changes nothing.

        Returns:
            The version in the table's log.

        Raises:
            ForeignCommitError: The log does not stand at the expected version.
        """
        ...

    def refuse(self, publication: Publication, found: int | None) -> ForeignCommitError:
        """Return the error of a log that does not stand where a publication expects it.

        Args:
            publication: The publication.
            found: Where it stands; None if there is no log.
        """
        ...

    def history(self, table: str) -> tuple[Mapping[str, Any], ...]:
        """Return segue's own commits found in the table's log, oldest first, for a rebuild.

        Each has: number, delta_version, run_id, fingerprint, environment, run_tables (how many
        tables the run published together), schema (expression), files (tuple of DataFile),
        content_hash, memory (of the step, its `seen_files` only the new ones; None for rejects),
        committed_at.
        """
        ...

    def tables(self) -> tuple[str, ...]:
        """Return the names of all tables that have a log."""
        ...

    def folders(self) -> tuple[str, ...]:
        """Return the names of all tables that have a folder, published or not."""
        ...

    def current(self, table: str) -> tuple[int, TableSchema, tuple[DataFile, ...]]:
        """Return version, columns and files at the head of a table's log, whoever wrote it.

        The files that another writer made have no digest.

        Raises:
            StorageError: The other writer used what segue can't read by file list.
        """
        ...

    def check_adoptable(self, table: str) -> None:
        """See whether what another writer committed to a table may become a version of it.

        Raises:
            ForeignCommitError: Hubs write the table, and go on writing it.
        """
        ...

    def held_files(self, table: str) -> frozenset[str]:
        """Return the paths of the files at the head of a table's log."""
        ...

    def loose_files(self, table: str) -> tuple[Path, ...]:
        """Return data files in the table's folder, whether or not a version holds them."""
        ...
