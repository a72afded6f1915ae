"""Values as texts, as a cast in DuckDB writes them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def writes_text(type_: pa.DataType) -> bool:
    """Return whether Arrow writes values of a type otherwise than DuckDB."""
    types = pa.types
    if types.is_timestamp(type_):
        return type_.tz is None
    return bool(types.is_floating(type_) or types.is_time(type_))


def write_text(array: pa.Array) -> pa.Array:
    """Return numbers or times as texts: ``1.0`` is not ``1``, and no second has empty fractions.

    Args:
        array: Of a type for which `writes_text` is true.

    Example:
        >>> write_text(pa.array([1.0, None, float("nan"), 1e16])).to_pylist()
        ['1.0', None, 'nan', '1e+16']
        >>> write_text(pa.array([500_000, 0], pa.timestamp("us"))).to_pylist()
        ['1970-01-01 00:00:00.5', '1970-01-01 00:00:00']
    """
    if not pa.types.is_floating(array.type):
        text = array.cast(pa.string())
        whole = array.type.unit == "s"
        return text if whole else pc.replace_substring_regex(text, r"\.?0*$", "")
    if pa.types.is_float64(array.type):
        return pa.array([None if v is None else repr(v) for v in array.to_pylist()], pa.string())
    # the shortest digits that tell a float32, in the form of a float64
    shortest = array.cast(pa.float32()).cast(pa.string()).to_pylist()
    return pa.array([None if v is None else repr(float(v)) for v in shortest], pa.string())
