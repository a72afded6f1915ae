"""The user's cache folder: what was found out before and would take long to find out again.

`SEGUE_CACHE` names another folder, or none if it is empty. Losing it costs time only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from segue.declare.libraries import find_version

VARIABLE = "SEGUE_CACHE"


class CacheFile:
    """One kind of what is known of one project, a JSON document.

    Example:
        >>> cache = CacheFile(None, "sql", Path("shop"), maker=[])
        >>> cache.keep({"a": 1})
        >>> cache.load() is None
        True
    """

    def __init__(self, folder: Path | None, kind: str, root: Path, maker: list[str]) -> None:
        """Name the file.

        Args:
            folder: The cache folder; None to keep nothing.
            kind: What is kept, a folder's name.
            root: Folder of the project.
            maker: What found it out (`name_maker`): by another one, nothing is known.
        """
        name = hashlib.sha256(str(root).encode()).hexdigest()[:32]
        self._file = None if folder is None else folder / kind / f"{name}.json"
        self._maker = maker

    def load(self) -> Any:
        """Return what was kept; None if nothing was, or if it can't be read."""
        if self._file is None:
            return None
        try:
            maker, known = json.loads(self._file.read_bytes())
        except (OSError, ValueError, TypeError):  # not there, or cut off
            return None
        return known if maker == self._maker else None

    def keep(self, known: Any) -> None:
        """Write it down, whole or not at all."""
        if self._file is None:
            return
        partial = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError):  # a cache that can't be written is none
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps([self._maker, known], separators=(",", ":")))
            partial.replace(self._file)


def find_cache() -> Path | None:
    """Return the user's cache folder, None if nothing is to be kept."""
    if (named := os.environ.get(VARIABLE)) is not None:
        return Path(named) if named else None
    kept = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(kept) / "segue" if os.path.isabs(kept) else None  # noqa: PTH117 - no home at all


def name_maker(library: str, files: Iterable[str]) -> list[str]:
    """Return what finds something out: versions, and the state of the files that do it.

    Args:
        library: Name of the package that it is done with.
        files: Paths of Segue's own files.
    """
    stats = [os.stat(file) for file in files]  # noqa: PTH116  # paths are slow to make
    states = [f"{stat.st_size}-{stat.st_mtime_ns}" for stat in stats]
    return [find_version("segue"), find_version(library), *states]
