"""pandas' frames: nulls and NaN kept apart, integers kept whole.

What a column becomes depends on its type and on whether it holds nulls: integers
and booleans are plain without and nullable (``Int64``, ``boolean``) with them;
floats are plain, with NaN for null, unless they hold a real NaN too (``Float64``);
texts are pandas' own; decimals, dates, times and bytes are Python objects; lists,
structs and maps keep their Arrow type. On the way back an index with a name
becomes columns and any other is dropped.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from segue.frames.adapter import FrameAdapter, PlainFrames
from segue.frames.arrow_types import from_arrow_type
from segue.frames.objects import make_array, make_empty, refuse_odd_names
from segue.spec.types import UNITS, Column, DataType, TableSchema

if TYPE_CHECKING:
    from collections.abc import Sequence

_NULLABLE = (
    *(f"{kind}{bits}" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)),
    "boolean",
    "Float32",
    "Float64",
)
_MASKED = tuple(type(pd.api.types.pandas_dtype(name)) for name in _NULLABLE)
_PLAIN = {np.dtype(name): DataType(name) for name in ("bool", "float32", "float64")}
_PLAIN |= {
    np.dtype(name): DataType(name)
    for name in (f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
}
_PLAIN |= {np.dtype(f"M8[{unit}]"): DataType("timestamp", (unit,)) for unit in UNITS}
_TEXT = pa.table({"text": [""]}).to_pandas()["text"].dtype
_LABELS = pd.Index(["text"]).dtype
"""Types of texts and of column names, as pandas makes them by itself."""

_WIDEST = 8
"""Bytes of a plain number, at most."""

_COPY_ON_WRITE = int(pd.__version__.split(".")[0]) >= 3  # noqa: PLR2004  # pandas 3


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame that may be changed without an effect on the table."""
    names, rows = table.column_names, pd.RangeIndex(table.num_rows)
    columns = map(_to_values, table.columns)
    if len(set(names)) == len(names) > 0:
        return pd.DataFrame(dict(zip(names, columns, strict=True)), index=rows, copy=False)
    frame = pd.DataFrame(dict(enumerate(columns)), index=rows, copy=False)
    frame.columns = pd.Index(names, dtype=None if names else object)
    return frame


def _to_values(column: pa.ChunkedArray) -> Any:
    types, kind = pa.types, column.type
    if types.is_integer(kind) or types.is_boolean(kind):
        if column.null_count:
            return _nullable(kind).__from_arrow__(column)
        return _own(column.to_numpy())
    if types.is_floating(kind):
        values = _own(column.to_numpy())
        if pc.any(pc.is_nan(column)).as_py():
            return pd.arrays.FloatingArray(values, np.array(column.is_null().to_numpy()))
        return values
    if types.is_nested(kind) and not types.is_dictionary(kind):
        return column.to_pandas(types_mapper=pd.ArrowDtype)
    series = column.to_pandas()
    plain = isinstance(series.dtype, np.dtype) and series.dtype != object
    return series.copy() if plain else series


def _own(values: Any) -> Any:
    """Return values that may be changed: Arrow lends its own memory, which must not be."""
    return values if values.flags.writeable and values.flags.owndata else values.copy()


def _nullable(kind: pa.DataType) -> Any:
    if pa.types.is_boolean(kind):
        return pd.BooleanDtype()
    name = str(kind)
    return pd.api.types.pandas_dtype(name.replace("uint", "UInt").replace("int", "Int", 1))


def to_arrow_backed(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame whose columns keep their Arrow types, but for categoricals."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_back)
    frame.index = pd.RangeIndex(table.num_rows)
    return frame


def _back(kind: pa.DataType) -> Any:
    return None if pa.types.is_dictionary(kind) else pd.ArrowDtype(kind)


def slice_pandas(frame: pd.DataFrame, start: int, stop: int) -> pd.DataFrame:
    """Return rows of what `to_pandas` made, as it would have made them alone; cheap."""
    part = frame.iloc[start:stop]
    if not _COPY_ON_WRITE:
        part = part.copy()
    part.index = pd.RangeIndex(stop - start)
    for position in _find_masked(frame):
        plain = _unmask(part.iloc[:, position].array)
        if plain is not None:
            part.isetitem(position, plain)
    return part


_masked: tuple[Any, list[int]] = (lambda: None, [])
"""The frame that was cut last, and which of its columns have a mask."""


def _find_masked(frame: pd.DataFrame) -> list[int]:
    global _masked  # noqa: PLW0603  # one frame is cut thousands of times
    known, columns = _masked
    if known() is not frame:
        dtypes = enumerate(frame.dtypes)
        columns = [place for place, dtype in dtypes if isinstance(dtype, _MASKED)]
        _masked = weakref.ref(frame), columns
    return columns


def _unmask(array: Any) -> Any | None:
    """Return values without a mask that need none, None for those that do."""
    missing = array.isna()
    if array.dtype.kind != "f":
        return None if missing.any() else array.to_numpy(array.dtype.numpy_dtype)
    values = array.to_numpy(array.dtype.numpy_dtype, na_value=0)
    if np.isnan(values).any():
        return None
    values = values.copy()
    values[missing] = np.nan
    return values


def join_pandas(frames: Sequence[pd.DataFrame]) -> pd.DataFrame | None:
    """Return frames below each other if they have the same columns and types, else None."""
    frames = [frame for frame in frames if len(frame) or len(frame.columns)]
    if not frames:
        return None
    first = frames[0]
    columns, dtypes = first.columns, _list_types(first)
    if not columns.is_unique or not len(columns):
        return None
    for frame in frames:
        if frame.columns is not columns and not frame.columns.equals(columns):
            return None
        if _named_levels(frame) or _list_types(frame) != dtypes:
            return None
    return pd.concat(frames, ignore_index=True)


def _list_types(frame: pd.DataFrame) -> list[Any]:
    # the public way makes a Series, which takes longer than to look at a small frame
    manager: Any = getattr(frame, "_mgr", None)
    return list(manager.get_dtypes() if hasattr(manager, "get_dtypes") else frame.dtypes)


def from_pandas(frame: pd.DataFrame, hints: pa.Schema) -> pa.Table:
    """Return a frame as a table.

    Args:
        frame: Any frame; a named index becomes columns, and stays out of the way of a column
            with its name.
        hints: Types that columns had before, for what Python objects alone don't tell.

    Raises:
        ValueError: A name is not text or comes twice, or a column mixes types.
    """
    data: list[tuple[Any, Any]] = [
        (name, frame.index.get_level_values(position))
        for position, name in enumerate(frame.index.names)
        if name is not None and name not in frame.columns
    ]
    data += list(frame.items())
    refuse_odd_names([name for name, _ in data])
    if not data:
        return make_empty(len(frame))
    known = {field.name: field.type for field in hints}
    return pa.table({name: _to_array(values, name, known.get(name)) for name, values in data})


def _named_levels(frame: pd.DataFrame) -> list[Any]:
    return [name for name in frame.index.names if name is not None]


def _to_array(values: Any, name: str, hint: pa.DataType | None) -> Any:
    if values.dtype == object:
        return make_array(values.to_numpy(), name, hint, nan_is_null=True)
    if isinstance(values.dtype, pd.SparseDtype):
        values = pd.Series(np.asarray(values))
    if isinstance(values.dtype, np.dtype) and not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise ValueError(
            f"column {name!r} is of pandas' type {values.dtype}, which can't be stored: {error}"
        ) from None


def read_dtype(dtype: Any) -> DataType:
    """Return the column type that a dtype of pandas or NumPy tells.

    Raises:
        ValueError: It tells none.
    """
    known = pd.api.types.pandas_dtype(dtype)
    if str(known) == "object":
        raise ValueError("pandas' type object tells no column type")
    if isinstance(known, pd.CategoricalDtype) and getattr(known, "categories", None) is None:
        return DataType("categorical", (), (("item", DataType("string")),))
    return from_arrow_type(_to_array(pd.Series([], dtype=known), "", None).type)


def describe_plain(frame: pd.DataFrame) -> TableSchema | None:
    """Return the columns of a frame that Arrow would give back as it is, None for any other.

    Example:
        >>> str(describe_plain(pd.DataFrame({"a": [1], "b": [1.5]})))
        'a: int64, b: float64'
        >>> describe_plain(pd.DataFrame({"a": [1, None]}, dtype="Int64"))
    """
    columns = frame.columns
    if type(frame) is not pd.DataFrame or frame.attrs or _named_levels(frame):
        return None
    if type(columns) is not pd.Index or columns.dtype != _LABELS or columns.name is not None:
        return None
    if not (columns.is_unique and frame.flags.allows_duplicate_labels):
        return None
    found = []
    for name, dtype in zip(columns.tolist(), _list_types(frame), strict=True):
        type_ = _find_plain(dtype)
        if type_ is None or not isinstance(name, str):
            return None
        found.append(Column(name, type_))
    return TableSchema(tuple(found)) if found else None


def _find_plain(dtype: Any) -> DataType | None:
    if isinstance(dtype, np.dtype):
        return _PLAIN.get(dtype)
    # before pandas 3 texts are objects, among which there may be anything
    return DataType("string") if dtype == _TEXT else None


def _read_plain(frame: pd.DataFrame, names: Sequence[str]) -> pa.Table:
    return pa.table({name: _to_array(frame[name], name, None) for name in names})


def _own_plain(frame: pd.DataFrame, order: Any) -> pd.DataFrame:
    held = frame.copy() if order is None else frame.take(order)
    held.index = pd.RangeIndex(len(held))
    held.columns = held.columns.copy()  # a name that it is given stays here
    return held


def _weigh_plain(frame: pd.DataFrame) -> int:
    texts = [at for at, dtype in enumerate(_list_types(frame)) if not isinstance(dtype, np.dtype)]
    return frame.size * _WIDEST + sum(frame.iloc[:, position].nbytes for position in texts)


PANDAS = FrameAdapter(
    pd.DataFrame,
    to_pandas,
    from_pandas,
    slice_pandas,
    join_pandas,
    PlainFrames(describe_plain, _read_plain, _own_plain, _weigh_plain),
)
