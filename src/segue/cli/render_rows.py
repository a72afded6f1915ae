"""Rows as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from segue.cli.look import QUIET, cell, new_grid
from segue.cli.values import column_values, show_value
from segue.cli.wording import listing, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from rich.console import RenderableType

WIDEST = 40
"""Columns of the terminal that one value may take."""
NARROWEST = 6
GAP = 2
"""Columns of the terminal between two values."""


def render_rows(data: pa.Table, width: int) -> Iterator[RenderableType]:
    """Go through a table of rows, and a line that names columns for which there is no room.

    Args:
        data: The rows.
        width: Columns of the terminal.
    """
    columns = [[show_value(value) for value in column_values(column)] for column in data.columns]
    widths = [
        min(max([cell_len(name), *(cell_len(text or "null") for text in texts)]), WIDEST)
        for name, texts in zip(data.column_names, columns, strict=True)
    ]
    fitting = _count_fitting(widths, width)
    table = new_grid()
    for position in range(fitting):
        table.add_column(
            cell(data.column_names[position]),
            justify="right" if _is_number(data.schema.field(position).type) else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=WIDEST,
        )
    for row in range(data.num_rows):
        table.add_row(*(_cell(columns[position][row]) for position in range(fitting)))
    yield table
    if hidden := data.column_names[fitting:]:
        names = listing([printable(name) for name in hidden])
        yield Text(f"+ {len(hidden)} more columns: {names} (--csv and --json show all)", QUIET)


def _count_fitting(widths: Sequence[int], width: int) -> int:
    room = width
    for position, each in enumerate(widths):
        room -= each + (GAP if position else 0)
        if room < 0:
            # a cut first column is better than none
            return max(position, 1)
    return len(widths)


def _is_number(type_: pa.DataType) -> bool:
    import pyarrow.types as kinds

    return any(test(type_) for test in (kinds.is_integer, kinds.is_floating, kinds.is_decimal))


def _cell(text: str | None) -> Text:
    return Text("null", QUIET) if text is None else Text(text)
