"""Whether a text on the command line names a project's table or any other data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.cli.call import PROJECT_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PATH_SIGNS = "./\\*?"


def find_project(start: Path) -> Path | None:
    """Return the folder of the project in which one is, None outside of all projects.

    What reads projects is not loaded for it.
    """
    start = start.resolve()
    return next((each for each in (start, *start.parents) if (each / PROJECT_FILE).is_file()), None)


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
