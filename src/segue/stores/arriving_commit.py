"""One commit to the log of an arriving table: on disk before it has its name."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from segue.failpoints import pass_point
from segue.spec.arriving import APPLICATION
from segue.stores import lake_log
from segue.stores.arriving_log import (
    ARRIVING,
    NOTE,
    Action,
    LogState,
    apply,
    encode_path,
    link_commit,
    write_draft,
)
from segue.stores.lake_types import has_local_timestamps, write_schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from segue.spec.types import TableSchema

PROPERTIES = {
    ARRIVING: "true",
    # Readers that are in the middle of a file that was compacted have this long.
    "delta.deletedFileRetentionDuration": "interval 6 hours",
    "delta.checkpointInterval": "100",
}
"""Properties of a new table."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit changes.

    Attributes:
        note: What it is for.
        hub: Who makes it.
        adds: Statistics of each new file, by name.
        removes: Files that are no more part of the table.
        transactions: Numbers of application transactions.
        described: Protocol and description, if they change.
        told: What else the note says.
        changes: Whether rows come or go, other than into other files.
    """

    note: str
    hub: str
    adds: Mapping[str, str] = field(default_factory=dict)
    removes: tuple[str, ...] = ()
    transactions: Mapping[str, int] = field(default_factory=dict)
    described: tuple[Action, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    changes: bool = True


def prepare_table(state: LogState, schema: TableSchema) -> tuple[Action, ...]:
    """Return what a log has to say of a table's columns, if it does not say that yet."""
    text = write_schema(schema)
    if state.version >= 0 and text == state.schema_text:
        return ()
    described: dict[str, Any] = {
        "id": state.table_id or str(uuid4()),
        "name": None,
        "description": None,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": text,
        "partitionColumns": [],
        "createdTime": time.time_ns() // 1_000_000,
        "configuration": state.configuration or PROPERTIES,
    }
    protocol: Action = {"minReaderVersion": 1, "minWriterVersion": 2}
    if has_local_timestamps(schema):
        feature = ["timestampNtz"]
        protocol = {"minReaderVersion": 3, "minWriterVersion": 7}
        protocol |= {"readerFeatures": feature, "writerFeatures": [*feature, *_PLAIN_FEATURES]}
    return ({"protocol": protocol}, {"metaData": described})


_PLAIN_FEATURES = ("appendOnly", "invariants")
"""What writer version 2 means, and version 7 only if it is named."""


def commit(folder: Path, state: LogState, made: Commit) -> bool:
    """Make a commit the next version, or find that another writer was first.

    Args:
        folder: Folder of the table; the commit's files lie there, on disk.
        state: What the commit stands on; it is brought on.
        made: The commit.

    Returns:
        False if another writer has this version.

    Raises:
        OSError: The disk fails. Nothing was committed, or it is not known whether: the state
            then finds out at its next `refresh`.
    """
    version = state.version + 1
    actions = _write_actions(folder, state, made)
    pass_point("hub.fsync.before")
    draft = write_draft(folder, actions, made.hub)
    lake_log.sync_path(folder)
    if not link_commit(folder, version, draft):
        return False
    try:
        pass_point("hub.linked")
        lake_log.sync_commit(folder, version)
    except OSError:
        state.known = False  # the next look reads it all again, and brings it to the disk
        raise
    apply(folder, state, version, actions)
    return True


def _write_actions(folder: Path, state: LogState, made: Commit) -> list[Action]:
    now = time.time_ns() // 1_000_000
    told: dict[str, Any] = {
        "timestamp": now,
        "operation": "WRITE" if made.changes else "OPTIMIZE",
        "operationParameters": {"mode": "Append"} if made.changes else {},
        "engineInfo": APPLICATION,
        NOTE: made.note,
    }
    actions: list[Action] = [{"commitInfo": {**told, **made.told}}, *made.described]
    for name in made.removes:
        size, _ = state.files[name]
        gone = {"path": encode_path(name), "deletionTimestamp": now, "dataChange": made.changes}
        actions.append({"remove": {**gone, "extendedFileMetadata": True, "size": size}})
        actions[-1]["remove"]["partitionValues"] = {}
    for name, stats in made.adds.items():
        found = (folder / name).stat()
        added = {"path": encode_path(name), "partitionValues": {}, "size": found.st_size}
        added["modificationTime"] = found.st_mtime_ns // 1_000_000
        actions.append({"add": {**added, "dataChange": made.changes, "stats": stats}})
    for application, number in made.transactions.items():
        actions.append({"txn": {"appId": application, "version": number}})
    return actions
