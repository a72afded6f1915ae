"""Column types told by Python's types, and by the types of frame libraries."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import types
import typing
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from segue.spec.types import Column, DataType, TableSchema, parse_type

_PLAIN: dict[Any, str] = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    bytes: "binary",
    bytearray: "binary",
    uuid.UUID: "string",
    dt.datetime: "timestamp",
    dt.date: "date",
    dt.time: "time",
    dt.timedelta: "duration(us)",
    type(None): "null",
}
_NAMED = {
    "pydantic.AwareDatetime": "timestamp(us, UTC)",
    "pydantic.NaiveDatetime": "timestamp",
    "pydantic.PastDatetime": "timestamp",
    "pydantic.FutureDatetime": "timestamp",
    "pydantic.PastDate": "date",
    "pydantic.FutureDate": "date",
    "pydantic.EmailStr": "string",
}
_LISTS = (list, tuple, set, frozenset, Sequence, Collection, Iterable, AbstractSet)
_WRAPPERS = ("Required", "NotRequired", "ReadOnly", "Final")


def is_row_class(value: Any) -> bool:
    """Return whether a class tells columns by its fields, and its instances are rows."""
    return isinstance(value, type) and (
        typing.is_typeddict(value)
        or type(value).__name__ == "_TypedDictMeta"  # typing_extensions has its own
        or dataclasses.is_dataclass(value)
        or _is_model(value)
        or (issubclass(value, tuple) and hasattr(value, "_fields"))
    )


def is_dict_class(value: Any) -> bool:
    """Return whether the instances of a class of rows are dicts."""
    return is_row_class(value) and issubclass(value, dict)


def _is_model(value: type) -> bool:
    return any(base.__module__ == "pydantic.main" for base in value.__mro__)


def read_row_class(class_: type) -> TableSchema:
    """Return the columns that a class of rows tells.

    Raises:
        ValueError: A field's type tells no column.

    Example:
        >>> Row = typing.TypedDict("Row", {"k": str, "n": int | None, "at": list[dt.date]})
        >>> str(read_row_class(Row))
        'k: string, n: int64, at: list<date>'
    """
    return TableSchema(tuple(Column(name, type_) for name, type_ in _read_fields(class_)))


def _read_fields(class_: Any) -> tuple[tuple[str, DataType], ...]:
    if not is_row_class(class_):
        raise TypeError(f"{class_!r} is no class of rows")
    hints: Mapping[str, Any]
    if _is_model(class_):
        fields: Mapping[str, Any] = class_.model_fields
        hints = {
            name: typing.Annotated[(field.annotation, None, *field.metadata)]
            for name, field in fields.items()
        }
    else:
        try:
            hints = typing.get_type_hints(class_, include_extras=True)
        except NameError as error:
            raise ValueError(f"{class_.__name__}: {error}") from None
        if dataclasses.is_dataclass(class_):
            hints = {field.name: hints[field.name] for field in dataclasses.fields(class_)}
    return tuple((name, read_column_type(name, hint)) for name, hint in hints.items())


def read_column_type(name: str, hint: Any) -> DataType:
    """Return the type that a hint tells for a column.

    Raises:
        ValueError: It tells none; the message names the column.
    """
    try:
        return read_hint(hint)
    except ValueError as error:
        raise ValueError(f"column {name!r}: {error}") from None


def read_hint(hint: Any) -> DataType:
    """Return the type that a hint tells: Python's, NumPy's, pandas', Polars', Arrow's or ours.

    Raises:
        ValueError: It tells none.
    """
    if isinstance(hint, DataType):
        return hint
    if isinstance(hint, str):
        return parse_type(hint)
    found = _read_foreign(hint)
    if found is not None:
        return found
    if typing.get_origin(hint) is not None:
        return _read_generic(hint)
    if isinstance(hint, typing.NewType):
        return read_hint(hint.__supertype__)
    if isinstance(hint, type):
        return _read_class(hint)
    raise ValueError(f"{_show(hint)} tells no column type")


def _read_foreign(hint: Any) -> DataType | None:
    """Return the type that a type of a frame library tells, None if it is none of theirs."""
    class_ = hint if isinstance(hint, type) else type(hint)
    root = class_.__module__.partition(".")[0]
    if root == "pyarrow":
        from segue.frames.arrow_types import from_arrow_type

        return from_arrow_type(hint)
    if root == "polars":
        from segue.frames.polars_ import read_dtype as read_polars

        return read_polars(hint)
    if root == "numpy" or (root == "pandas" and not issubclass(class_, dt.datetime | dt.timedelta)):
        from segue.frames.pandas_ import read_dtype as read_pandas

        return read_pandas(hint)
    return None


def _read_class(class_: type) -> DataType:
    named = _NAMED.get(f"{class_.__module__.partition('.')[0]}.{class_.__name__}")
    if named is not None:
        return parse_type(named)
    if is_row_class(class_):
        return DataType("struct", (), _read_fields(class_))
    if issubclass(class_, enum.Enum):
        return _agree([type(member.value) for member in class_], class_)
    known = next((_PLAIN[base] for base in class_.__mro__ if base in _PLAIN), None)
    if known is not None:
        return parse_type(known)
    hint = ": write Annotated[Decimal, 'decimal(18,2)']" if issubclass(class_, Decimal) else ""
    raise ValueError(f"{_show(class_)} tells no column type{hint}")


def _read_generic(hint: Any) -> DataType:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _read_annotated(arguments[0], arguments[1:])
    if origin in (typing.Union, types.UnionType):
        return _agree([part for part in arguments if part is not type(None)], hint)
    if origin is typing.Literal:
        return _agree([type(value) for value in arguments if value is not None], hint)
    if getattr(origin, "_name", None) in _WRAPPERS:
        return read_hint(arguments[0])
    if origin in _LISTS:
        return DataType("list", (), (("item", _agree([a for a in arguments if a != ...], hint)),))
    if isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:  # noqa: PLR2004  # key and value
        key, value = map(read_hint, arguments)
        return DataType("map", (), (("key", key), ("value", value)))
    raise ValueError(f"{_show(hint)} tells no column type")


def _read_annotated(hint: Any, notes: Sequence[Any]) -> DataType:
    """Return the type that notes tell, or the hint without them."""
    for note in notes:
        if isinstance(note, str | DataType) or type(note).__module__.startswith("pyarrow"):
            return read_hint(note)
    digits = next((n.max_digits for n in notes if getattr(n, "max_digits", None)), None)
    inner = [part for part in typing.get_args(hint) if part is not type(None)] or [hint]
    if digits is not None and Decimal in (hint, *inner):
        places = next((n.decimal_places for n in notes if getattr(n, "decimal_places", None)), 0)
        return DataType("decimal", (digits, places))
    return read_hint(hint)


def _agree(hints: Sequence[Any], whole: Any) -> DataType:
    """Return the one type that hints tell; a whole number may stand among floats."""
    found = {str(type_): type_ for type_ in map(read_hint, hints)}
    if set(found) == {"int64", "float64"}:
        return found["float64"]
    if len(found) != 1:
        raise ValueError(f"{_show(whole)} tells {len(found) or 'no'} types, not one")
    return next(iter(found.values()))


def _show(hint: Any) -> str:
    return hint.__name__ if type(hint) is type else str(hint)
