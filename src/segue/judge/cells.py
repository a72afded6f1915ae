"""What a query told, as Python's own values."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def read_cell(cell: pa.Scalar) -> Any:
    """Return a value; a moment beyond the years that Python knows as the last or first of them.

    Example:
        >>> import pyarrow as pa
        >>> read_cell(pa.scalar(2**62, pa.timestamp("us"))).year
        9999
    """
    import pyarrow as pa

    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        type_ = cell.type
        if pa.types.is_date(type_):
            return date.min if cell.value < 0 else date.max
        if not pa.types.is_timestamp(type_):
            raise
        if type_.unit == "ns":  # which pandas tells, where it is installed
            return cell.cast(pa.timestamp("us", type_.tz), safe=False).as_py()
        zone = UTC if type_.tz else None
        day, clock = (date.min, time.min) if cell.value < 0 else (date.max, time.max)
        return datetime.combine(day, clock, zone)
