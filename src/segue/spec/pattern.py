"""Patterns in RE2's syntax, read into parts that other dialects can be given.

What a pattern means is told without flags and without classes that libraries understand
differently: every class is a set of characters, letters of any case are such sets too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from segue.spec.letters import (
    DIGIT,
    POSIX,
    SPACE,
    WORD,
    Letters,
    find_category,
    fold,
    negate,
    unite,
)

MOST_TIMES = 1000
"""RE2's limit of repetitions."""

_NEWLINE: Letters = ((0x0A, 0x0A),)
_CLASSES = {"d": DIGIT, "s": SPACE, "w": WORD}
_CONTROLS = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_TIMES = re.compile(r"\{(\d+)(,?)(\d*)\}")
_GROUP = re.compile(r"\?(?:P<\w+>|([imsU]*)(?:-([imsU]+))?([:)]))")
_CODE = re.compile(r"x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))|(0[0-7]{0,2}|[1-7][0-7]{2})")
_CATEGORY = re.compile(r"(?:\{(\^?)(\w+)\}|(\w))")
_POSIX_CLASS = re.compile(r"\[:(\^?)(\w+):\]")


@dataclass(frozen=True, slots=True)
class One:
    """One character of a set."""

    letters: Letters


@dataclass(frozen=True, slots=True)
class Edge:
    """A place between characters.

    Attributes:
        place: ``start``, ``end``, ``line_start``, ``line_end``, ``word`` (where one begins or
            ends) or ``inside`` (anywhere else).
    """

    place: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Parts behind each other."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several parts."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """A part several times; without an upper bound if `most` is None.

    Attributes:
        lazy: Whether it takes as little as it can. That changes where a match ends, and never
            whether there is one.
    """

    part: Part
    least: int
    most: int | None
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A part that can be asked for after a match; they are counted from 1, by where they begin."""

    part: Part


Part = One | Edge | Chain | Choice | Times | Group


def read_pattern(pattern: str) -> Part:
    """Return the parts of a pattern.

    Raises:
        ValueError: It is no pattern of RE2's, or has something that only RE2 knows.

    Example:
        >>> read_pattern("(?i)a{2,}")
        Times(part=One(letters=((65, 65), (97, 97))), least=2, most=None, lazy=False)
    """
    reader = _Reader(pattern)
    part = reader.read_choice(frozenset())
    if not reader.done:
        raise ValueError(f"`{pattern}`: a bracket is closed that was not opened")
    return part


def may_be_empty(part: Part) -> bool:
    """Return whether a part matches without taking a character.

    Example:
        >>> may_be_empty(read_pattern("a*|b")), may_be_empty(read_pattern("a+"))
        (True, False)
    """
    if isinstance(part, One):
        return False
    if isinstance(part, Edge):
        return True
    if isinstance(part, Group):
        return may_be_empty(part.part)
    if isinstance(part, Times):
        return part.least == 0 or may_be_empty(part.part)
    found = map(may_be_empty, part.parts)
    return any(found) if isinstance(part, Choice) else all(found)


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @property
    def done(self) -> bool:
        return self.at >= len(self.text)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, expected: str = "") -> str:
        found = self.peek()
        if not found or (expected and found != expected):
            raise ValueError(f"`{self.text}`: expected {expected or 'a character'} at its end")
        self.at += 1
        return found

    def skip(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def refuse(self, what: str) -> ValueError:
        return ValueError(f"`{self.text}`: {what}")

    def read_choice(self, flags: frozenset[str]) -> Part:
        """Return what stands up to the end of the group; flags inside it end with it."""
        branches: list[list[Part]] = [[]]
        while not self.done and self.peek() != ")":
            if self.peek() == "|":
                self.take()
                branches.append([])
                continue
            set_flags = self.read_flags(flags)
            if set_flags is not None:
                flags = set_flags
            else:
                branches[-1] += self.read_repeated(flags)
        parts = [b[0] if len(b) == 1 else Chain(tuple(b)) for b in branches]
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def read_flags(self, flags: frozenset[str]) -> frozenset[str] | None:
        """Return the flags after ``(?i)`` and the like; None if something else comes."""
        found = _GROUP.match(self.text, self.at + 1) if self.peek() == "(" else None
        if found is None or found[3] != ")":
            return None
        self.at = found.end()
        return _set_flags(flags, found)

    def read_repeated(self, flags: frozenset[str]) -> list[Part]:
        if self.text.startswith("\\Q", self.at):
            return self.read_quoted(flags)
        part = self.read_one(flags)
        bounds = self.read_times()
        if bounds is None:
            return [part]
        lazy = self.peek() == "?"
        if lazy:
            self.take()
        if self.peek() in ("*", "+", "?") or _TIMES.match(self.text, self.at):
            raise self.refuse("something is repeated twice; put brackets around it")
        return [Times(part, *bounds, lazy=lazy != ("U" in flags))]

    def read_times(self) -> tuple[int, int | None] | None:
        mark = self.peek()
        plain: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if mark in plain:
            self.take()
            return plain[mark]
        found = self.skip(_TIMES)
        if found is None:
            return None
        least = int(found[1])
        most = int(found[3]) if found[3] else None if found[2] else least
        if max(least, most or 0) > MOST_TIMES or (most is not None and most < least):
            raise self.refuse(f"{found[0]} is no number of repetitions")
        return least, most

    def read_quoted(self, flags: frozenset[str]) -> list[Part]:
        end = self.text.find("\\E", self.at)
        inner = self.text[self.at + 2 : end if end >= 0 else None]
        self.at = end + 2 if end >= 0 else len(self.text)
        return [_make_one(((ord(letter), ord(letter)),), flags) for letter in inner]

    def read_one(self, flags: frozenset[str]) -> Part:
        letter = self.take()
        if letter == "(":
            return self.read_group(flags)
        if letter == "[":
            return One(self.read_class(flags))
        if letter == ".":
            return One(negate(() if "s" in flags else _NEWLINE))
        if letter in "^$":
            word = "start" if letter == "^" else "end"
            return Edge(f"line_{word}" if "m" in flags else word)
        if letter in "*+?":
            raise self.refuse(f"there is nothing before {letter} to repeat")
        if letter == "\\":
            return self.read_escape(flags)
        return _make_one(((ord(letter), ord(letter)),), flags)

    def read_group(self, flags: frozenset[str]) -> Part:
        counted = True
        if self.peek() == "?":
            found = self.skip(_GROUP)
            if found is None:
                raise self.refuse("there are no look-ahead, look-behind and conditional groups")
            counted = not found[3]
            flags = flags if counted else _set_flags(flags, found)
        part = self.read_choice(flags)
        self.take(")")
        return Group(part) if counted else part

    def read_escape(self, flags: frozenset[str]) -> Part:
        letter = self.peek()
        places = {"A": "start", "z": "end", "b": "word", "B": "inside"}
        if letter in places:
            self.take()
            return Edge(places[letter])
        return _make_one(self.read_escaped(flags), flags)

    def read_escaped(self, flags: frozenset[str]) -> Letters:
        """Return the characters that an escape stands for, outside of a class or in one."""
        found = self.skip(_CODE)
        if found is not None:
            code = int(found[1] or found[2], 16) if found[3] is None else int(found[3], 8)
            return ((code, code),)
        letter = self.take()
        if letter in "pP":
            return self.read_category(flags, positive=letter == "p")
        if letter.lower() in _CLASSES:
            letters = _fold(_CLASSES[letter.lower()], flags)
            return letters if letter.islower() else negate(letters)
        if letter in _CONTROLS:
            return ((_CONTROLS[letter], _CONTROLS[letter]),)
        if letter.isalnum() or not letter.isascii():
            raise self.refuse(f"\\{letter} can't be carried over")
        return ((ord(letter), ord(letter)),)

    def read_category(self, flags: frozenset[str], *, positive: bool) -> Letters:
        found = self.skip(_CATEGORY)
        if found is None:
            raise self.refuse("\\p is followed by a class of characters")
        name = found[2] or found[3]
        if name != "Any" and (len(name) > 2 or not name[0].isupper()):  # noqa: PLR2004 - as Lu
            raise self.refuse(f"the script {name} can't be carried over; list its characters")
        try:
            letters = _fold(find_category(name), flags)
        except ValueError as error:
            raise self.refuse(str(error)) from None
        return letters if positive != bool(found[1]) else negate(letters)

    def read_class(self, flags: frozenset[str]) -> Letters:
        negative = self.peek() == "^"
        if negative:
            self.take()
        ranges: list[tuple[int, int]] = []
        first = True
        while first or self.peek() != "]":
            ranges += self.read_range(flags, first=first)
            first = False
        self.take("]")
        letters = _fold(unite(ranges), flags)
        return negate(letters) if negative else letters

    def read_range(self, flags: frozenset[str], *, first: bool) -> Letters:
        found = self.skip(_POSIX_CLASS)
        if found is not None:
            if found[2] not in POSIX:
                raise self.refuse(f"there is no class [:{found[2]}:]")
            letters = _fold(POSIX[found[2]], flags)
            return negate(letters) if found[1] else letters
        if self.peek() == "-" and not first and self.text[self.at + 1 : self.at + 2] != "]":
            raise self.refuse("write - first or last in a class")
        low = self.read_member(flags)
        if self.peek() != "-" or self.text[self.at + 1 : self.at + 2] == "]":
            return low
        self.take()
        high = self.read_member(flags)
        if not _is_single(low) or not _is_single(high) or high[0][0] < low[0][0]:
            raise self.refuse("a range goes from one character to a later one")
        return ((low[0][0], high[0][0]),)

    def read_member(self, flags: frozenset[str]) -> Letters:
        letter = self.take()
        return self.read_escaped(flags) if letter == "\\" else ((ord(letter), ord(letter)),)


def _is_single(letters: Letters) -> bool:
    return len(letters) == 1 and letters[0][0] == letters[0][1]


def _fold(letters: Letters, flags: frozenset[str]) -> Letters:
    return fold(letters) if "i" in flags else letters


def _make_one(letters: Letters, flags: frozenset[str]) -> One:
    # what an escape told of a class has been folded, and stays as it is
    return One(_fold(letters, flags) if _is_single(letters) else letters)


def _set_flags(flags: frozenset[str], found: re.Match[str]) -> frozenset[str]:
    return (flags | set(found[1] or "")) - set(found[2] or "")
