"""Windows of rows that are at hand, in Arrow; what they mean stands in `segue.spec.windows`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.spec.edge import WindowKind
from segue.spec.windows import END, START, count_overlaps

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from segue.spec.edge import WindowSpec


def assign_windows(table: pa.Table, window: WindowSpec) -> pa.Table:
    """Return rows with the windows that they belong to, once for each of them.

    Rows without a time are left out. Sessions are those of the given rows: who gives some of
    them, gives all of a session.

    Args:
        table: The rows; the event time is a timestamp.
        window: The windows.

    Example:
        >>> import pyarrow as pa
        >>> from segue.spec.edge import WindowSpec
        >>> rows = pa.table({"at": pa.array([5, 70], pa.timestamp("us"))})
        >>> window = WindowSpec(WindowKind.TUMBLING, "at", size=60, every=60)
        >>> assign_windows(rows, window)["window_start"].cast("int64").to_pylist()
        [0, 60]
    """
    import pyarrow as pa

    known = table.filter(table[window.column].is_valid())
    times = read_times(known, window.column)
    if window.kind is WindowKind.SESSION:
        rows, starts, ends = _find_sessions(known, times, window)
    else:
        rows, starts, ends = _find_fixed(times, window)
    taken = known.take(pa.array(rows))
    kind = pa.timestamp("us", tz=table.schema.field(window.column).type.tz)
    return (
        taken.drop_columns([name for name in (START, END) if name in taken.column_names])
        .append_column(START, pa.array(starts).cast(kind))
        .append_column(END, pa.array(ends).cast(kind))
    )


def read_times(table: pa.Table, column: str) -> np.ndarray[Any, Any]:
    """Return event times as microseconds since 1970-01-01 UTC; none may be null."""
    import numpy as np
    import pyarrow as pa

    zone = table.schema.field(column).type.tz
    whole = table[column].cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64())
    times: np.ndarray[Any, Any] = np.asarray(whole.combine_chunks(), dtype=np.int64)
    return times


def _find_fixed(times: np.ndarray[Any, Any], window: WindowSpec) -> tuple[Any, Any, Any]:
    """Return numbers of rows, and where their windows begin and end."""
    import numpy as np

    newest = times // window.every * window.every
    rows, starts = [], []
    for turn in range(count_overlaps(window)):
        begin = newest - turn * window.every
        inside = np.flatnonzero(begin + window.size > times)
        rows.append(inside)
        starts.append(begin[inside])
    begins = np.concatenate(starts)
    return np.concatenate(rows), begins, begins + window.size


def _find_sessions(
    table: pa.Table, times: np.ndarray[Any, Any], window: WindowSpec
) -> tuple[Any, Any, Any]:
    import numpy as np

    codes = [_number_values(table, name) for name in window.by]
    order = np.lexsort((times, *reversed(codes)))
    sorted_times = times[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.diff(sorted_times) >= window.size
    for code in codes:
        first[1:] |= np.diff(code[order]) != 0
    begins = np.flatnonzero(first)
    session = np.cumsum(first) - 1
    lasts = np.append(begins[1:], len(order))[: len(begins)] - 1
    return order, sorted_times[begins][session], sorted_times[lasts][session] + window.size


def _number_values(table: pa.Table, column: str) -> np.ndarray[Any, Any]:
    """Return a number for each value of a column, the same for equal ones and for nulls."""
    import numpy as np

    encoded = table[column].combine_chunks().dictionary_encode(null_encoding="encode")
    numbers: np.ndarray[Any, Any] = np.asarray(encoded.indices, dtype=np.int64)
    return numbers
