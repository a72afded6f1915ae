"""Whether a text on the command line names a project's table or any other data."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from segue.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PATH_SIGNS = "./\\*?"


def find_project(start: Path) -> Path | None:
    """Return the folder of the project in which one is, None outside of all projects."""
    from segue.declare.discover import find_root

    with suppress(UsageError):
        return find_root(start)
    return None


def read_connections(root: Path | None) -> dict[str, str]:
    """Return the addresses of databases by the names that ``segue.toml`` gives them."""
    from segue.declare import connections

    return {} if root is None else connections.read_connections(root)


def is_any_data(texts: Sequence[str], connections: Mapping[str, str]) -> bool:
    """Return whether texts name something else than tables of the project.

    Example:
        >>> is_any_data(["orders"], {}), is_any_data(["orders.csv"], {})
        (False, True)
    """
    return any(
        text in connections or "=" in text or any(sign in text for sign in _PATH_SIGNS)
        for text in texts
    )
