"""Folders that are there as a whole, or not at all."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from segue.errors import UsageError, name_disk_fault
from segue.frames.kinds import name_type

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = ".parquet"


def read_folder(path: Any) -> Path:
    """Return the folder that a user names, as a path that is the same for all workers.

    Raises:
        UsageError: It names none.
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"path is of type {name_type(path)}", hint="give the path of a folder")
    text = os.fspath(path)
    if not text or "://" in text:
        raise UsageError(
            f"path {text!r} is no folder",
            hint="give the path of a folder that all workers see, such as a shared drive",
        )
    return Path(text).absolute()


@contextmanager
def new_folder(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a folder beside another one, whose place it takes once it is filled.

    Args:
        folder: The folder that is to be there at the end.
        overwrite: Whether it may take the place of one that holds Parquet files alone.

    Raises:
        UsageError: Something is there that may not be replaced.
        StorageError: It can't be written.
    """
    _refuse_existing(folder, overwrite=overwrite)
    mark = uuid4().hex[:12]
    staged = folder.with_name(f".{folder.name}-{mark}.partial")
    try:
        with _told(folder):
            staged.mkdir(parents=True)
        yield staged
        with _told(folder):
            _sync(staged)
            _refuse_existing(folder, overwrite=overwrite)
            _take_place(staged, folder, folder.with_name(f".{folder.name}-{mark}.old"))
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _refuse_existing(folder: Path, *, overwrite: bool) -> None:
    if not os.path.lexists(folder):
        return
    if not overwrite:
        raise UsageError(f"{folder} exists", hint="take another path, or overwrite=True")
    held = list(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else [folder]
    other = next((each for each in held if each.suffix != SUFFIX or not each.is_file()), None)
    if other is not None:
        what = f"holds {other.name}" if other != folder else "is no folder"
        raise UsageError(
            f"{folder} {what}: it is no checkpoint, and is not overwritten",
            hint="take another path",
        )


def _take_place(staged: Path, folder: Path, old: Path) -> None:
    """Let one folder take the place of another, which is whole until then."""
    replaced = folder.exists()
    if replaced:
        folder.rename(old)
    try:
        staged.rename(folder)
    except OSError:
        if replaced:
            old.rename(folder)
        raise
    _sync(folder.parent)
    if replaced:
        shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make sure that the names in a folder are on disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise name_disk_fault(error, folder) from error
