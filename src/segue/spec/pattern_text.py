"""Patterns in RE2's syntax, written for other dialects so that they mean the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.spec.letters import LAST, WORD, negate
from segue.spec.pattern import (
    Chain,
    Choice,
    Edge,
    Group,
    One,
    Part,
    Times,
    may_be_empty,
    read_pattern,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.spec.letters import Letters


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a library writes patterns.

    Attributes:
        name: What it is called, for messages.
        code: Format of a character by its code point.
        end: The end of the text, and nothing before a last line's end.
        first: Smallest code point that texts can hold.
        times: Most repetitions that can be counted.
    """

    name: str
    code: str
    end: str
    first: int
    times: int


JAVA = Dialect("Java", "\\x{{{:X}}}", "\\z", 0, 1000)
POSTGRES = Dialect("PostgreSQL", "\\U{:08X}", "\\Z", 1, 255)


def write_pattern(pattern: str, dialect: Dialect, *, whole: bool) -> str:
    r"""Return a pattern for another dialect, which is to look for it anywhere in a text.

    Args:
        pattern: In RE2's syntax.
        dialect: Whose pattern to write.
        whole: Whether it must match all of the text.

    Raises:
        ValueError: It is no pattern, or it can't mean the same there.

    Example:
        >>> write_pattern(r"\d+$", JAVA, whole=False)
        '[0-9]+\\z'
        >>> write_pattern("a|.", POSTGRES, whole=True)
        '\\A(?:(?:a|[^\\U0000000A]))\\Z'
    """
    text = _write(_drop_groups(read_pattern(pattern)), dialect)
    return f"\\A(?:{text}){dialect.end}" if whole else text


def write_searched(pattern: str, dialect: Dialect) -> tuple[str, int]:
    r"""Return a pattern of which it matters what it matches, and how many groups it has.

    It takes the first way to match, as RE2 and Java do; PostgreSQL takes the longest.

    Args:
        pattern: In RE2's syntax.
        dialect: Whose pattern to write.

    Raises:
        ValueError: It is no pattern, can't mean the same there, or may match nothing at all:
            libraries count such places differently.

    Example:
        >>> write_searched(r"(a|b)+?-", JAVA)
        ('((?:a|b))+?\\x{2D}', 1)
    """
    part = read_pattern(pattern)
    if may_be_empty(part) or any(map(_may_stand_still, _walk(part))):
        raise ValueError(f"`{pattern}` may match nothing, or repeats what may be nothing")
    return _write(part, dialect), sum(isinstance(each, Group) for each in _walk(part))


def _may_stand_still(part: Part) -> bool:
    return isinstance(part, Times) and may_be_empty(part.part)


def _walk(part: Part) -> Iterator[Part]:
    yield part
    for each in _parts_of(part):
        yield from _walk(each)


def _parts_of(part: Part) -> tuple[Part, ...]:
    if isinstance(part, Chain | Choice):
        return part.parts
    return (part.part,) if isinstance(part, Times | Group) else ()


def _drop_groups(part: Part) -> Part:
    """Return a part of which it only matters whether it matches."""
    if isinstance(part, Group):
        return _drop_groups(part.part)
    if isinstance(part, Times):
        return Times(_drop_groups(part.part), part.least, part.most)
    if isinstance(part, Chain | Choice):
        return type(part)(tuple(map(_drop_groups, part.parts)))
    return part


def _write(part: Part, dialect: Dialect) -> str:
    if isinstance(part, Group):
        return f"({_write(part.part, dialect)})"
    if isinstance(part, One):
        return _write_letters(part.letters, dialect)
    if isinstance(part, Edge):
        return _write_edge(part, dialect)
    if isinstance(part, Times):
        return _write_times(part, dialect)
    written = [_write(each, dialect) for each in part.parts]
    if isinstance(part, Choice):
        return f"(?:{'|'.join(written)})"
    return "".join(written)


def _write_times(part: Times, dialect: Dialect) -> str:
    if max(part.least, part.most or 0) > dialect.times:
        raise ValueError(f"{dialect.name} counts no more than {dialect.times} repetitions")
    inner = _write(part.part, dialect)
    if isinstance(part.part, Chain | Edge | Times):
        inner = f"(?:{inner})"
    plain = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((part.least, part.most))
    upper = "" if part.most is None else str(part.most)
    return inner + (plain or f"{{{part.least},{upper}}}") + "?" * part.lazy


def _write_edge(edge: Edge, dialect: Dialect) -> str:
    word, newline = _write_letters(WORD, dialect), dialect.code.format(0x0A)
    return {
        "start": "\\A",
        "end": dialect.end,
        "line_start": f"(?:\\A|(?<={newline}))",
        "line_end": f"(?:{dialect.end}|(?={newline}))",
        "word": f"(?:(?<!{word})(?={word})|(?<={word})(?!{word}))",
        "inside": f"(?:(?<!{word})(?!{word})|(?<={word})(?={word}))",
    }[edge.place]


def _write_letters(letters: Letters, dialect: Dialect) -> str:
    first = dialect.first
    known = tuple((max(low, first), high) for low, high in letters if high >= first)
    if not known:
        return "(?!)"
    if len(known) == 1 and known[0][0] == known[0][1]:
        return _write_code(known[0][0], dialect)
    sign = ""
    if known[-1][1] == LAST:
        others = tuple((max(low, first), high) for low, high in negate(known) if high >= first)
        if not others:
            return f"[{_write_code(first, dialect)}-{_write_code(LAST, dialect)}]"
        sign, known = "^", others
    return f"[{sign}{''.join(_write_range(each, dialect) for each in known)}]"


def _write_range(ends: tuple[int, int], dialect: Dialect) -> str:
    low, high = (_write_code(code, dialect) for code in ends)
    return low if low == high else f"{low}-{high}"


def _write_code(code: int, dialect: Dialect) -> str:
    letter = chr(code)
    return letter if letter.isascii() and letter.isalnum() else dialect.code.format(code)
