"""The lake as Delta tables in a folder on local disk."""

from __future__ import annotations

import errno
import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from segue.errors import ForeignCommitError, StorageError, StorageFullError
from segue.spec.output import DataFile, sum_digests
from segue.spec.scan import Scan
from segue.stores import lake_log
from segue.stores.codec import decode_memory, dump_json, encode_memory
from segue.stores.lake_types import (
    find_storage,
    has_local_timestamps,
    read_schema,
    write_schema,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import deltalake

    from segue.spec.run import Publication
    from segue.spec.types import DataType, TableSchema

APPLICATION = "segue"
"""Whose application transactions the numbers of versions are."""

CHECKPOINT_EVERY = 100
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
                version = self._create(folder, publication)
            else:
                version = self._advance(folder, publication)
            lake_log.sync_commit(folder, version)
        return version

    def _create(self, folder: Path, publication: Publication) -> int:
        from deltalake import Schema
        from deltalake.exceptions import DeltaError
        from deltalake.transaction import create_table_with_add_actions

        if publication.base_delta is not None:
            raise _foreign(publication, None)
        try:
            create_table_with_add_actions(
                _locate(folder),
                Schema.from_json(write_schema(publication.staged.schema)),
                _add_actions(folder, publication.staged.files),
                mode="error",
                partition_by=[],
                **_commit_options(publication),
            )
        except DeltaError:
            # Another process was first: with the same intent, or with its own.
            if self.head(publication.table) is None:
                raise
            return self._advance(folder, publication)
        return 0

    def _advance(self, folder: Path, publication: Publication) -> int:
        from deltalake import DeltaTable
        from deltalake.exceptions import CommitFailedError

        handle = DeltaTable(_locate(folder))
        number = handle.transaction_version(APPLICATION)
        if number is not None and number >= publication.number:
            return self._find_own(folder, publication)
        try:
            prepared = _prepare_protocol(handle, folder, publication)
            if handle.version() != prepared:
                raise _foreign(publication, handle.version())
            _write_commit(handle, folder, publication)
        except CommitFailedError as error:
            # Lost a race: fine if it was won by this very publication in another process.
            now = DeltaTable(_locate(folder))
            if (now.transaction_version(APPLICATION) or 0) >= publication.number:
                return self._find_own(folder, publication)
            raise _foreign(publication, now.version()) from error
        version = prepared + 1
        if version % CHECKPOINT_EVERY == 0:
            _write_checkpoint(folder)
        return version

    def _find_own(self, folder: Path, publication: Publication) -> int:
        for version in reversed(lake_log.list_commits(folder)):
            note = lake_log.read_note(lake_log.read_commit(folder, version) or [])
            if note.get("segue.number") == str(publication.number):
                if note.get("segue.run") == publication.run_id:
                    return version
                break
        raise _foreign(publication, self.head(publication.table))

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
        found = [each.parent for each in self._root.glob(f"*/{lake_log.LOG}")]
        return tuple(sorted(folder.name for folder in found))

    def loose_files(self, table: str) -> tuple[Path, ...]:
        """Return data files in the table's folder, whether or not a version holds them."""
        return tuple(sorted((self._root / table).glob("*.parquet*")))

    def current(self, table: str) -> tuple[int, TableSchema, tuple[DataFile, ...]]:
        """Return version, columns and files at the head of a table's log, whoever wrote it.

        The files have no digests but those that segue itself noted.

        Raises:
            StorageError: Other writers used what segue can't read by file list.
        """
        from deltalake import DeltaTable

        folder = self._root / table
        with _naming_faults(folder):
            handle = DeltaTable(_locate(folder))
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


def _locate(folder: Path) -> str:
    # delta-rs takes a path for a URL and decodes it.
    return folder.as_uri()


@contextmanager
def _naming_faults(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder) from error
        raise StorageError(f"{folder} can't be used: {error.strerror or error}") from error
    except Exception as error:
        # Deltalake's own errors have no common root that could be imported at no cost.
        if not type(error).__module__.startswith(("_internal", "deltalake")):
            raise
        if "os error 28" in str(error) or "No space left" in str(error):
            raise _full(folder) from error
        raise StorageError(f"the Delta table {folder} can't be used: {error}") from error


def _full(folder: Path) -> StorageFullError:
    return StorageFullError(f"no room is left in {folder}", hint="make room and run again")


def _foreign(publication: Publication, found: int | None) -> ForeignCommitError:
    table = publication.table
    expected = publication.base_delta
    return ForeignCommitError(
        f"another writer committed to the table {table!r}: its Delta log stands at "
        f"{'nothing' if found is None else f'version {found}'}, "
        f"{'nothing' if expected is None else f'version {expected}'} was expected",
        hint=f"segue recover --adopt {table} takes what it wrote as the table's current version",
    )


def _add_actions(folder: Path, files: Sequence[DataFile]) -> list[Any]:
    from deltalake.transaction import AddAction

    actions = []
    for file in files:
        modified = int((folder / file.path).stat().st_mtime * 1000)
        stats = json.dumps({"numRecords": file.rows, **file.stats})
        actions.append(AddAction(file.path, file.bytes, {}, modified, True, stats))
    return actions


def _commit_options(publication: Publication) -> dict[str, Any]:
    from deltalake import CommitProperties, PostCommitHookProperties, Transaction

    staged = publication.staged
    note = {
        "segue.run": publication.run_id,
        "segue.number": str(publication.number),
        "segue.fingerprint": publication.fingerprint,
        "segue.environment": publication.environment,
        "segue.tables": str(publication.run_tables),
        "segue.schema": str(staged.schema),
        "segue.content_hash": sum_digests(staged.files),
        "segue.files": dump_json({file.path: file.digest for file in staged.adds}),
    }
    if publication.memory:
        note["segue.memory"] = dump_json(encode_memory(publication.memory))
    return {
        "commit_properties": CommitProperties(
            custom_metadata=note,
            max_commit_retries=0,
            app_transactions=[Transaction(APPLICATION, publication.number)],
        ),
        "post_commithook_properties": PostCommitHookProperties(
            create_checkpoint=False, cleanup_expired_logs=False
        ),
    }


def _prepare_protocol(
    handle: deltalake.DeltaTable, folder: Path, publication: Publication
) -> int | None:
    """Return the version from which to commit, after enabling what the schema needs."""
    base = publication.base_delta
    if base is None:
        return None
    mark = f"{publication.run_id} {publication.number}"
    if handle.version() == base + 1:
        note = lake_log.read_note(lake_log.read_commit(folder, base + 1) or [])
        return base + 1 if note.get("segue.prepares") == mark else base
    needs = has_local_timestamps(publication.staged.schema)
    if not needs or "timestampNtz" in (handle.protocol().reader_features or ()):
        return base
    if handle.version() != base:
        return base
    from deltalake import CommitProperties, TableFeatures

    handle.alter.add_feature(
        TableFeatures.TimestampWithoutTimezone,
        allow_protocol_versions_increase=True,
        commit_properties=CommitProperties(
            custom_metadata={"segue.prepares": mark}, max_commit_retries=0
        ),
    )
    lake_log.sync_commit(folder, base + 1)
    handle.update_incremental()
    return base + 1


def _write_commit(handle: deltalake.DeltaTable, folder: Path, publication: Publication) -> None:
    from deltalake import Schema
    from deltalake.transaction import RemoveAction

    staged = publication.staged
    schema = Schema.from_json(write_schema(staged.schema))
    listed = handle.get_add_actions()
    held = dict(
        zip(
            map(unquote, listed["path"].to_pylist()),
            listed["size_bytes"].to_pylist(),
            strict=True,
        )
    )
    fresh = [file for file in staged.files if file.path not in held]
    options = _commit_options(publication)
    if handle.schema().to_json() != schema.to_json():
        if len(fresh) < len(staged.files):
            # delta-rs would remove and add a kept file at once, which readers take as they like.
            raise StorageError(f"table {staged.table!r} can't keep files of other columns")
        adds = _add_actions(folder, fresh)
        handle.create_write_transaction(adds, "overwrite", schema, [], **options)
        return
    stays = {file.path for file in staged.files}
    now = int(datetime.now(UTC).timestamp() * 1000)
    gone = [RemoveAction(path, True, now, held[path], {}) for path in held if path not in stays]
    actions = [*_add_actions(folder, fresh), *gone]
    handle.create_write_transaction(actions, "append", schema, [], **options)


def _write_checkpoint(folder: Path) -> None:
    from deltalake import DeltaTable

    DeltaTable(_locate(folder)).create_checkpoint()
    for path in (folder / lake_log.LOG).glob("*checkpoint*"):
        lake_log.sync_path(path)
    lake_log.sync_path(folder / lake_log.LOG)


def _as_text(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="microseconds")
