"""What texts look like: patterns of letters and digits, and formats that many know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.spec.profile import TextProfile, ValueCount
from segue.spec.sql import quote_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CUT = 60
"""Characters of a text that its pattern shows."""
_MOST = 10
_TELLING = 0.6
"""Share of the values that a few patterns must cover to be worth showing as they are."""
_FEW = 5
_LEAST_FORMATTED = 0.9
"""Share of the values that must be written alike to be called so."""

FORMATS = {
    "uuid": "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
    "email": r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+",
    "url": r"(?i)https?://\S+",
    "date": r"\d{4}-\d{2}-\d{2}",
    "timestamp": r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?",
    "ipv4": r"\d{1,3}(?:\.\d{1,3}){3}",
    "integer": r"[+-]?\d+",
    "number": r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?",
}
"""Formats and the patterns of texts that are written so, the narrowest first."""
_PARSED = {"date": "date", "timestamp": "timestamptz"}
_JSON = "json"

_SIGNS = ((r"[\p{Lu}\p{Lt}]", "A"), (r"[\p{Ll}\p{Lm}\p{Lo}]", "a"), (r"\p{Nd}", "9"))


def write_shape(text: str) -> str:
    """Return SQL for the pattern of a text."""
    shape = f"left({text}, {_CUT})"
    for letters, sign in _SIGNS:
        shape = f"regexp_replace({shape}, {quote_text(letters)}, '{sign}', 'g')"
    return shape


def write_short_shape(shape: str) -> str:
    """Return SQL for a pattern in which what repeats stands once, with a plus sign."""
    for sign in "Aa9":
        shape = f"regexp_replace({shape}, '{sign}{{2,}}', '{sign}+', 'g')"
    return shape


def write_formats(text: str, rows: str) -> str:
    """Return SQL for a struct of the rows that are written in each format.

    Args:
        text: SQL of the text.
        rows: SQL of how many rows have it.
    """
    tests = {
        name: f"regexp_full_match({text}, {quote_text(pattern)})"
        for name, pattern in FORMATS.items()
    }
    for name, type_ in _PARSED.items():
        tests[name] += f" and try_cast({text} as {type_}) is not null"
    tests[_JSON] = f"left(ltrim({text}), 1) in ('{{', '[') and json_valid({text})"
    inner = ", ".join(
        f"{quote_text(name)}: coalesce(sum({rows}) filter (where {test}), 0)::bigint"
        for name, test in tests.items()
    )
    return "{" + inner + "}"


def read_texts(
    lengths: tuple[int, int, float, int], told: Mapping[str, Any] | None, *, sampled: bool
) -> TextProfile:
    """Return what texts look like.

    Args:
        lengths: Shortest, longest and mean length, and how many are empty.
        told: Patterns, short patterns and formats as the second pass found them, with the rows
            that were looked at; None if values are kept out.
        sampled: Whether some of the values were left aside.
    """
    shortest, longest, mean, empty = lengths
    if told is None or not told["looked"]:
        return TextProfile(shortest, longest, mean, empty)
    name, share = _find_format(told["formats"], told["looked"] - told["blank"])
    return TextProfile(shortest, longest, mean, empty, _choose_patterns(told), name, share, sampled)


def _choose_patterns(told: Mapping[str, Any]) -> tuple[ValueCount, ...]:
    """Return patterns letter by letter where a few tell most, else shortened ones."""
    whole = _read_counts(told["shapes"])
    if sum(each.rows for each in whole[:_FEW]) >= _TELLING * told["looked"]:
        return whole
    return _read_counts(told["short"])


def _read_counts(told: Sequence[Mapping[str, Any]] | None) -> tuple[ValueCount, ...]:
    return tuple(ValueCount(each["v"], each["n"]) for each in told or ())[:_MOST]


def _find_format(formats: Mapping[str, int], rows: int) -> tuple[str, float]:
    """Return the narrowest format in which nearly all are written, and the share of them."""
    if rows <= 0:
        return "", 0.0
    shares = {name: count / rows for name, count in formats.items()}
    most = max(shares.values())
    if most < _LEAST_FORMATTED:
        return "", 0.0
    # an integer is a number, too: the first of those that hold as much is the narrowest
    return next((name, share) for name, share in shares.items() if share >= most)
