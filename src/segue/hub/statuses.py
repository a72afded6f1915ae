"""What nodes say of themselves, as it must be, whatever they have sent."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from segue.wire.messages import Status

LONGEST_TEXT = 4000
_MOST_LISTED = 1000
_LARGEST = 2**62


def clean_status(status: Status) -> Status:
    """Return a status in which every value is of its type; what is not is taken for unsaid.

    Example:
        >>> odd = Status(applied="1", rows={"a": None, "b": 2}, lag=float("nan"), alerts=5)
        >>> clean = clean_status(odd)
        >>> clean.applied, clean.rows, clean.lag, clean.alerts
        (0, {'b': 2}, 0.0, [])
    """
    cleaned: dict[str, Any] = {
        each.name: _CLEANERS[str(each.type)](getattr(status, each.name)) for each in fields(Status)
    }
    return replace(status, **cleaned)


def _clean_count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < _LARGEST else 0


def _clean_measure(value: Any) -> float:
    return value if type(value) in (int, float) and 0 <= value < _LARGEST else 0.0


def _clean_text(value: Any) -> str:
    return str(value)[:LONGEST_TEXT]


def _clean_counts(value: Any) -> dict[str, int]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: count for name, count in pairs if type(count) is int and count >= 0}


def _clean_texts(value: Any) -> list[str]:
    return [_clean_text(each) for each in value[:_MOST_LISTED]] if isinstance(value, list) else []


def _clean_objects(value: Any) -> list[dict[str, Any]]:
    listed = value[:_MOST_LISTED] if isinstance(value, list) else []
    return [each for each in listed if isinstance(each, dict)]


_CLEANERS = {
    "int": _clean_count,
    "float": _clean_measure,
    "str": _clean_text,
    "bool": lambda value: value is True,
    "dict[str, int]": _clean_counts,
    "list[str]": _clean_texts,
    "list[dict[str, Any]]": _clean_objects,
}
"""How a value is cleaned, by the type of its field."""
