"""What a user's function said of rows: a truth, a number, or the rows that are wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from segue.frames.kinds import find_kind, is_iterator, name_type
from segue.judge.shown_rows import MASK, ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import pyarrow as pa

    Guard = Callable[[Callable[[], Any]], Any]

_END = object()
_LENGTH = 200
_EXPECTED = (
    "expected true or false, a number, a column that is true for wrong rows, or a frame of them"
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Rows that are wrong.

    Attributes:
        count: How many.
        rows: Some of them.
    """

    count: int
    rows: pa.Table | None = None


def read_result(result: Any, given: pa.Table | None, guard: Guard) -> Any:
    """Return what a function said: a plain value, or `Wrong`.

    Args:
        result: What it returned.
        given: The rows that it was given; None if they came as a stream.
        guard: Does what runs the user's code: a lazy frame or a generator still has to.

    Raises:
        ValueError: It says nothing of rows.

    Example:
        >>> import pyarrow as pa
        >>> rows = pa.table({"x": [1, 2, 3]})
        >>> read_result([False, True, True], rows, lambda work: work()).count
        2
    """
    if hasattr(result, "as_py"):  # one value of Arrow
        result = result.as_py()
    if getattr(result, "shape", None) == () and hasattr(result, "item"):  # one of NumPy
        result = result.item()
    if isinstance(result, bool | int | float | Decimal | str | date | time):
        return result
    if is_iterator(result):
        return _add(result, guard)
    if isinstance(result, list) and not any(isinstance(each, dict) for each in result):
        return _mark(result, given) if result else Wrong(0)
    found = find_kind(result)
    if found is not None and found.iterator:
        return _add(iter(result), guard)
    if found is not None:
        kind = found.kind
        from segue.frames.convert import from_frame

        table: pa.Table = guard(lambda: from_frame(result, kind))
        return Wrong(table.num_rows, table.slice(0, ROWS))
    if result is None or isinstance(result, dict | tuple | set):
        raise ValueError(f"returned {name_type(result)}: {_EXPECTED}")
    return _mark(result, given)


def show_wrong(
    wrong: Wrong, columns: Collection[str], sensitive: Collection[str]
) -> tuple[Mapping[str, Any], ...]:
    """Return some of the wrong rows as plain values.

    Args:
        wrong: The rows.
        columns: Columns of the table. Others may have been made of any of them.
        sensitive: Columns whose values are masked.
    """
    if wrong.rows is None:
        return ()
    plain = {name.lower() for name in columns} - {name.lower() for name in sensitive}
    rows = wrong.rows.to_pylist()
    return tuple(
        {
            name: _make_plain(value) if not sensitive or name.lower() in plain else MASK
            for name, value in row.items()
        }
        for row in rows
    )


def _add(results: Iterator[Any], guard: Guard) -> Wrong:
    count, rows = 0, None
    while (item := guard(lambda: next(results, _END))) is not _END:
        part = read_result(item, None, guard)
        if not isinstance(part, Wrong):
            message = f"yields {name_type(item)}: expected frames of wrong rows"
            raise ValueError(message)  # noqa: TRY004  # of the user's function
        count += part.count
        rows = part.rows if rows is None or not rows.num_rows else rows
    return Wrong(count, rows)


def _mark(result: Any, given: pa.Table | None) -> Wrong:
    """Return the rows for which a column is true."""
    import pyarrow as pa
    import pyarrow.compute as pc

    native = result.to_native() if hasattr(result, "to_native") else result
    try:
        column = native if isinstance(native, pa.Array | pa.ChunkedArray) else _to_array(native)
    except (pa.ArrowException, TypeError, ValueError):
        raise ValueError(f"returned {name_type(result)}: {_EXPECTED}") from None
    if not pa.types.is_boolean(column.type) and not pa.types.is_null(column.type):
        raise ValueError(f"returned a column of {column.type}, not of true and false")
    marked = pc.fill_null(column.cast(pa.bool_()), False)
    if given is not None and len(marked) != given.num_rows:
        raise ValueError(f"returned {len(marked):,} values for {given.num_rows:,} rows")
    count = pc.sum(marked).as_py() or 0
    return Wrong(count, None if given is None else given.filter(marked).slice(0, ROWS))


def _to_array(native: Any) -> pa.Array | pa.ChunkedArray:
    import pyarrow as pa

    if hasattr(native, "__arrow_c_stream__"):
        return pa.chunked_array(native)
    return pa.array(native, from_pandas=True)


def _make_plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:_LENGTH]
