"""Rows of formats that split a line into bare texts, which are then read as the types say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.agent.formats.lines import cut_lines, part_rows
from segue.agent.formats.texts import convert_texts
from segue.frames.arrow_types import to_arrow

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from segue.agent.formats.reading import Reading
    from segue.protocols.edge import Parsed
    from segue.spec.types import TableSchema

    Split = Callable[[pa.Array], tuple[pa.Array, list[pa.Array], dict[int, str]]]


class TextRows:
    """Makes rows of lines.

    Args:
        schema: The columns.
        reading: How values are written.
        split: Returns the lines that are rows (a format may leave some out), a text of each
            for each column (null where there is none), and the lines that can't be split with
            the reason.
    """

    def __init__(self, schema: TableSchema, reading: Reading, split: Split) -> None:
        self._schema = schema
        self._reading = reading
        self._split = split

    def parse(self, data: bytes) -> Parsed:
        """Make rows of records; see `segue.protocols.edge`."""
        block = cut_lines(data, self._reading.encoding)
        lines, texts, reasons = self._split(block.lines)
        columns = []
        for column, text in zip(self._schema, texts, strict=True):
            values, misfits = convert_texts(text, column, self._reading)
            columns.append(values)
            for row, reason in misfits.items():
                reasons.setdefault(row, reason)
        return part_rows(columns, to_arrow(self._schema), lines, reasons, block.rejects)
