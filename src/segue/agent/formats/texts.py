"""Arrays of text as values of a declared type; what does not fit is told by its row."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from segue.agent.formats.reading import UNITS, Reading
from segue.frames.arrow_types import to_arrow_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.spec.types import Column, DataType

_SHOWN = 60
_OFFSET = r"[T ]\d.*(?:[Zz]|[+-]\d\d(?::?\d\d)?)$"
_DIGIT = r"\d"
_NESTED = ("list", "struct", "map")


def convert_texts(
    texts: pa.Array, column: Column, reading: Reading
) -> tuple[pa.Array, dict[int, str]]:
    """Return values of a column's type, and the rows that do not fit with the reason.

    Args:
        texts: Strings; null stays null.
        column: The declared column.
        reading: How values are written.

    Example:
        >>> from segue.spec.types import Column, parse_type
        >>> array = pa.array(["1", "x", None])
        >>> values, reasons = convert_texts(array, Column("n", parse_type("int64")), Reading())
        >>> values.to_pylist(), reasons
        ([1, None, None], {1: "n: 'x' is not int64"})
    """
    if reading.nulls:
        meant = pc.is_in(texts, pa.array(reading.nulls, pa.string()))
        texts = pc.if_else(meant, pa.scalar(None, pa.string()), texts)
    target = to_arrow_type(column.type)
    if column.type.kind not in ("string", "binary", "categorical"):
        texts = pc.utf8_trim_whitespace(texts)
    values, bad = _cast_found(texts, _find_cast(column, reading), target)
    reasons = {row: show_misfit(column.name, texts[row].as_py(), column.type) for row in bad}
    return values, reasons


def show_misfit(name: str, value: Any, type_: DataType) -> str:
    """Return the reason why a value is no value of a column."""
    shown = repr(value)
    if len(shown) > _SHOWN:
        shown = shown[:_SHOWN] + "…"
    return f"{name}: {shown} is not {type_}"


def _cast_found(
    array: pa.Array, cast: Callable[[pa.Array], pa.Array], target: pa.DataType
) -> tuple[pa.Array, list[int]]:
    """Cast what can be cast, and tell the places of the rest, which become null."""
    try:
        return cast(array), []
    except (pa.ArrowException, ValueError, OverflowError):
        if len(array) <= 1:
            return pa.nulls(len(array), target), list(range(len(array)))
    middle = len(array) // 2
    first, bad = _cast_found(array[:middle], cast, target)
    second, more = _cast_found(array[middle:], cast, target)
    return pa.concat_arrays([first, second]), bad + [middle + row for row in more]


def _find_cast(column: Column, reading: Reading) -> Callable[[pa.Array], pa.Array]:
    type_, kind = column.type, column.type.kind
    target = to_arrow_type(type_)
    if column.name in reading.epoch:
        unit = reading.epoch[column.name]
        return lambda texts: count_epoch(texts.cast(pa.decimal128(38, 9)), unit, target)
    if column.name in reading.time_format:
        format_ = reading.time_format[column.name]
        return lambda texts: _cast_format(texts, format_, type_, reading.zone)
    if kind in _NESTED:
        return lambda texts: _cast_nested(texts, column, reading)
    if kind == "timestamp":
        return lambda texts: _cast_timestamp(texts, target, reading.zone)
    cast = _PLAIN.get(kind, _cast_number)
    if kind in ("decimal", "float32", "float64") and reading.decimal == ",":
        return lambda texts: cast(_swap_comma(texts), target)
    return lambda texts: cast(texts, target)


def _cast_number(texts: pa.Array, target: pa.DataType) -> pa.Array:
    values = texts.cast(target)
    if pa.types.is_floating(target):
        infinite = pc.is_inf(values)
        if pc.any(infinite).as_py():
            written = pc.match_substring_regex(texts.filter(infinite), _DIGIT)
            if pc.any(written).as_py():
                raise ValueError("too large")
    return values


def _swap_comma(texts: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring(texts, ".")).as_py():
        raise ValueError("a point, where decimals have a comma")
    return pc.replace_substring(texts, ",", ".")


def _cast_timestamp(texts: pa.Array, target: pa.TimestampType, zone: str) -> pa.Array:
    """Return points in time; those with an offset are in UTC where the column has no zone."""
    try:
        return texts.cast(pa.timestamp(target.unit, "UTC")).cast(target)
    except pa.ArrowInvalid:
        offset = pc.match_substring_regex(texts, _OFFSET)
    if pc.all(offset).as_py():
        raise ValueError("not a point in time")
    if not pc.any(offset).as_py():
        found = texts.cast(pa.timestamp(target.unit))
        return found if target.tz is None else _assume_zone(found, target, zone)
    blank = pa.scalar(None, pa.string())
    zoned = pc.if_else(offset, texts, blank)
    local = pc.if_else(offset, blank, texts)
    return pc.coalesce(
        _cast_timestamp(zoned, target, zone) if zoned.null_count < len(zoned) else zoned,
        _cast_timestamp(local, target, zone),
    )


def _assume_zone(local: pa.Array, target: pa.TimestampType, zone: str) -> pa.Array:
    if not zone and local.null_count < len(local):
        raise ValueError("a time without an offset, and no zone is stated")
    return pc.assume_timezone(local, zone or "UTC").cast(target)


def count_epoch(counts: pa.Array, unit: str, target: pa.TimestampType) -> pa.Array:
    """Return points in time, of numbers since 1970; what is finer than the type is cut off.

    Args:
        counts: Decimals with nine places.
        unit: What they count.
        target: Type of the points in time.
    """
    places = len(str(UNITS[target.unit])) - len(str(UNITS[unit]))
    # the same digits with the point moved are the number in the other unit
    moved = pa.decimal128(38, counts.type.scale - places)
    shifted = pa.Array.from_buffers(moved, len(counts), counts.buffers(), offset=counts.offset)
    return pc.floor(shifted).cast(pa.int64()).cast(target)


def _cast_format(texts: pa.Array, format_: str, type_: DataType, zone: str) -> pa.Array:
    unique = texts.dictionary_encode()
    target = to_arrow_type(type_)
    values = [
        None if text is None else _read_time(text, format_, type_.kind, zone)
        for text in unique.dictionary.to_pylist()
    ]
    if type_.kind == "timestamp" and target.tz is not None:
        if any(value is not None and value.tzinfo is None for value in values):
            raise ValueError("a time without an offset, and no zone is stated")
    elif type_.kind == "timestamp":
        values = [_to_utc(value) for value in values]
    return pa.array(values, target).take(unique.indices)


@lru_cache(maxsize=4096)
def _read_time(text: str, format_: str, kind: str, zone: str) -> Any:
    found = datetime.strptime(text, format_)  # noqa: DTZ007 - the format says whether it has one
    if kind == "date":
        return found.date()
    if kind == "time":
        return found.time()
    return found.replace(tzinfo=ZoneInfo(zone)) if zone and found.tzinfo is None else found


def _to_utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is None:
        return value
    return value.astimezone(UTC).replace(tzinfo=None)


def _cast_time(texts: pa.Array, target: pa.DataType) -> pa.Array:
    stamps = pc.binary_join_element_wise(pa.scalar("1970-01-01T"), texts, pa.scalar(""), "")
    return stamps.cast(pa.timestamp("us")).cast(target)


def _cast_duration(texts: pa.Array, target: pa.DataType) -> pa.Array:
    return texts.cast(pa.int64()).cast(target)


def _cast_nested(texts: pa.Array, column: Column, reading: Reading) -> pa.Array:
    from segue.agent.formats.objects import MisfitError, load_value, take_value

    try:
        values = [
            None
            if text is None
            else take_value(load_value(text), column.name, column.type, reading)
            for text in texts.to_pylist()
        ]
    except MisfitError as error:
        raise ValueError(str(error)) from None
    return pa.array(values, to_arrow_type(column.type))


_PLAIN: dict[str, Callable[[pa.Array, pa.DataType], pa.Array]] = {
    "string": lambda texts, _: texts,
    "binary": lambda texts, target: texts.cast(target),
    "categorical": lambda texts, target: (
        texts.cast(target.value_type).dictionary_encode().cast(target)
    ),
    "time": _cast_time,
    "duration": _cast_duration,
}
