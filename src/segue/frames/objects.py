"""Arrow arrays from plain Python values, without guesses."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

_UNFIT = (pa.ArrowException, OverflowError, TypeError, ValueError)
_IGNORE_ZONES = "PYARROW_IGNORE_TIMEZONE"
_MISSING = frozenset({"NoneType", "NAType", "NaTType"})


def make_array(
    values: Sequence[Any], name: str, hint: pa.DataType | None = None, *, nan_is_null: bool = False
) -> pa.Array:
    """Return Python values as an Arrow array.

    Args:
        values: Values of one column; None (and pandas' NA and NaT) are nulls.
        name: Name of the column, for errors.
        hint: Type that the column had before, where it is known. It settles what values alone
            don't tell: the precision of decimals, the types of empty lists, a column of nulls.
        nan_is_null: Whether a float NaN is a missing value.

    Raises:
        ValueError: The values have no common type; the message names the column and what was found.

    Example:
        >>> make_array([1, None], "a").type
        DataType(int64)
        >>> make_array([1, "x"], "a")
        Traceback (most recent call last):
        ValueError: column 'a' mixes int and str
    """
    found = set(map(type, values))
    kinds = {kind for kind in found if kind.__name__ not in _MISSING}
    if any(kind.__name__ == "NAType" for kind in found):
        values = [None if type(value).__name__ in _MISSING else value for value in values]
    # among pandas' objects a float is most often a NaN that stands for nothing
    _refuse_mixture(kinds - {float} if nan_is_null else kinds, name)
    with _heeding_zones():
        return _make(values, kinds, name, hint, nan_is_null=nan_is_null)


def _make(
    values: Sequence[Any],
    kinds: set[type],
    name: str,
    hint: pa.DataType | None,
    *,
    nan_is_null: bool,
) -> pa.Array:
    try:
        inferred = _infer(values, kinds, nan_is_null=nan_is_null)
    except _UNFIT as error:
        return _retry_with_hint(values, kinds, name, hint, error)
    if _has_times(inferred.type):
        _refuse_mixed_parts(values, inferred.type, name)
    if hint is None or hint == inferred.type or not _may_replace(inferred.type, hint):
        return inferred
    with suppress(*_UNFIT):
        return pa.array(values, hint, from_pandas=nan_is_null)
    return inferred


@contextmanager
def _heeding_zones() -> Iterator[None]:
    """Have Arrow look at time zones, even after an import of pandera, or of pandas on Spark.

    These set a variable by which Arrow takes 12:00 in Rome for 12:00 in UTC.
    """
    ignored = os.environ.pop(_IGNORE_ZONES, None)
    try:
        yield
    finally:
        if ignored is not None:
            os.environ[_IGNORE_ZONES] = ignored


def make_empty(rows: int) -> pa.Table:
    """Return a table of so many rows and no column."""
    return pa.table({"": pa.nulls(rows)}).select([])


def refuse_odd_names(names: Sequence[Any]) -> None:
    """Raise if column names are not text, or one comes twice.

    Raises:
        ValueError: The message tells the name.
    """
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        raise ValueError(f"column names are text, {odd[0]!r} is of type {type(odd[0]).__name__}")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"column {twice!r} comes twice")


def _infer(values: Sequence[Any], kinds: set[type], *, nan_is_null: bool) -> pa.Array:
    array = pa.array(values, from_pandas=nan_is_null)
    if pa.types.is_timestamp(array.type) and any(kind is not dt.datetime for kind in kinds):
        # pandas' own Timestamp knows nanoseconds, which inference cuts off
        return pa.array(values, pa.timestamp("ns", array.type.tz), from_pandas=nan_is_null)
    if pa.types.is_duration(array.type) and any(kind is not dt.timedelta for kind in kinds):
        return pa.array(values, pa.duration("ns"), from_pandas=nan_is_null)
    return array


def _refuse_mixture(kinds: set[type], name: str) -> None:
    """Refuse values of which Arrow would cut or change some in silence."""
    days = {k for k in kinds if issubclass(k, dt.date) and not issubclass(k, dt.datetime)}
    times = {k for k in kinds if issubclass(k, dt.datetime)}
    texts = {k for k in kinds if issubclass(k, str)}
    bits = {k for k in kinds if issubclass(k, bytes | bytearray | memoryview)}
    flags = {k for k in kinds if issubclass(k, bool)}
    numbers = {k for k in kinds - flags if issubclass(k, int | float)}
    if (days and times) or (texts and bits) or (flags and numbers):
        raise _mixture(kinds, name)


def _refuse_mixed_zones(values: Iterable[Any], kinds: set[type], name: str) -> None:
    """Refuse times of which Arrow would take some to be in another zone, in silence."""
    if not any(issubclass(kind, dt.datetime | dt.time) for kind in kinds):
        return
    times = [each for each in values if type(each) in kinds]
    if any(isinstance(each, dt.time) and each.tzinfo is not None for each in times):
        raise ValueError(f"column {name!r} holds times of day with a time zone, which has no type")
    if len({each.utcoffset() is None for each in times if isinstance(each, dt.datetime)}) > 1:
        raise ValueError(f"column {name!r} mixes times with and without a time zone")


def _refuse_mixed_parts(values: Iterable[Any], type_: pa.DataType, name: str) -> None:
    """Refuse in lists and dicts what is refused in a column of its own."""
    if pa.types.is_temporal(type_):
        held = list(values)
        kinds = {kind for kind in map(type, held) if kind.__name__ not in _MISSING}
        _refuse_mixture(kinds, name)
        _refuse_mixed_zones(held, kinds, name)
    elif pa.types.is_struct(type_):
        held = [each for each in values if isinstance(each, Mapping)]
        for field in (type_.field(position) for position in range(type_.num_fields)):
            _refuse_mixed_parts((each.get(field.name) for each in held), field.type, name)
    elif pa.types.is_list(type_) and _has_times(type_):
        items = (part for each in values if isinstance(each, Iterable) for part in each)
        _refuse_mixed_parts(items, type_.value_type, name)


def _has_times(type_: pa.DataType) -> bool:
    if pa.types.is_nested(type_):
        return any(_has_times(type_.field(at).type) for at in range(type_.num_fields))
    return bool(pa.types.is_temporal(type_))


def _mixture(kinds: set[type], name: str) -> ValueError:
    names = sorted({kind.__name__ for kind in kinds})
    return ValueError(f"column {name!r} mixes {', '.join(names[:-1])} and {names[-1]}")


def _retry_with_hint(
    values: Sequence[Any], kinds: set[type], name: str, hint: pa.DataType | None, error: Exception
) -> pa.Array:
    # maps look like lists of mixed tuples until somebody says what they are
    likely = hint if hint is not None and pa.types.is_nested(hint) else None
    if kinds == {int}:
        likely = pa.uint64()
    if likely is not None:
        with suppress(*_UNFIT):
            return pa.array(values, likely)
    if len(kinds) > 1:
        raise _mixture(kinds, name) from None
    shown = next(iter(kinds)).__name__ if kinds else "nothing"
    if any(issubclass(kind, list | tuple | set | Mapping) for kind in kinds):
        raise ValueError(f"column {name!r} holds {shown} whose parts differ: {error}") from None
    raise ValueError(
        f"column {name!r} holds values of type {shown}, which can't be stored: {error}"
    ) from None


def _may_replace(inferred: pa.DataType, hint: pa.DataType) -> bool:
    """Return whether a remembered type says more than inference, and nothing else."""
    types = pa.types
    if types.is_null(inferred):
        return True
    if types.is_decimal(inferred):
        return bool(types.is_decimal(hint))
    if types.is_nested(inferred):
        return bool(types.is_nested(hint)) and not types.is_dictionary(hint)
    if types.is_timestamp(inferred) and types.is_timestamp(hint):
        # with a zone or without one: never the one for the other
        return bool((inferred.tz is None) == (hint.tz is None))
    if types.is_duration(inferred):
        return bool(types.is_duration(hint))
    return bool(types.is_integer(inferred) and types.is_integer(hint))
