"""A table's Delta log as files: where it stands, what it says, and that it is on disk.

Reading it so needs no deltalake, which costs a tenth of a second to import.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from segue.spec.output import DataFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOG = "_delta_log"

_COMMIT = re.compile(r"(\d{20})\.json")


def list_commits(folder: Path) -> list[int]:
    """Return the versions whose commits lie in a table's log, in order."""
    try:
        with os.scandir(folder / LOG) as entries:
            found = [_COMMIT.fullmatch(entry.name) for entry in entries]
    except FileNotFoundError:
        return []
    return sorted(int(match[1]) for match in found if match)


def commit_path(folder: Path, version: int) -> Path:
    """Return the path of a commit."""
    return folder / LOG / f"{version:020d}.json"


def read_commit(folder: Path, version: int) -> list[dict[str, Any]] | None:
    """Return the actions of a commit; None if it is torn or not there."""
    try:
        lines = commit_path(folder, version).read_bytes().splitlines()
        actions = [json.loads(line) for line in lines if line.strip()]
    except (ValueError, FileNotFoundError):
        return None
    return actions or None


def remove_torn(folder: Path, version: int) -> bool:
    """Remove a commit that a power cut left empty or cut off; return whether it was so.

    Commits appear whole (by rename), so a torn one is nobody's work in progress.
    """
    if not commit_path(folder, version).exists() or read_commit(folder, version) is not None:
        return False
    descriptor = os.open(folder / LOG, os.O_RDONLY)
    try:
        # Another process may have removed it and written it anew since we looked.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if read_commit(folder, version) is None:
            commit_path(folder, version).unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    return True


def sync_commit(folder: Path, version: int) -> None:
    """Bring a commit to the disk: delta-rs leaves that to the system."""
    sync_path(commit_path(folder, version))
    sync_path(folder / LOG)
    if version == 0:
        sync_path(folder)


def sync_path(path: Path) -> None:
    """Bring a file's bytes, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_note(actions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the writer of a commit noted in it."""
    return next((dict(action["commitInfo"]) for action in actions if "commitInfo" in action), {})


def replay(folder: Path) -> Iterator[tuple[int, dict[str, Any], dict[str, DataFile]]]:
    """Go through a log from its first commit: version, note, and the files that it has then.

    It ends early at a commit that is missing or torn, and is empty if the first one is gone.
    """
    held: dict[str, DataFile] = {}
    for expected, version in enumerate(list_commits(folder)):
        actions = read_commit(folder, version)
        if version != expected or actions is None:
            return
        note = read_note(actions)
        digests = json.loads(note.get("segue.files", "{}"))
        # A writer may remove and add one path in a commit, which means that it stays.
        for action in actions:
            if "remove" in action:
                held.pop(unquote(action["remove"]["path"]), None)
        for action in actions:
            if "add" in action:
                file = _read_add(action["add"], digests)
                held[file.path] = file
        yield version, note, held


def _read_add(add: dict[str, Any], digests: dict[str, str]) -> DataFile:
    path = unquote(add["path"])
    stats = json.loads(add.get("stats") or "{}")
    rows = stats.pop("numRecords", 0)
    return DataFile(path, rows, add["size"], digests.get(path, ""), stats)
