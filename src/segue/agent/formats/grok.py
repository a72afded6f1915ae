"""Grok's notation as regular expressions: ``%{IP:client} %{NUMBER:bytes:int}``."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.agent.formats.grok_library import LIBRARY

if TYPE_CHECKING:
    from collections.abc import Mapping

_USE = re.compile(r"%\{(\w+)(?::([^}:]*))?(?::([^}]*))?\}")
_GROUP = re.compile(r"\?P?<([^>]*)>")
_TYPES = ("int", "float", "string")
_DEEPEST = 20
_LONGEST = 20_000


class PatternError(ValueError):
    """A pattern can't be meant so; the text says why."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """A pattern without names of other patterns.

    Attributes:
        pattern: A regular expression whose groups are named ``g0``, ``g1``, ….
        groups: The column that each group gives; two of one column stand for either.
        types: Types that the pattern states, by column.
    """

    pattern: str
    groups: tuple[str, ...]
    types: Mapping[str, str]


def expand_pattern(pattern: str, own: Mapping[str, str] | None = None) -> Expanded:
    r"""Return a pattern with all names of patterns filled in.

    Args:
        pattern: A regular expression with named groups, ``%{NAME}``, ``%{NAME:column}`` and
            ``%{NAME:column:type}``, in any mixture.
        own: Further patterns by name, which come before the library's.

    Raises:
        PatternError: A name is unknown, or patterns hold each other.

    Example:
        >>> expand_pattern(r"%{WORD:verb} (?P<n>\d+) (x|y)")
        Expanded(pattern='(?P<g0>\\w+) (?P<g1>\\d+) (?:x|y)', groups=('verb', 'n'), types={})
    """
    types: dict[str, str] = {}
    text = _fill(pattern, own or {}, types, 0)
    groups: list[str] = []
    return Expanded(_number_groups(text, groups), tuple(groups), types)


def _fill(pattern: str, own: Mapping[str, str], types: dict[str, str], depth: int) -> str:
    if depth > _DEEPEST:
        raise PatternError("patterns hold each other without end")

    def fill(match: re.Match[str]) -> str:
        name, column, type_ = match.groups()
        held = own.get(name, LIBRARY.get(name))
        if held is None:
            near = difflib.get_close_matches(name, [*own, *LIBRARY], n=1)
            hint = f": did you mean {near[0]!r}?" if near else ""
            raise PatternError(f"there is no pattern called {name!r}{hint}")
        inner = _fill(held, own, types, depth + 1)
        if not column:
            return f"(?:{inner})"
        if type_:
            if type_ not in _TYPES:
                raise PatternError(f"{type_!r} is not one of {', '.join(_TYPES)}")
            types[column] = type_
        return f"(?P<{column}>{inner})"

    text = _USE.sub(fill, pattern)
    if len(text) > _LONGEST:
        raise PatternError(f"longer than {_LONGEST} characters when filled in")
    return text


def _number_groups(text: str, groups: list[str]) -> str:
    """Name groups by number, for columns have names that groups can't have; others catch none."""
    parts: list[str] = []
    position, inside = 0, False
    while position < len(text):
        sign = text[position]
        if sign == "\\":
            parts.append(text[position : position + 2])
            position += 2
            continue
        if inside:
            inside = sign != "]" or _opens_class(text, position)
        elif sign == "[":
            inside = True
        elif sign == "(":
            position += _open_group(text, position, parts, groups)
            continue
        parts.append(sign)
        position += 1
    return "".join(parts)


def _opens_class(text: str, position: int) -> bool:
    """Return whether a closing bracket stands first in its class, where it means itself."""
    before = text[:position]
    return before.endswith("[") or (before.endswith("[^") and not before.endswith("\\[^"))


def _open_group(text: str, position: int, parts: list[str], groups: list[str]) -> int:
    """Write the beginning of a group; returns how long it was."""
    named = _GROUP.match(text, position + 1)
    if named:
        parts.append(f"(?P<g{len(groups)}>")
        groups.append(named[1])
        return 1 + len(named[0])
    parts.append("(" if text[position + 1 : position + 2] == "?" else "(?:")
    return 1
