"""Values as texts, as a cast in DuckDB writes them."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from struct import pack, unpack

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
    narrow = array.cast(pa.float32())
    pairs = zip(narrow.to_pylist(), narrow.cast(pa.string()).to_pylist(), strict=True)
    texts = [None if value is None else _write_narrow(value, text) for value, text in pairs]
    return pa.array(texts, pa.string())


def _write_narrow(value: float, shortest: str) -> str:
    """Return a float32 as DuckDB writes it, in the form of a float64.

    That is the shortest digits that tell it; where two texts are as near, or one stands half-way
    to the next float, DuckDB writes it as a float64.
    """
    number = float(shortest)
    if number == value or not isfinite(value):
        return repr(number)
    (bits,) = unpack("i", pack("f", value))
    nearby = (unpack("f", pack("i", bits + step))[0] for step in (1, -1))
    halves = {(value + other) / 2 for other in nearby}
    digits = len(shortest.partition("e")[0].replace(".", "").strip("-0"))
    shorter = {float(f"{value:.{count}g}") for count in range(1, digits + 1)}
    exact = Decimal(f"{value:.{digits}g}")
    tied = abs(Decimal(value) - exact) * 2 == Decimal(1).scaleb(int(exact.as_tuple().exponent))
    if tied or halves & {number, *shorter}:
        return repr(value)
    return repr(number)
