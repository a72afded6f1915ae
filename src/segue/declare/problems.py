"""Everything that is wrong in a project, gathered so that it is reported at once."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from segue.errors import Location, Problem, ProjectError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1_000_000
"""Largest file of a project that is read: parsers take very long over hostile ones."""

_NAME = re.compile(r"[^\W\d]\w*")
REJECTS = "__rejects"
"""Ending of the table that holds the rows which a contract set aside."""


class Problems:
    """Problems as they are found.

    Example:
        >>> problems = Problems()
        >>> problems.add("unknown-table", "there is no table 'x'", Location("steps/a.sql", 2))
        >>> print(*problems.sorted())
        steps/a.sql:2: there is no table 'x'
    """

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __len__(self) -> int:
        """Return how many were found so far."""
        return len(self._found)

    def add(self, code: str, message: str, location: Location | None, hint: str = "") -> None:
        """Add one problem.

        Args:
            code: Stable name of the kind of problem.
            message: What is wrong, in one sentence.
            location: Where it stands; None for what was given on the command line.
            hint: The next move.
        """
        problem = Problem(code, message, location, hint)
        if problem not in self._found:
            self._found.append(problem)

    def sorted(self) -> tuple[Problem, ...]:
        """Return all problems in the order of files and lines."""

        def place(problem: Problem) -> tuple[str, int]:
            where = problem.location
            return (where.path, where.line or 0) if where else ("", 0)

        return tuple(sorted(self._found, key=place))

    def check(self) -> None:
        """Stop if there are any.

        Raises:
            ProjectError: With all problems.
        """
        if self._found:
            raise ProjectError(self.sorted())


def read_text(path: Path | str, shown: str, problems: Problems) -> str | None:
    """Return the text of a project's file, or None after reporting why it can't be read.

    Args:
        path: The file.
        shown: Its path as problems name it.
        problems: Takes what is wrong with it.
    """
    try:
        raw = _read_bytes(path)
    except OSError as error:
        problems.add("unreadable-file", f"can't be read: {error.strerror}", Location(shown))
        return None
    if len(raw) > MAX_BYTES:
        hint = "keep data in data files, and name them in segue.toml"
        problems.add("file-too-large", "larger than 1 MB", Location(shown), hint)
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        where = Location(shown, line)
        problems.add("not-utf8", "not UTF-8 text", where, "save the file as UTF-8")
        return None


def _read_bytes(path: Path | str) -> bytes:
    """Return the bytes of a file, or one more than is allowed.

    Projects have thousands of small files; a file object asks the system twice as often.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        raw = os.read(handle, MAX_BYTES + 1)
        while len(raw) <= MAX_BYTES and (more := os.read(handle, MAX_BYTES + 1 - len(raw))):
            raw += more
    finally:
        os.close(handle)
    return raw


def check_name(name: str, noun: str, location: Location, problems: Problems) -> bool:
    """Report a name of a table or step that can't be one; return whether it can."""
    if not _NAME.fullmatch(name):
        hint = "use letters, digits and underscores, and no digit at the beginning"
        problems.add("bad-name", f"{name!r} can't be the name of a {noun}", location, hint)
        return False
    if name.lower().endswith(REJECTS):
        message = f"{name!r} can't be the name of a {noun}: {REJECTS} is for rejected rows"
        problems.add("bad-name", message, location, "choose another ending")
        return False
    return True
