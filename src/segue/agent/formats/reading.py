"""How values are written in text: the options that formats share, and what is wrong with them."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.types import Column, TableSchema

TIMES: Mapping[str, Any] = {
    "encoding": "utf-8",
    "epoch": {},
    "time_format": {},
    "zone": "",
}
"""Options of every format, and their defaults."""

TEXTS: Mapping[str, Any] = {**TIMES, "nulls": [], "decimal": "."}
"""Options of every format in which values are bare text."""

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""Units of time, and how many of them make a second."""

_EPOCH_KINDS = ("timestamp",)
_FORMAT_KINDS = ("timestamp", "date", "time")


@dataclass(frozen=True, slots=True)
class Reading:
    """How values are written.

    Attributes:
        encoding: Of the text, as Python names it.
        epoch: Columns whose times are numbers since 1970, and the unit that they count.
        time_format: Columns whose times have a format of their own, as ``strptime`` reads it.
        zone: Zone of times without an offset, in columns that have a zone; empty to refuse.
        nulls: Texts that mean null.
        decimal: What separates decimals.
    """

    encoding: str = "utf-8"
    epoch: Mapping[str, str] = field(default_factory=dict)
    time_format: Mapping[str, str] = field(default_factory=dict)
    zone: str = ""
    nulls: tuple[str, ...] = ()
    decimal: str = "."


def take_reading(options: Mapping[str, Any], nulls: tuple[str, ...] = ()) -> Reading:
    """Return how values are written, of checked options.

    Args:
        options: Of a format.
        nulls: Texts that mean null unless the options say other ones.
    """
    encoding = options.get("encoding", "utf-8")
    return Reading(
        encoding=codecs.lookup(encoding).name,
        epoch=dict(options.get("epoch", {})),
        time_format=dict(options.get("time_format", {})),
        zone=options.get("zone", ""),
        nulls=tuple(options.get("nulls", nulls)),
        decimal=options.get("decimal", "."),
    )


def check_options(
    options: Mapping[str, Any],
    required: tuple[str, ...],
    optional: Mapping[str, Any],
    schema: TableSchema,
) -> list[str]:
    """Return what is wrong with the names, types and shared meanings of options."""
    known = (*required, *optional)
    problems = [
        f"there is no option {name!r}: {nearest(name, known)}"
        for name in options
        if name not in known
    ]
    problems += [f"{name}: must be stated" for name in required if name not in options]
    for name, default in optional.items():
        value = options.get(name, default)
        if type(value) is not type(default) and default is not None:
            noun = {str: "a text", list: "a list", dict: "a table", bool: "true or false"}
            problems.append(f"{name}: must be {noun[type(default)]}, not {value!r}")
    return problems or [
        *_check_encoding(options.get("encoding", "utf-8")),
        *_check_zone(options.get("zone", "")),
        *_check_columns("epoch", options.get("epoch", {}), schema, _EPOCH_KINDS),
        *_check_columns("time_format", options.get("time_format", {}), schema, _FORMAT_KINDS),
        *_check_units(options.get("epoch", {})),
        *_check_texts(options),
    ]


def _check_encoding(encoding: str) -> list[str]:
    try:
        info = codecs.lookup(encoding)
    except LookupError:
        return [f"encoding: there is no encoding called {encoding!r}"]
    try:
        kept = "\n{".encode(info.name) == b"\n{"
    except (UnicodeError, LookupError, TypeError):
        kept = False
    if not kept:
        return [f"encoding: lines of {encoding!r} can't be told apart by their newline"]
    return []


def _check_zone(zone: str) -> list[str]:
    if not zone:
        return []
    from zoneinfo import ZoneInfo  # 0.4 MB: it reads all that this Python was built with

    try:
        ZoneInfo(zone)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError on some platforms
        return [f"zone: there is no time zone called {zone!r}"]
    except KeyError:
        return [f"zone: there is no time zone called {zone!r}"]
    return []


def _check_columns(
    option: str, named: Mapping[str, Any], schema: TableSchema, kinds: tuple[str, ...]
) -> list[str]:
    problems = []
    for name in named:
        column: Column | None = schema.find(name)
        if column is None:
            problems.append(f"{option}: there is no column {name!r}: {nearest(name, schema.names)}")
        elif column.type.kind not in kinds:
            wanted = " or ".join(kinds)
            problems.append(f"{option}: column {name!r} is {column.type}, not a {wanted}")
    return problems


def _check_units(epoch: Mapping[str, Any]) -> list[str]:
    return [
        f"epoch: {name!r} counts in {unit!r}, which is not one of {', '.join(UNITS)}"
        for name, unit in epoch.items()
        if unit not in UNITS
    ]


def _check_texts(options: Mapping[str, Any]) -> list[str]:
    problems = [
        f"time_format: the format of {name!r} must be a text"
        for name, text in options.get("time_format", {}).items()
        if not isinstance(text, str)
    ]
    problems += [
        f"{both!r} is in epoch and in time_format"
        for both in options.get("epoch", {})
        if both in options.get("time_format", {})
    ]
    if not all(isinstance(text, str) for text in options.get("nulls", [])):
        problems.append("nulls: must be a list of texts")
    if options.get("decimal", ".") not in (".", ","):
        problems.append("decimal: must be '.' or ','")
    return problems
