"""Delta Lake's statistics of a file, from what DuckDB tells of its columns.

Engines skip files by these numbers, so what is not certain is left out: NaN and infinity,
long or cut texts, dates that JSON readers disagree about.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from segue.spec.types import DataType

_LONGEST_TEXT = 64
_SAFE_DIGITS = 15
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(\+00)?")


def read_stats(
    columns: Iterable[tuple[str, DataType]],
    found: Mapping[str, Sequence[Mapping[str, str]]],
    *,
    exact: bool = True,
) -> dict[str, Any]:
    """Return Delta's statistics of one file.

    Args:
        columns: Names and stored types of the file's columns.
        found: Texts of each part of a column, by name: ``min``, ``max``, ``min_is_exact``,
            ``max_is_exact``, ``null_count``, ``num_values``, ``has_nan``.
        exact: Whether bounds have to be values of the column; if not, they enclose them.
    """
    lows: dict[str, Any] = {}
    highs: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for name, type_ in columns:
        parts = found.get(name, ())
        if type_.fields or not all("null_count" in part for part in parts):
            continue
        nulls[name] = sum(int(part["null_count"]) for part in parts)
        filled = [part for part in parts if part["null_count"] != part["num_values"]]
        # to some readers NaN is the largest number, to others it is not there
        if type_.is_float and not all(part.get("has_nan") == "false" for part in filled):
            continue
        for bound, choose, values in (("min", min, lows), ("max", max, highs)):
            read = [_read_bound(type_, part, bound, exact=exact) for part in filled]
            if read and None not in read:
                values[name] = choose(read)
    return {"minValues": lows, "maxValues": highs, "nullCount": nulls}


def _read_bound(type_: DataType, part: Mapping[str, str], bound: str, *, exact: bool) -> Any:
    if bound not in part or (exact and part.get(f"{bound}_is_exact") != "true"):
        return None
    if not exact and (len(part[bound]) >= _LONGEST_TEXT or "\\" in part[bound]):
        return None  # a text that was cut may end within a character
    return _read_value(type_, part[bound])


def _read_value(type_: DataType, text: str) -> Any:
    if type_.is_integer:
        return int(text)
    read = _READERS.get(type_.kind)
    return read(text) if read else None


def _read_float(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _read_decimal(text: str) -> int | float | None:
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    if len(digits) > _SAFE_DIGITS:
        return None
    return float(text) if "." in text else int(text)


def _read_text(text: str) -> str | None:
    return text if len(text) <= _LONGEST_TEXT else None


def _read_date(text: str) -> str | None:
    return text if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None


def _read_moment(text: str) -> str | None:
    match = _MOMENT.fullmatch(text)
    return f"{match[1]}T{match[2]}{'Z' if match[3] else ''}" if match else None


_READERS: dict[str, Callable[[str], Any]] = {
    "float32": _read_float,
    "float64": _read_float,
    "decimal": _read_decimal,
    "string": _read_text,
    "date": _read_date,
    "timestamp": _read_moment,
}
