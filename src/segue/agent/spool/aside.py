"""Damaged files, set aside under another name."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from segue.agent.spool.room import damaged_number, list_damaged
from segue.wire.durable import sync_folder

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 2
"""Damaged files that are set aside at most."""


def finish(path: Path) -> None:
    """Finish what a salvage has begun: each step may have been done before."""
    ready = path.with_name(f"{path.stem}-ready.db")
    if not ready.exists():
        return
    if path.exists():
        set_aside(path)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    ready.rename(path)
    sync_folder(path.parent)


def set_aside(path: Path) -> Path:
    """Rename a damaged file; the oldest of those set aside goes.

    Its journal goes first: beside another file it would do harm.
    """
    aside = list_damaged(path)
    number = damaged_number(aside[-1]) + 1 if aside else 1
    for old in aside[: max(0, len(aside) - KEPT + 1)]:
        remove_file(old)
    target = path.with_name(f"{path.stem}-damaged-{number}.db")
    for suffix in ("-wal", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    sync_folder(path.parent)
    return target


def remove_file(path: Path) -> None:
    """Remove a file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
