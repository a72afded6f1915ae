"""Plans that have bound before: to bind a thousand views takes longer than to plan them.

Beside the SQL files that were read (`segue.declare.sql_cache`), in the user's cache folder.
Losing it costs time only.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from segue.declare.libraries import find_version
from segue.declare.sql_cache import find_cache
from segue.plan import bind, bound, fold

MOST = 50
"""Plans of a project that are remembered, the newest."""


class BoundCache:
    """Which plans of a project have bound.

    Example:
        >>> cache = BoundCache(Path("shop"), folder=None)
        >>> "digest" in cache
        False
    """

    def __init__(self, root: Path, folder: Path | None) -> None:
        """Look up what is known.

        Args:
            root: Folder of the project.
            folder: Where it is kept; None to keep nothing.
        """
        name = hashlib.sha256(str(root).encode()).hexdigest()[:32]
        self._file = None if folder is None else folder / "bound" / f"{name}.json"
        self._maker = _name_maker()
        self._known = self._load()

    def __contains__(self, mark: str) -> bool:
        """Return whether a plan of this digest has bound."""
        return mark in self._known

    def keep(self, mark: str) -> None:
        """Write down that a plan has bound."""
        if self._file is None:
            return
        self._known = [*(each for each in self._known if each != mark), mark][-MOST:]
        whole = {"maker": self._maker, "plans": self._known}
        partial = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError):  # a cache that can't be written is none
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(whole, separators=(",", ":")))
            partial.replace(self._file)

    def _load(self) -> list[str]:
        try:
            whole = json.loads(self._file.read_bytes()) if self._file is not None else {}
            plans = whole["plans"] if whole.get("maker") == self._maker else []
        except (OSError, ValueError, KeyError, AttributeError):  # not there, or cut off
            return []
        return plans if isinstance(plans, list) else []


def open_bound_cache(root: Path) -> BoundCache:
    """Return what is known of a project's plans."""
    return BoundCache(root, find_cache())


def _name_maker() -> list[str]:
    """Return what binds plans: versions, and the state of the files that do it."""
    stats = (Path(str(module.__file__)).stat() for module in (bind, bound, fold))
    return [
        find_version("segue"),
        find_version("duckdb"),
        *(f"{stat.st_size}-{stat.st_mtime_ns}" for stat in stats),
    ]
