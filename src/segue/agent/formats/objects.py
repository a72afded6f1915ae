"""JSON values as values of a declared type, one by one: for nested types, and to say why not."""

from __future__ import annotations

import json
import math
import struct
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from segue.agent.formats.reading import Reading
from segue.agent.formats.texts import convert_texts, show_misfit
from segue.spec.types import Column

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.spec.types import DataType, TableSchema

_DEEPEST = 100
_FLOATS = {"float32": "<f", "float64": "<d"}


class MisfitError(Exception):
    """A value is no value of its column; the text is the reason.

    Attributes:
        sure: Whether Arrow's reader is sure to say the same of the line.
    """

    def __init__(self, reason: str, *, sure: bool = True) -> None:
        super().__init__(reason)
        self.sure = sure


def load_value(text: str) -> Any:
    """Return a JSON value; numbers with a point are exact.

    Raises:
        MisfitError: It is no JSON, holds a name twice, or is nested too deep.
    """
    try:
        return json.loads(text, parse_float=Decimal, object_pairs_hook=_take_pairs)
    except json.JSONDecodeError as error:
        # Arrow's reader has one more word for infinity
        sure = "Inf" not in text
        raise MisfitError(f"not JSON: {error.msg} at {error.pos + 1}", sure=sure) from None
    except RecursionError:
        raise MisfitError("nested too deep", sure=False) from None
    except (ValueError, InvalidOperation) as error:
        raise MisfitError(f"not JSON: {error}", sure=False) from None


def _take_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MisfitError(f"{twice}: stands there twice", sure=False)
    return found


def take_record(line: str, schema: TableSchema, reading: Reading) -> list[Any]:
    """Return the values of a line's object, in the order of the columns.

    Raises:
        MisfitError: The line does not fit; the text is the reason.
    """
    record = load_value(line)
    if not isinstance(record, dict):
        raise MisfitError("not a JSON object")
    return [
        take_value(record.get(column.name), column.name, column.type, reading) for column in schema
    ]


def take_value(value: Any, path: str, type_: DataType, reading: Reading, depth: int = 0) -> Any:
    """Return a JSON value as what Arrow takes for a type.

    Args:
        value: The value, as `load_value` returns it.
        path: Name of its column, and of the parts in it.
        type_: The wanted type.
        reading: How values are written.
        depth: How deep it stands in its column.

    Raises:
        MisfitError: It is no such value.

    Example:
        >>> from segue.spec.types import parse_type
        >>> take_value({"a": 1}, "tags", parse_type("map<string, int64>"), Reading())
        [('a', 1)]
    """
    if value is None:
        return None
    take = _TAKE.get(type_.kind)
    if depth > _DEEPEST or (take is None and not type_.is_integer):
        raise MisfitError(show_misfit(path, value, type_))
    if take is None:
        return _take_integer(value, path, type_)
    return take(value, path, type_, reading, depth)


def _misfit(value: Any, path: str, type_: DataType) -> MisfitError:
    return MisfitError(show_misfit(path, _Bare(value) if _is_number(value) else value, type_))


class _Bare(str):
    """A number as it was written, without quotes in messages."""

    __slots__ = ()
    __repr__ = str.__str__


def _is_number(value: Any) -> bool:
    return isinstance(value, Decimal)


def _take_integer(value: Any, path: str, type_: DataType) -> int:
    bits = int(type_.kind.lstrip("uint"))
    low, high = (0, 2**bits) if type_.kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value < high:
        raise _misfit(value, path, type_)
    return value


def _take_float(value: Any, path: str, type_: DataType, *_: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _misfit(value, path, type_)
    try:
        number = float(value)
        struct.pack(_FLOATS[type_.kind], number)
    except OverflowError:
        raise _misfit(value, path, type_) from None
    if math.isinf(number) and not isinstance(value, float):
        raise _misfit(value, path, type_)
    return number


def _take_bool(value: Any, path: str, type_: DataType, *_: Any) -> bool:
    if not isinstance(value, bool):
        raise _misfit(value, path, type_)
    return value


def _take_text(value: Any, path: str, type_: DataType, *_: Any) -> Any:
    if not isinstance(value, str):
        raise _misfit(value, path, type_)
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise _misfit(value, path, type_) from None
    return encoded if type_.kind == "binary" else value


def _take_decimal(value: Any, path: str, type_: DataType, *_: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise _misfit(value, path, type_)
    return _convert(str(value), path, type_, Reading())


def _take_time(value: Any, path: str, type_: DataType, reading: Reading, depth: int) -> Any:
    numbered = depth == 0 and path in reading.epoch
    if numbered and not isinstance(value, bool) and isinstance(value, int | Decimal | str):
        return _convert(str(value), path, type_, reading)
    if numbered or not isinstance(value, str):
        raise _misfit(value, path, type_)
    return _convert(value, path, type_, reading)


def _take_duration(value: Any, path: str, type_: DataType, *_: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _misfit(value, path, type_)
    return _convert(str(value), path, type_, Reading())


def _convert(text: str, path: str, type_: DataType, reading: Reading) -> Any:
    import pyarrow as pa

    if not text.isprintable():
        raise _misfit(text, path, type_)
    values, reasons = convert_texts(pa.array([text], pa.string()), Column(path, type_), reading)
    if reasons:
        raise MisfitError(reasons[0])
    # a scalar, for Python's own times end at microseconds
    return values[0]


def _take_list(value: Any, path: str, type_: DataType, reading: Reading, depth: int) -> Any:
    if not isinstance(value, list):
        raise _misfit(value, path, type_)
    inner = type_.fields[0][1]
    return [take_value(item, f"{path}[]", inner, reading, depth + 1) for item in value]


def _take_struct(value: Any, path: str, type_: DataType, reading: Reading, depth: int) -> Any:
    if not isinstance(value, dict):
        raise _misfit(value, path, type_)
    return {
        name: take_value(value.get(name), f"{path}.{name}", inner, reading, depth + 1)
        for name, inner in type_.fields
    }


def _take_map(value: Any, path: str, type_: DataType, reading: Reading, depth: int) -> Any:
    if not isinstance(value, dict):
        raise _misfit(value, path, type_)
    (_, key), (_, item) = type_.fields
    pairs = []
    for name, each in value.items():
        named = f"{path}.{name}"
        whole = key.is_integer and name.lstrip("-").isdigit() and name.isascii()
        shown = int(name) if whole else name
        pairs.append(
            (
                take_value(shown, named, key, reading, depth + 1),
                take_value(each, named, item, reading, depth + 1),
            )
        )
    return pairs


def _take_categorical(value: Any, path: str, type_: DataType, reading: Reading, depth: int) -> Any:
    return take_value(value, path, type_.fields[0][1], reading, depth)


_TAKE: dict[str, Callable[..., Any]] = {
    "bool": _take_bool,
    "float32": _take_float,
    "float64": _take_float,
    "string": _take_text,
    "binary": _take_text,
    "decimal": _take_decimal,
    "date": _take_time,
    "time": _take_time,
    "timestamp": _take_time,
    "duration": _take_duration,
    "list": _take_list,
    "struct": _take_struct,
    "map": _take_map,
    "categorical": _take_categorical,
}
