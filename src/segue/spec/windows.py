"""Windows of event time: which ones a row belongs to, in SQL and in whole numbers.

One meaning at a node and here. Windows of a fixed size begin at multiples of `every` since
1970-01-01 UTC and are half open: a row at ``window_end`` belongs to the next. A session goes on
while its rows follow one another within less than `size`; it begins with its first row, and ends
`size` after its last. A row without a time belongs to no window. The same in Arrow, for rows
that are at hand: `segue.frames.windows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.spec.edge import WindowKind
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from segue.spec.edge import WindowSpec

START = "window_start"
END = "window_end"
"""Columns that a step with windows sees beside those of its table."""


def count_overlaps(window: WindowSpec) -> int:
    """Return how many windows of a fixed size a row belongs to, at most.

    Example:
        >>> from segue.spec.edge import WindowSpec
        >>> count_overlaps(WindowSpec(WindowKind.SLIDING, "at", size=60, every=25))
        3
    """
    return -(-window.size // window.every)


def find_starts(window: WindowSpec, time: int) -> tuple[int, ...]:
    """Return where the windows of a fixed size begin that a time is in, the newest first.

    Args:
        window: Tumbling or sliding.
        time: Microseconds since 1970-01-01 UTC.

    Example:
        >>> from segue.spec.edge import WindowSpec
        >>> find_starts(WindowSpec(WindowKind.SLIDING, "at", size=60, every=25), 55)
        (50, 25, 0)
        >>> find_starts(WindowSpec(WindowKind.TUMBLING, "at", size=60, every=60), -1)
        (-60,)
    """
    newest = time // window.every * window.every
    starts = (newest - turn * window.every for turn in range(count_overlaps(window)))
    return tuple(start for start in starts if start + window.size > time)


def write_windows(window: WindowSpec, table: str) -> str:
    """Return the SELECT (DuckDB's dialect) of a table's rows with the windows they belong to.

    A row stands in it once for each of its windows. Columns of the table that have the names
    of the two new ones give way to them.

    Args:
        window: The windows.
        table: Name of the table.
    """
    if window.kind is WindowKind.SESSION:
        return _write_sessions(window, table)
    time, rows = quote(window.column), quote(table)
    behind = f"(epoch_us({time}) % {window.every} + {window.every}) % {window.every}"
    if window.kind is WindowKind.SLIDING:
        # how long before its time each of a row's windows begins
        behind = f"unnest(range({behind}, {window.size}, {window.every}))"
    placed = f"select *, {behind} as __segue_behind from {rows} where {time} is not null"
    start = f"{time} - to_microseconds(__segue_behind)"
    end = f"{time} + to_microseconds({window.size} - __segue_behind)"
    return f"select {_others()}, {start} as {START}, {end} as {END} from ({placed})"


def _others() -> str:
    """Write all columns but those that windows bring, and those that we need on the way."""
    return (
        f"columns(lambda name: lower(name) not in ('{START}', '{END}')"
        " and not starts_with(name, '__segue_'))"
    )


def _write_sessions(window: WindowSpec, table: str) -> str:
    time = quote(window.column)
    keys = ", ".join(map(quote, window.by))
    apart = f"partition by {keys} " if keys else ""
    order = f"over ({apart}order by {time})"
    silence = f"epoch_us({time}) - epoch_us(lag({time}) {order})"
    first = f"coalesce({silence} >= {window.size}, true)::int"
    begun = f"select *, {first} as __segue_first from {quote(table)} where {time} is not null"
    # rows of one time are peers: they have one number, whichever of them comes first
    numbered = f"select *, sum(__segue_first) {order} as __segue_number from ({begun})"
    session = f"over (partition by {', '.join(filter(None, (keys, '__segue_number')))})"
    # what interval arithmetic gives has microseconds, whatever the column has
    start = f"min({time}) {session} - to_microseconds(0)"
    end = f"max({time}) {session} + to_microseconds({window.size})"
    return f"select {_others()}, {start} as {START}, {end} as {END} from ({numbered})"
