"""Single values: as people read them, and as JSON says them."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from typing import TYPE_CHECKING, Any

from segue.spec.printable import printable

if TYPE_CHECKING:
    import pyarrow as pa

_EMPTY_FRACTION = re.compile(r"\.0+(?=$|[Z+-])")


def column_values(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Return a column's values; times are ISO texts, as Python's own types can't hold them all."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_timestamp(column.type) or kinds.is_time(column.type):
        texts = column.cast(pa.string()).to_pylist()
        return [
            None if text is None else _EMPTY_FRACTION.sub("", text.replace(" ", "T", 1))
            for text in texts
        ]
    if kinds.is_duration(column.type):
        column = column.cast(pa.duration("us"), safe=False)
    values: list[Any] = column.to_pylist()
    return values


def show_value(value: Any) -> str | None:
    r"""Return a value as people read it; None stays None.

    Example:
        >>> show_value(1.5), show_value(b"ab"), show_value([1, None]), show_value("a\n")
        ('1.5', '0x6162', '[1, null]', 'a\\n')
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    plain = plain_value(value)
    if isinstance(plain, bool | list | dict):
        plain = json.dumps(plain, ensure_ascii=False)
    return printable(str(plain))


def plain_value(value: Any) -> Any:
    """Return a value as JSON can say it, without loss.

    Decimals, times and what is not a finite number become texts, binary becomes hexadecimal
    digits, a map becomes a list of pairs.

    Example:
        >>> plain_value({"a": [1, b"ab"], "b": float("nan")})
        {'a': [1, '6162'], 'b': 'NaN'}
    """
    if isinstance(value, dict):
        return {str(key): plain_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(each) for each in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
