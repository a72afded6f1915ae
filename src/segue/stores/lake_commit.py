"""One table's commit to its Delta log: made once, whoever repeats it."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from segue.errors import ForeignCommitError, StorageError
from segue.stores import lake_log
from segue.stores.arriving_log import NOTE
from segue.stores.codec import dump_json, encode_memory
from segue.stores.lake_first import has_plain_names, write_first_commit
from segue.stores.lake_types import has_local_timestamps, write_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import deltalake

    from segue.spec.output import DataFile
    from segue.spec.run import Publication

APPLICATION = "segue"
"""Whose application transactions the numbers of versions are."""

CHECKPOINT_EVERY = 100
_LOOK_BACK = 20
_RACES = 3
"""A commit to a new version of the format takes two, and each can be lost to a helper."""


def locate(folder: Path) -> str:
    """Return a folder as delta-rs wants it: it takes a path for a URL and decodes it."""
    return folder.as_uri()


def import_delta() -> None:
    """Import what commits need; without it, the commit tells what is missing."""
    with suppress(ImportError):
        import_module("deltalake.transaction")


def create_table(folder: Path, publication: Publication) -> int:
    """Write the first commit of a log; return its version."""
    if publication.base_delta is not None:
        raise refuse_foreign(folder, publication, None)
    try:
        if has_plain_names(publication):
            write_first_commit(folder, publication, APPLICATION, _make_note(publication))
        else:
            _create_by_library(folder, publication)
    except FileExistsError:
        # Another process was first: with the same intent, or with its own.
        return advance_table(folder, publication)
    return 0


def _create_by_library(folder: Path, publication: Publication) -> None:
    from deltalake import Schema
    from deltalake.exceptions import DeltaError
    from deltalake.transaction import create_table_with_add_actions

    try:
        create_table_with_add_actions(
            locate(folder),
            Schema.from_json(write_schema(publication.staged.schema)),
            _add_actions(folder, publication.staged.files),
            mode="error",
            partition_by=[],
            **_commit_options(publication),
        )
    except DeltaError as error:
        if not lake_log.list_commits(folder):
            raise
        raise FileExistsError(str(error)) from error


def advance_table(folder: Path, publication: Publication) -> int:
    """Write the next commit of a log, or find it written; return its version."""
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError

    for _ in range(_RACES):
        handle = DeltaTable(locate(folder))
        number = handle.transaction_version(APPLICATION)
        if number is not None and number >= publication.number:
            return _find_own(folder, publication)
        try:
            base = _prepare_protocol(handle, folder, publication)
            if base is None or handle.version() != base:
                break
            _write_commit(handle, folder, publication)
        except CommitFailedError:
            # Somebody was quicker: the next look tells whether it was this same intent.
            continue
        if (base + 1) % CHECKPOINT_EVERY == 0:
            _write_checkpoint(folder)
        return base + 1
    raise refuse_foreign(folder, publication, handle.version())


def _find_own(folder: Path, publication: Publication) -> int:
    commits = lake_log.list_commits(folder)
    for version in reversed(commits):
        note = lake_log.read_note(lake_log.read_commit(folder, version) or [])
        if note.get("segue.number") == str(publication.number):
            if note.get("segue.run") == publication.run_id:
                return version
            break
    raise refuse_foreign(folder, publication, commits[-1])


def refuse_foreign(folder: Path, publication: Publication, found: int | None) -> ForeignCommitError:
    """Return the error of a log that does not stand where it should."""
    table, expected = publication.table, publication.base_delta
    if found is None:
        return ForeignCommitError(
            f"the Delta log of the table {table!r} was removed",
            hint="bring it back, or segue recover --rebuild makes the ledger from what is left",
        )
    hint = f"segue recover --adopt {table} takes what it wrote as the table's current version"
    if is_arriving(folder):  # the next run would replace what was adopted
        hint = tell_move(folder)
    return ForeignCommitError(
        f"another writer committed to the table {table!r}: its Delta log stands at version "
        f"{found}, {'none' if expected is None else f'version {expected}'} was expected",
        hint=hint,
    )


def tell_move(folder: Path) -> str:
    """Return how the name of a table that nodes sent becomes free."""
    move = f"mv {folder} {folder}_before"
    return f"nodes sent its rows, and a table has one writer: move it aside with {move}"


def is_arriving(folder: Path) -> bool:
    """Return whether hubs write a table: others may have compacted it since."""
    newest = lake_log.list_commits(folder)[-_LOOK_BACK:]
    notes = (lake_log.read_note(lake_log.read_commit(folder, each) or []) for each in newest)
    return any(NOTE in note for note in notes)


def _add_actions(folder: Path, files: Sequence[DataFile]) -> list[Any]:
    from deltalake.transaction import AddAction

    actions = []
    for file in files:
        modified = int((folder / file.path).stat().st_mtime * 1000)
        stats = json.dumps({"numRecords": file.rows, **file.stats})
        actions.append(AddAction(file.path, file.bytes, {}, modified, True, stats))
    return actions


def _make_note(publication: Publication) -> dict[str, str]:
    staged = publication.staged
    note = {
        "segue.run": publication.run_id,
        "segue.number": str(publication.number),
        "segue.fingerprint": publication.fingerprint,
        "segue.environment": publication.environment,
        "segue.tables": str(publication.run_tables),
        "segue.schema": str(staged.schema),
        "segue.content_hash": staged.content_hash,
        "segue.files": dump_json({file.path: file.digest for file in staged.adds}),
    }
    if publication.memory:
        note["segue.memory"] = dump_json(encode_memory(publication.memory))
    return note


def _commit_options(publication: Publication) -> dict[str, Any]:
    from deltalake import CommitProperties, PostCommitHookProperties, Transaction

    return {
        "commit_properties": CommitProperties(
            custom_metadata=_make_note(publication),
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

    DeltaTable(locate(folder)).create_checkpoint()
    for path in (folder / lake_log.LOG).glob("*checkpoint*"):
        lake_log.sync_path(path)
    lake_log.sync_path(folder / lake_log.LOG)
