"""Plans that have bound before: to bind a thousand views takes longer than to plan them.

Beside the SQL files that were read (`segue.declare.sql_cache`), in the user's cache folder.
"""

from __future__ import annotations

from pathlib import Path

from segue.declare.cache import CacheFile, find_cache, name_maker
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
        files = (str(module.__file__) for module in (bind, bound, fold))
        self._file = CacheFile(folder, "bound", root, name_maker("duckdb", files))
        known = self._file.load()
        self._known: list[str] = known if isinstance(known, list) else []

    def __contains__(self, mark: str) -> bool:
        """Return whether a plan of this digest has bound."""
        return mark in self._known

    def keep(self, mark: str) -> None:
        """Write down that a plan has bound."""
        self._known = [*(each for each in self._known if each != mark), mark][-MOST:]
        self._file.keep(self._known)


def open_bound_cache(root: Path) -> BoundCache:
    """Return what is known of a project's plans."""
    return BoundCache(root, find_cache())
