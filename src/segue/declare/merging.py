"""Adding a contract to a file of contracts, all else in it left as it is."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from segue.declare.contracts import FILES, find_name
from segue.declare.problems import Problems
from segue.declare.yaml_nodes import compose, read_entries
from segue.errors import Location, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from segue.declare.yaml_nodes import Entry


def find_file(folder: Path) -> Path:
    """Return the file of contracts in a folder, there or not."""
    return next((folder / name for name in FILES if (folder / name).is_file()), folder / FILES[0])


def add_contracts(path: Path, contracts: Iterable[tuple[str, str]]) -> None:
    """Add contracts at the end of a file; comments and all else stay.

    Args:
        path: The file; it is made if it is not there.
        contracts: Tables and their contracts as YAML, each with the table's name above it.

    Raises:
        UsageError: A table has a contract already, or the file can't be read or added to;
            nothing is written.
    """
    old = _read(path)
    new = old
    for table, text in contracts:
        new = _add(path, new, table, text)
    if new != old:
        _replace(path, new)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}", hint="write it in UTF-8") from None


def _add(path: Path, old: str, table: str, text: str) -> str:
    entries = _read_entries(path, old)
    taken = find_name(table, [each.key for each in entries])
    if taken is not None:
        line = next(each.line for each in entries if each.key == taken)
        raise UsageError(
            f"{taken!r} has a contract already",
            hint="take from the suggestion what you like: leave --write out to see it",
            location=Location(str(path), line),
        )
    end = "\r\n" if "\r\n" in old else "\n"
    between = "" if not old.strip() else end if old.endswith(("\n", "\r")) else 2 * end
    new = old + between + text.replace("\n", end)
    if not _holds(new, old, text):
        raise UsageError(
            f"{path} is written so that nothing can be added at its end",
            hint="write tables below each other at the margin, or add the suggestion by hand",
        )
    return new


def _read_entries(path: Path, text: str) -> list[Entry]:
    problems = Problems()
    node = compose(text, str(path), problems) if text.strip() else None
    found: list[Entry] = []
    if isinstance(node, yaml.MappingNode):
        found = list(read_entries(node, str(path), problems))
    elif node is not None:
        hint = "begin with the name of a table, and a colon"
        problems.add("bad-contract", "not a mapping of tables", Location(str(path), 1), hint)
    if len(problems):
        first = problems.sorted()[0]
        raise UsageError(first.message, hint=first.hint, location=first.location)
    return found


def _holds(new: str, old: str, text: str) -> bool:
    """Return whether a file holds what it held, and what was added."""
    try:
        parts = [yaml.safe_load(each) or {} for each in (old, text, new)]
    except yaml.YAMLError:
        return False
    return bool(parts[2] == {**parts[0], **parts[1]})


def _replace(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=".contracts-", delete=False
        ) as file:
            file.write(text.encode("utf-8"))
        new = Path(file.name)
        new.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_read_umask())
        new.replace(path)
    except OSError as error:
        hint = "check that the folder is there and can be written"
        raise UsageError(f"{path} can't be written: {error.strerror}", hint=hint) from None


def _read_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
