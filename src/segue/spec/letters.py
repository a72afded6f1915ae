"""Sets of characters, as patterns speak of them: ranges of code points in order."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Letters = tuple[tuple[int, int], ...]
"""Ranges of code points, ends included: sorted, apart from each other, without surrogates."""

LAST = sys.maxunicode
_SURROGATES = (0xD800, 0xDFFF)

DIGIT: Letters = ((0x30, 0x39),)
SPACE: Letters = ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20))
WORD: Letters = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))

POSIX: dict[str, Letters] = {
    "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)),
    "ascii": ((0x00, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "digit": DIGIT,
    "graph": ((0x21, 0x7E),),
    "lower": ((0x61, 0x7A),),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((0x09, 0x0D), (0x20, 0x20)),
    "upper": ((0x41, 0x5A),),
    "word": WORD,
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}
"""What ``[:name:]`` stands for in RE2."""


def unite(ranges: Iterable[tuple[int, int]]) -> Letters:
    """Return the set of all characters in some ranges.

    Example:
        >>> unite([(5, 9), (1, 3), (4, 4)])
        ((1, 9),)
    """
    made: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if made and low <= made[-1][1] + 1:
            made[-1] = made[-1][0], max(made[-1][1], high)
        else:
            made.append((low, high))
    return tuple(made)


def negate(letters: Letters) -> Letters:
    """Return all other characters.

    Example:
        >>> negate(((0, 0x61), (0x63, 0x10FFFF)))
        ((98, 98),)
    """
    made = []
    at = 0
    for low, high in unite([*letters, _SURROGATES]):
        if at < low:
            made.append((at, low - 1))
        at = high + 1
    if at <= LAST:
        made.append((at, LAST))
    return tuple(made)


def fold(letters: Letters) -> Letters:
    """Return the set with the other cases of its letters.

    Example:
        >>> [hex(low) for low, _ in fold(((0x6B, 0x6B),))]  # k, K and the sign of Kelvin
        ['0x4b', '0x6b', '0x212a']
    """
    added = [
        (code, code)
        for codes in _same_letters()
        if any(low <= code <= high for code in codes for low, high in letters)
        for code in codes
    ]
    return unite([*letters, *added])


@cache
def _same_letters() -> tuple[tuple[int, ...], ...]:
    """Return the letters that are one but for their case."""
    found: dict[str, list[int]] = {}
    for code in range(LAST + 1):
        letter = chr(code)
        key = letter.casefold()
        if len(key) != 1:  # as ß, which is not the same as ss here
            key = letter.lower()
        if len(key) == 1:
            found.setdefault(key, []).append(code)
    return tuple(tuple(codes) for codes in found.values() if len(codes) > 1)


@cache
def find_category(name: str) -> Letters:
    """Return the characters of one of Unicode's general categories, such as ``L`` or ``Nd``.

    Raises:
        ValueError: There is no such category.

    Example:
        >>> [chr(low) for low, _ in find_category("Zl")] == [chr(0x2028)]
        True
    """
    if name == "Any":
        return negate(())
    categories = (unicodedata.category(chr(code)) for code in range(LAST + 1))
    found = [code for code, category in enumerate(categories) if category.startswith(name)]
    if not found or name.startswith(("Cn", "Cs")):
        raise ValueError(f"there is no category {name!r} of characters")
    runs = groupby(enumerate(found), key=lambda pair: pair[1] - pair[0])
    ends = ([code for _, code in run] for _, run in runs)
    return tuple((codes[0], codes[-1]) for codes in ends)
