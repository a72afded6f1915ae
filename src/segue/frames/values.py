"""Single values of Arrow's as Python's, or as text where Python's own have no room for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def list_values(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column, and as text if Python's times can't hold one.

    Example:
        >>> import pyarrow as pa
        >>> list_values(pa.chunked_array([[1, None]]))
        [1, None]
    """
    try:
        values: list[Any] = column.to_pylist()
    except OverflowError:
        values = [show_value(value) if value.is_valid else None for value in column]
    return values


def show_value(value: pa.Scalar) -> str:
    """Return a value as text, whatever it is.

    Example:
        >>> import pyarrow as pa
        >>> show_value(pa.scalar(2**60, pa.timestamp("us")))
        '<value out of range: 1152921504606846976>'
    """
    import pyarrow as pa

    try:
        return str(value.as_py())
    except (ValueError, OverflowError):  # Python's own times end at microseconds, and in 9999
        pass
    try:
        return str(value.cast(pa.string()))
    except (pa.ArrowException, ValueError):
        return f"<{value.type}>"
