"""Files that are whole, and on the disk, whenever the power is cut."""

from __future__ import annotations

import os
from pathlib import Path


def write_durably(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file at once, and bring it to the disk: it is the old one or the new one, whole.

    Args:
        path: The file; its folder is made if need be.
        content: What stands in it then.
        mode: Who may use it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folders(folder: Path) -> None:
    """Bring the names in a folder and in those below it to the disk."""
    for inside, _, _ in os.walk(folder):
        sync_folder(Path(inside))


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
