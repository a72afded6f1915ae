"""Windows of rows that are at hand, in Arrow; what they mean stands in `segue.spec.windows`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.spec.edge import WindowKind
from segue.spec.windows import END, START, count_overlaps

if TYPE_CHECKING:
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
    taken = known.take(rows)
    kind = pa.timestamp("us", tz=table.schema.field(window.column).type.tz)
    return (
        taken.drop_columns([name for name in (START, END) if name in taken.column_names])
        .append_column(START, starts.cast(kind))
        .append_column(END, ends.cast(kind))
    )


def read_times(table: pa.Table, column: str) -> pa.Int64Array:
    """Return event times as microseconds since 1970-01-01 UTC; none may be null."""
    import pyarrow as pa

    zone = table.schema.field(column).type.tz
    whole = table[column].cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64())
    return whole.combine_chunks()


def find_panes(times: pa.Int64Array, every: int) -> pa.Int64Array:
    """Return the newest multiple of a number of microseconds up to each time.

    Example:
        >>> import pyarrow as pa
        >>> find_panes(pa.array([-1, 0, 70]), 60).to_pylist()
        [-60, 0, 60]
    """
    import pyarrow.compute as pc

    panes = pc.multiply(pc.divide(times, every), every)  # Arrow rounds towards 1970
    above = pc.greater(panes, times).cast(times.type)
    return pc.subtract(panes, pc.multiply(above, every))


def _find_fixed(times: pa.Int64Array, window: WindowSpec) -> tuple[Any, Any, Any]:
    """Return numbers of rows, and where their windows begin and end."""
    import pyarrow as pa
    import pyarrow.compute as pc

    newest = find_panes(times, window.every)
    rows, starts = [], []
    for turn in range(count_overlaps(window)):
        begin = pc.subtract(newest, turn * window.every)
        inside = pc.indices_nonzero(pc.greater(pc.add(begin, window.size), times))
        rows.append(inside)
        starts.append(begin.take(inside))
    begins = pa.concat_arrays(starts)
    return pa.concat_arrays(rows), begins, pc.add(begins, window.size)


def _find_sessions(
    table: pa.Table, times: pa.Int64Array, window: WindowSpec
) -> tuple[Any, Any, Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(times):
        return pa.array([], pa.uint64()), times, times
    keys = {f"k{number}": _number_values(table, name) for number, name in enumerate(window.by)}
    sorting = pa.table({**keys, "at": times})
    order = pc.sort_indices(sorting, sort_keys=[(name, "ascending") for name in (*keys, "at")])
    laid_out = sorting.take(order).combine_chunks()
    at = laid_out["at"].combine_chunks()
    changes = pc.greater_equal(pc.subtract(at[1:], at[:-1]), window.size)
    for name in keys:
        code = laid_out[name].combine_chunks()
        changes = pc.or_(changes, pc.not_equal(code[1:], code[:-1]))
    first = pa.concat_arrays([pa.array([True]), changes])
    begins = pc.indices_nonzero(first)
    session = pc.subtract(pc.cumulative_sum(first.cast(pa.int64())), 1)
    ends = pa.concat_arrays([begins[1:], pa.array([len(times)], pa.uint64())])
    lasts = at.take(pc.subtract(ends, pa.scalar(1, pa.uint64())))
    return order, at.take(begins).take(session), pc.add(lasts.take(session), window.size)


def _number_values(table: pa.Table, column: str) -> pa.Array:
    """Return a number for each value of a column, the same for equal ones and for nulls."""
    encoded = table[column].combine_chunks().dictionary_encode(null_encoding="encode")
    return encoded.indices
