"""Types and durations of the Open Data Contract Standard, from and to those of segue."""

from __future__ import annotations

import re
from typing import Any

from segue.spec.types import DataType, parse_type

LOGICAL = {
    "string": "string",
    "boolean": "bool",
    "date": "date",
    "timestamp": "timestamp",
    "time": "time",
}
"""What a logical type is where no physical type says more; of numbers it does not tell which."""

NUMBERS = ("integer", "number")
_TEXT = re.compile(r"(?:n?varchar2?|n?char|character varying|text|string|clob)\b.*")

_WORDS = {
    **dict.fromkeys(("h", "hr", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("min", "minute", "minutes"), "min"),
    **dict.fromkeys(("s", "sec", "second", "seconds"), "s"),
}


def read_type(physical: str, logical: str) -> str:
    """Return segue's name of a type; empty if there is none.

    Example:
        >>> (
        ...     read_type("decimal(18,2)", "number"),
        ...     read_type("varchar(18)", ""),
        ...     read_type("", "date"),
        ... )
        ('decimal(18,2)', 'string', 'date')
    """
    lowered = physical.lower().strip()
    try:
        return str(parse_type(lowered)) if lowered else LOGICAL.get(logical, "")
    except ValueError:
        return "string" if _TEXT.fullmatch(lowered) else LOGICAL.get(logical, "")


def write_logical(type_: DataType) -> str:
    """Return the logical type of a type of segue's; empty if there is none."""
    if type_.is_integer:
        return "integer"
    if type_.is_float or type_.kind == "decimal":
        return "number"
    words = {"bool": "boolean", "list": "array", "struct": "object", "map": "object"}
    word = words.get(type_.kind, type_.kind)
    return word if word in {*LOGICAL, "array", "object"} else ""


def read_duration(value: Any, unit: str) -> str:
    """Return a duration as contracts write it.

    Raises:
        ValueError: The unit is not known.

    Example:
        >>> read_duration(3, "days")
        '3d'
    """
    if unit not in _WORDS:
        raise ValueError(f"the unit {unit!r} is no span of hours or days")
    return f"{value:g}{_WORDS[unit]}"
