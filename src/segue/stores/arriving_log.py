"""The Delta log of an arriving table, followed commit by commit.

Who has the state of version N in memory commits N + 1 by linking a file to that name, which
succeeds for one writer only. So a commit stands on exactly the state that was looked at: no
sequence is skipped or taken twice, however many hubs there are.
"""

from __future__ import annotations

import json
import os
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote
from uuid import uuid4

from segue.errors import StorageError
from segue.spec.arriving import APPLICATION
from segue.stores import lake_log
from segue.stores.lake_types import read_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from segue.spec.types import TableSchema

Action = dict[str, Any]

SETBACKS = f"{APPLICATION}-setbacks"
"""Application transaction that counts how often the table was set back."""
GAPS = f"{APPLICATION}-gaps"
"""Application transaction that counts commits with declared losses."""
ARRIVING = "segue.arriving"
"""Property of a table that hubs write; no other table is written to."""
NOTE = "segue.fleet"
"""Key of a commit's note that hubs write."""
BATCHES, COMPACTED, RIGHTED = "batches", "compacted", "righted"
"""Values of that key: what a commit is for."""
RECENT = 512
"""Batches of a node of which the digest is remembered."""
LOOK_BACK = 100
"""Commits before a checkpoint from which digests are read."""

_SET_BACK = frozenset({"RESTORE", "CLONE", "CREATE OR REPLACE TABLE", "REPLACE TABLE"})
_WRITER_FEATURES = frozenset({"timestampNtz", "appendOnly", "invariants"})
_HIGHEST_WRITER = 2


@dataclass(slots=True)
class LogState:
    """What a log says up to a version.

    Attributes:
        version: The version; -1 before the first.
        mark: Which file the version's commit is, to notice a log that was replaced.
        table_id: Id that Delta Lake gives to the table.
        configuration: Properties of the table.
        schema: Its columns.
        transactions: Last number of each application transaction.
        files: Path, bytes and rows of each file.
        removed: Path of each file that was taken out, and when (milliseconds since 1970).
        recent: Sequences and digests of the latest batches, by application transaction.
        losses: Declared losses that may not be in the table of gaps yet, by their number.
        set_back: Whether somebody took rows away since the positions were right.
        known: Whether all of this is so; a commit that failed halfway may be there or not.
    """

    version: int = -1
    mark: tuple[int, int] = (0, 0)
    table_id: str = ""
    configuration: dict[str, str] = field(default_factory=dict)
    schema: TableSchema | None = None
    schema_text: str = ""
    transactions: dict[str, int] = field(default_factory=dict)
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    recent: dict[str, deque[tuple[int, int, str]]] = field(default_factory=dict)
    losses: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    set_back: bool = False
    known: bool = True

    @property
    def incarnation(self) -> str:
        """Name of this table since it was made, or set back."""
        return f"{self.table_id}.{self.transactions.get(SETBACKS, 0)}" if self.table_id else ""


def refresh(folder: Path, state: LogState) -> LogState:
    """Return the state at the head of a log, read on from an older one.

    Raises:
        StorageError: Another writer gave the table what a hub can't go on with.
        OSError: It can't be read.
    """
    if state.known and state.version >= 0 and _mark(folder, state.version) == state.mark:
        while (actions := _read(folder, state.version + 1)) is not None:
            apply(folder, state, state.version + 1, actions)
        return state
    return load(folder)


def load(folder: Path) -> LogState:
    """Return the state at the head of a log, read from its last checkpoint.

    Raises:
        StorageError: Another writer gave the table what a hub can't go on with, or commits
            are missing.
        OSError: It can't be read.
    """
    commits = lake_log.list_commits(folder)
    if commits and lake_log.remove_torn(folder, commits[-1]):
        commits.pop()
    state = LogState()
    checkpoint = _find_checkpoint(folder)
    if checkpoint is not None:
        version, paths = checkpoint
        _read_checkpoint(paths, state)
        state.version = version
    for version in commits:
        if version <= state.version:
            if version > state.version - LOOK_BACK:
                _note_history(state, _read(folder, version) or [])
            continue
        actions = _read(folder, version)
        if actions is None or version != state.version + 1:
            raise StorageError(f"the Delta log of {folder} lacks version {state.version + 1}")
        apply(folder, state, version, actions)
    if state.version >= 0:
        if ARRIVING not in state.configuration:
            raise StorageError(
                f"the table in {folder} is not one that nodes send: something else wrote it",
                hint=f"nodes keep their rows; move it aside: mv {folder} {folder}_before",
            )
        # whoever wrote it may have died before it was on disk, and the next answer relies on it
        lake_log.sync_commit(folder, state.version)
        state.mark = _mark(folder, state.version)
    return state


def _read(folder: Path, version: int) -> list[Action] | None:
    if not lake_log.commit_path(folder, version).exists():
        return None
    actions = lake_log.read_commit(folder, version)
    if actions is None:
        raise StorageError(f"version {version} of the Delta log of {folder} is damaged")
    return actions


def _mark(folder: Path, version: int) -> tuple[int, int]:
    try:
        found = lake_log.commit_path(folder, version).stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)


def apply(folder: Path, state: LogState, version: int, actions: Sequence[Action]) -> None:
    """Bring a state on by a commit."""
    for action in actions:
        if "remove" in action:
            _apply_action(state, action)
    for action in actions:
        if "remove" not in action:
            _apply_action(state, action)
    note = _note_history(state, actions)
    if "segue.gaps" in note:
        state.losses[state.transactions.get(GAPS, 0)] = json.loads(note["segue.gaps"])
    state.version = version
    state.mark = _mark(folder, version)


def _note_history(state: LogState, actions: Sequence[Action]) -> dict[str, Any]:
    """Learn from a commit what checkpoints leave out: digests, and whether rows were taken."""
    note = lake_log.read_note(list(actions))
    if NOTE in note:
        _note_recent(state, note)
        state.set_back = state.set_back and note[NOTE] != RIGHTED
    elif _takes_rows(note, actions):
        state.set_back = True
        state.recent.clear()
    return note


def _takes_rows(note: dict[str, Any], actions: Sequence[Action]) -> bool:
    """Return whether a commit of another writer set the table back.

    Rows that somebody deletes on purpose stay deleted: agents are not asked for them again.
    """
    if note.get("operation") in _SET_BACK:
        return True
    told = note.get("operationParameters") or {}
    removes = any("remove" in each and each["remove"].get("dataChange") for each in actions)
    return removes and note.get("operation") == "WRITE" and told.get("mode") == "Overwrite"


def _apply_action(state: LogState, action: Action) -> None:
    if "add" in action:
        add = action["add"]
        if add.get("deletionVector"):
            raise StorageError("an arriving table can't have deletion vectors")
        rows = json.loads(add.get("stats") or "{}").get("numRecords", 0)
        path = unquote(add["path"])
        state.files[path] = (add["size"], rows)
        state.removed.pop(path, None)
    elif "remove" in action:
        path = unquote(action["remove"]["path"])
        state.files.pop(path, None)
        state.removed[path] = action["remove"].get("deletionTimestamp") or 0
    elif "txn" in action:
        state.transactions[action["txn"]["appId"]] = action["txn"]["version"]
    elif "metaData" in action:
        _take_description(state, action["metaData"])
    elif "protocol" in action:
        check_protocol(action["protocol"])


def _take_description(state: LogState, described: dict[str, Any]) -> None:
    if described.get("partitionColumns"):
        raise StorageError("an arriving table can't be partitioned")
    state.table_id = described["id"]
    state.configuration = dict(described.get("configuration") or {})
    state.schema_text = described["schemaString"]
    state.schema = read_schema(state.schema_text)


def check_protocol(protocol: dict[str, Any]) -> None:
    """Refuse a table that needs more from its writers than hubs know.

    Raises:
        StorageError: It does.
    """
    features = set(protocol.get("writerFeatures") or ()) | set(protocol.get("readerFeatures") or ())
    high = protocol["minWriterVersion"]
    unknown = sorted(features - _WRITER_FEATURES)
    if unknown or (high > _HIGHEST_WRITER and not protocol.get("writerFeatures")):
        raise StorageError(
            "an arriving table was given features of Delta Lake that a hub does not write: "
            + (", ".join(unknown) or f"writer version {high}"),
            hint="move the table away: the hub makes a new one, and agents send what they keep",
        )


def _note_recent(state: LogState, note: dict[str, Any]) -> None:
    for application, ranges in json.loads(note.get("segue.batches", "{}")).items():
        kept = state.recent.setdefault(application, deque(maxlen=RECENT))
        kept.extend((first, last, digest) for first, last, digest in ranges)


def _find_checkpoint(folder: Path) -> tuple[int, list[Path]] | None:
    """Return the newest whole checkpoint: its version and files."""
    found: dict[int, list[Path]] = {}
    for path in (folder / lake_log.LOG).glob("*.checkpoint*.parquet"):
        found.setdefault(int(path.name[:20]), []).append(path)
    for version in sorted(found, reverse=True):
        parts = sorted(found[version])
        pieces = parts[0].name.split(".")
        if len(pieces) == 3:  # noqa: PLR2004 - number, "checkpoint", "parquet"
            return version, parts[:1]
        if pieces[-2].isdigit() and len(parts) == int(pieces[-2]):
            return version, parts
    return None


def _read_checkpoint(paths: Sequence[Path], state: LogState) -> None:
    import pyarrow.parquet as pq

    for path in paths:
        file = pq.ParquetFile(path)
        names = set(file.schema_arrow.names)
        if "sidecar" in names and any(file.read(["sidecar"])["sidecar"].is_valid().to_pylist()):
            raise StorageError(f"{path} is a checkpoint of a kind that a hub does not read")
        for kind in ("protocol", "metaData", "txn", "remove", "add"):
            if kind in names:
                for each in file.read([kind])[kind].to_pylist():
                    if each is not None:
                        _apply_action(state, {kind: _plain(each)})


def _plain(action: dict[str, Any]) -> dict[str, Any]:
    """Return an action of a checkpoint as a commit writes it: Arrow has lists for maps."""
    plain = dict(action)
    if isinstance(plain.get("configuration"), list):
        plain["configuration"] = dict(plain["configuration"])
    return plain


def link_commit(folder: Path, version: int, draft: Path) -> bool:
    """Give a commit that is on disk its name; return False if another writer has it.

    Raises:
        OSError: The disk fails; the commit may or may not be there.
    """
    path = lake_log.commit_path(folder, version)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def write_draft(folder: Path, actions: Sequence[Action], hub: str) -> Path:
    """Write a commit under a name that no reader looks at, and bring it to the disk."""
    log = folder / lake_log.LOG
    log.mkdir(parents=True, exist_ok=True)
    draft = log / f"_commit_{hub}-{uuid4().hex[:12]}.json.tmp"
    lines = "\n".join(json.dumps(each, separators=(",", ":")) for each in actions)
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def encode_path(path: str) -> str:
    """Return a file's path as a log writes it."""
    return quote(path)
