"""Paths as texts: an agent looks at them many times a minute."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def find_paths(patterns: Sequence[str], exclude: Sequence[str]) -> Iterator[str]:
    """Go through the paths that patterns find, sorted for each pattern."""
    left_out = {path for pattern in exclude for path in _expand(pattern)}
    for pattern in patterns:
        for path in sorted(_expand(pattern)):
            if path not in left_out:
                yield path


def _expand(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # noqa: PTH207 - patterns can be absolute


def find_root(pattern: str) -> str:
    """Return the folder below which a pattern looks.

    Example:
        >>> find_root("/var/log/*/app.log"), find_root("app.log")
        ('/var/log', '.')
    """
    stem = folder_of(pattern)
    while glob.has_magic(stem):
        stem = folder_of(stem)
    return stem


def folder_of(path: str) -> str:
    """Return the folder in which a path lies."""
    head, slash, _ = path.rpartition("/")
    return head or slash or "."


def name_of(path: str) -> str:
    """Return the last part of a path."""
    return path.rpartition("/")[2]
