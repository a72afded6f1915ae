"""The line of each key of a TOML file, which `tomllib` does not tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KEY = r"(?:\"(?:[^\"\\n]|\\.)*\"|'[^'\n]*'|[\w-]+)"
_PATH = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_TABLE = re.compile(rf"[ \t]*\[\[?[ \t]*({_PATH})[ \t]*\]")
_PAIR = re.compile(rf"[ \t]*({_PATH})[ \t]*=")
_ONE_KEY = re.compile(_KEY)
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")
_LONG = re.compile(r"\"\"\"|'''")
MAX_DOTS = 64


def find_lines(text: str) -> dict[tuple[str, ...], int]:
    r"""Return the line of each table and key of a TOML file, by path.

    Keys inside of inline tables are not found: ask for the nearest with `line_of`.

    Example:
        >>> find_lines("[lake]\npath = 'x'\n")
        {('lake',): 1, ('lake', 'path'): 2}
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    closing = ""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            if closing not in line:
                continue
            line = line.partition(closing)[2]  # noqa: PLW2901 - what follows a long string
            closing = ""
        elif depth == 0:
            header = _TABLE.match(line)
            pair = None if header else _PAIR.match(line)
            if header:
                table = _split(header[1])
                lines.setdefault(table, number)
                continue
            if pair:
                path = (*table, *_split(pair[1]))
                for end in range(len(table) + 1, len(path) + 1):
                    lines.setdefault(path[:end], number)
                line = line[pair.end() :]  # noqa: PLW2901 - the value
        closing = _open_string(line)
        bare = _QUOTED.sub("", _LONG.split(line)[0]).partition("#")[0]
        depth = max(0, depth + bare.count("[") - bare.count("]"))
    return lines


def line_of(path: Sequence[object], lines: Mapping[tuple[str, ...], int]) -> int | None:
    """Return the line of a key, or of the nearest table around it that has one."""
    words = tuple(map(str, path))
    while words and words not in lines:
        words = words[:-1]
    return lines.get(words)


def find_deep_key(text: str) -> int | None:
    """Return the first line with so many dots that a parser might not come back from it."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.count(".") > MAX_DOTS and _QUOTED.sub("", line).count(".") > MAX_DOTS:
            return number
    return None


def _split(path: str) -> tuple[str, ...]:
    return tuple(key.strip("\"'") for key in _ONE_KEY.findall(path))


def _open_string(line: str) -> str:
    """Return the mark that closes a long string which begins and does not end in a line."""
    closing = ""
    for mark in _LONG.findall(line):
        if not closing:
            closing = mark
        elif mark == closing:
            closing = ""
    return closing
