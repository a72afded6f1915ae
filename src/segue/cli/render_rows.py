"""Rows as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from segue.cli.call import PIPE_WIDTH
from segue.cli.grid import GAP, Column, Grid
from segue.cli.look import QUIET
from segue.cli.values import column_values, show_value
from segue.cli.wording import count, listing
from segue.spec.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from rich.console import RenderableType

WIDEST = 40
"""Columns of the terminal that one value may take."""


def render_rows(data: pa.Table, width: int) -> Iterator[RenderableType]:
    """Go through a table of rows, and a line that names columns for which there is no room.

    Args:
        data: The rows.
        width: Columns of the terminal.
    """
    columns = [[show_value(value) for value in column_values(column)] for column in data.columns]
    most = WIDEST if width < PIPE_WIDTH else width
    widths = [
        min(max([cell_len(name), *(cell_len(text or "null") for text in texts)]), most)
        for name, texts in zip(data.column_names, columns, strict=True)
    ]
    fitting = _count_fitting(widths, width)
    shown = [
        Column(_cut(printable(field.name), most), right=_is_number(field.type))
        for field in list(data.schema)[:fitting]
    ]
    cells = [[_cell(text, most) for text in texts] for texts in columns[:fitting]]
    yield Grid(shown, list(zip(*cells, strict=True)))
    if hidden := data.column_names[fitting:]:
        names = listing([printable(name) for name in hidden])
        more = count(len(hidden), "more column")
        yield Text(f"+ {more}: {names} (--csv and --json show all)", QUIET)


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


def _cell(text: str | None, most: int) -> Text:
    return Text("null", QUIET) if text is None else Text(_cut(text, most))


def _cut(text: str, most: int) -> str:
    cut = Text(text)
    cut.truncate(most, overflow="ellipsis")
    return cut.plain
