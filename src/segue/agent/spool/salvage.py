"""Setting a damaged file aside, and going on with what of it can be read."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from segue.agent.spool.schema import PAGE

KEPT = 2
"""Damaged files that are set aside at most."""


def set_aside(path: Path, why: str, page: int = PAGE) -> None:
    """Rename a damaged file; the oldest of those set aside goes."""
    aside = sorted(path.parent.glob(f"{path.stem}-damaged-*.db"), key=damaged_number)
    number = damaged_number(aside[-1]) + 1 if aside else 1
    for old in aside[: max(0, len(aside) - KEPT + 1)]:
        remove_file(old)
    target = path.with_name(f"{path.stem}-damaged-{number}.db")
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
    with suppress(FileNotFoundError):
        path.rename(target)


def damaged_number(path: Path) -> int:
    """Return the number of a file that is set aside."""
    return int(path.stem.rpartition("-")[2])


def remove_file(path: Path) -> None:
    """Remove a file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def make_epoch() -> str:
    """Return the name of a new epoch."""
    return secrets.token_hex(8)
