"""The lake as Delta tables in a folder on local disk."""

from __future__ import annotations

import errno
import json
import os
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from segue.errors import (
    ForeignCommitError,
    SegueError,
    StorageError,
    StorageFullError,
    UnknownNameError,
    name_disk_fault,
)
from segue.registry import nearest
from segue.spec.nearest import find_storage
from segue.spec.output import DataFile
from segue.spec.scan import Scan
from segue.stores import lake_log
from segue.stores.codec import decode_memory
from segue.stores.lake_commit import (
    advance_table,
    create_table,
    import_delta,
    is_arriving,
    locate,
    refuse_foreign,
    tell_move,
)
from segue.stores.lake_types import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from segue.spec.run import Publication
    from segue.spec.types import DataType, TableSchema

_MISREAD = re.compile(r"\\|%[0-9a-fA-F]{2}")
"""What delta-rs takes for something else in a path."""
_RENAMED_COLUMNS = 2
"""The reader version that means column mapping and nothing else."""
_READABLE = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"})


class DeltaLake:
    """Tables in Delta Lake's format, one folder each.

    Args:
        path: Folder of all tables.
    """

    def __init__(self, path: str) -> None:
        if "://" in path:
            raise StorageError(
                f"the lake {path!r} is not a local folder", hint="set [lake] path to a folder"
            )
        self._root = Path(path).absolute()

    def folder(self, table: str) -> Path:
        """Return the folder of a table, made if need be."""
        folder = self._root / table
        if _MISREAD.search(str(folder)):
            raise StorageError(
                f"Delta Lake can't have a table in the folder {folder}",
                hint="use names without a backslash, and without % before two hex digits",
            )
        if not folder.is_dir():
            with _naming_faults(folder):
                folder.mkdir(parents=True, exist_ok=True)
                lake_log.sync_path(self._root)
        return folder

    def storage_type(self, type_: DataType) -> DataType:
        """Return the nearest type that Delta Lake has."""
        return find_storage(type_)

    def scan(self, schema: TableSchema, table: str, files: Sequence[DataFile]) -> Scan:
        """Return how to read files of a table, published or staged."""
        folder = str(self._root / table)
        paths = tuple(f"{folder}/{file.path}" for file in files)
        return Scan(format="parquet", paths=paths, schema=schema)

    def head(self, table: str) -> int | None:
        """Return the newest version in the table's log, None if there is no log."""
        return max(lake_log.list_commits(self._root / table), default=None)

    def preload(self) -> None:
        """Import delta-rs in a thread, while engines compute and leave Python alone."""
        # not a daemon: a library must not be half imported when the interpreter ends
        Thread(target=import_delta, name="segue-preload", daemon=False).start()

    def commit(self, publication: Publication) -> int:
        """Make a table's staged files its newest version; repeating it changes nothing.

        Raises:
            ForeignCommitError: The log does not stand at the expected version.
            StorageFullError: There is no room for the commit.
        """
        folder = self.folder(publication.table)
        base = publication.base_delta
        with _naming_faults(folder):
            expected = 0 if base is None else base + 1
            lake_log.remove_torn(folder, expected)
            if self.head(publication.table) is None:
                version = create_table(folder, publication)
            else:
                version = advance_table(folder, publication)
            lake_log.sync_commit(folder, version)
        return version

    def refuse(self, publication: Publication, found: int | None) -> ForeignCommitError:
        """Return the error of a log that does not stand where a publication expects it."""
        return refuse_foreign(self._root / publication.table, publication, found)

    def check_adoptable(self, table: str) -> None:
        """See whether what another writer committed to a table may become a version of it.

        Raises:
            ForeignCommitError: Hubs write the table, and go on writing it.
        """
        folder = self._root / table
        if is_arriving(folder):
            raise ForeignCommitError(
                f"a hub writes the table {table!r}: runs read what has arrived, and adopt nothing",
                hint=tell_move(folder),
            )

    def history(self, table: str) -> tuple[Mapping[str, Any], ...]:
        """Return segue's own commits found in the table's log, oldest first, for a rebuild."""
        commits = []
        for version, note, held in lake_log.replay(self._root / table):
            if "segue.number" not in note:
                continue
            memory = note.get("segue.memory")
            commits.append(
                {
                    "number": int(note["segue.number"]),
                    "delta_version": version,
                    "run_id": note["segue.run"],
                    "fingerprint": note["segue.fingerprint"],
                    "environment": note["segue.environment"],
                    "run_tables": int(note["segue.tables"]),
                    "schema": note["segue.schema"],
                    "files": tuple(held.values()),
                    "content_hash": note["segue.content_hash"],
                    "memory": decode_memory(json.loads(memory)) if memory else None,
                    "committed_at": _as_text(note["timestamp"]),
                }
            )
        return tuple(commits)

    def tables(self) -> tuple[str, ...]:
        """Return the names of all tables that have a log."""
        if not self._root.is_dir():
            return ()
        return tuple(name for name in self.folders() if self._has_log(name))

    def _has_log(self, table: str) -> bool:
        folder = self.folder(table)
        try:
            return (folder / lake_log.LOG).exists()
        except OSError as error:
            if not table.isidentifier():  # lost+found is no table
                return False
            raise name_disk_fault(error, folder) from error

    def folders(self) -> tuple[str, ...]:
        """Return the names of all tables that have a folder, published or not."""
        if not self._root.is_dir():
            return ()
        found = (each.name for each in self._root.iterdir() if each.is_dir())
        return tuple(sorted(name for name in found if not name.startswith(("_", "."))))

    def loose_files(self, table: str) -> tuple[Path, ...]:
        """Return data files in the table's folder, whether or not a version holds them."""
        return tuple(sorted((self._root / table).glob("*.parquet*")))

    def held_files(self, table: str) -> frozenset[str]:
        """Return the paths of the files at the head of a table's log."""
        from deltalake import DeltaTable

        folder = self._root / table
        if self.head(table) is None:
            return frozenset()
        with _naming_faults(folder):
            listed = DeltaTable(locate(folder)).get_add_actions()["path"].to_pylist()
        return frozenset(map(unquote, listed))

    def current(self, table: str) -> tuple[int, TableSchema, tuple[DataFile, ...]]:
        """Return version, columns and files at the head of a table's log, whoever wrote it.

        The files have no digests but those that segue itself noted.

        Raises:
            StorageError: Other writers used what segue can't read by file list.
        """
        from deltalake import DeltaTable

        folder = self._root / table
        if self.head(table) is None:
            raise UnknownNameError(
                f"there is no Delta table {table!r} in the lake",
                hint=nearest(table, self.tables(), noun="table"),
            )
        with _naming_faults(folder):
            handle = DeltaTable(locate(folder))
            protocol, described = handle.protocol(), handle.metadata()
            unknown = set(protocol.reader_features or ()) - _READABLE
            if (
                unknown
                or described.partition_columns
                or protocol.min_reader_version == _RENAMED_COLUMNS
            ):
                used = ", ".join(sorted(unknown)) or "partitions or renamed columns"
                raise StorageError(
                    f"table {table!r} was written with {used}, which segue can't take over",
                    hint="rewrite it plainly, or declare it as a source table under [tables]",
                )
            known: dict[str, DataFile] = {}
            for _, _, held in lake_log.replay(folder):
                known.update(held)
            adds = handle.get_add_actions()
            columns = (adds[name].to_pylist() for name in ("path", "size_bytes", "num_records"))
            files = []
            for path, size, rows in zip(*columns, strict=True):
                plain = unquote(path)
                found = known.get(plain, DataFile(plain, rows or 0, size))
                files.append(replace(found, rows=rows or 0, bytes=size))
            return handle.version(), read_schema(handle.schema().to_json()), tuple(files)


@contextmanager
def _naming_faults(folder: Path) -> Iterator[None]:
    try:
        yield
    except SegueError:
        raise
    except Exception as error:  # deltalake's errors share no root that costs nothing to import
        foreign = type(error).__module__.startswith(("_internal", "deltalake"))
        if not foreign and not isinstance(error, OSError):
            raise
        raise _name_fault(folder, error) from error


def _name_fault(folder: Path, error: Exception) -> StorageError:
    text = str(error)
    number = getattr(error, "errno", None)
    told = re.search(r"\(os error (\d+)\)", text)
    if number is None and told:
        number = int(told[1])
    if number in (errno.ENOSPC, errno.EDQUOT):
        return StorageFullError(f"no room is left in {folder}", hint="make room and run again")
    if number is not None:
        return StorageError(f"{folder} can't be used: {os.strerror(number).lower()}")
    return StorageError(f"the Delta table {folder} can't be used: {text}")


def _as_text(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="microseconds")
