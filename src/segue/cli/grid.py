"""Rows of cells that fit a terminal: whole words, and little that is cut."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

GAP = 2
"""Columns of the terminal between two cells."""
LEAST = 16
"""Columns of the terminal below which a text is not worth its place."""
LONGEST_WORD = 32
INDENT = 4
"""Columns of the terminal before a text that stands below its row."""


class Room(Enum):
    """What a column does where there is too little room.

    `KEEP` stays as it is, `WRAP` goes over several lines, `CUT` ends with an ellipsis.
    """

    KEEP = 1
    WRAP = 2
    CUT = 3


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: Its header.
        room: What it does where there is too little room.
        right: Whether it stands on the right, as numbers do.
        spare: Columns with a number are left out where there is too little room, 1 first.
    """

    name: str
    room: Room = Room.KEEP
    right: bool = False
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """How columns fit.

    Attributes:
        widths: Width of each shown column, by position.
        below: Position of the column that stands below its row.
    """

    widths: dict[int, int]
    below: int | None = None

    @property
    def width(self) -> int:
        """Width of a row."""
        return sum(self.widths.values()) + GAP * (len(self.widths) - 1)


class Grid:
    """Rows of cells with a header, or without one where no column has a name.

    What does not fit gives way in this order: texts wrap, the last of them moves below its row,
    spare columns are left out, cells are cut.
    """

    def __init__(
        self, columns: Sequence[Column], rows: Sequence[Sequence[Text]], *, cuts: bool = True
    ) -> None:
        """Measure the cells; without `cuts` a row may be wider than the terminal."""
        self.columns = columns
        self.rows = rows
        self.cuts = cuts
        self.widths = [
            max(map(_width, (Text(column.name), *(row[at] for row in rows))))
            for at, column in enumerate(columns)
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Go through the lines, as Rich asks for them."""
        yield from self.lines(console, options)

    def lines(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Go through the lines."""
        layout = self.fit(options.max_width)
        if any(column.name for column in self.columns):
            titles = [Text(column.name, "bold") for column in self.columns]
            yield from self._write(titles, layout, console)
            yield Text("─" * layout.width)
        for row in self.rows:
            yield from self._write(row, layout, console)
            if layout.below is not None and row[layout.below].plain:
                yield from self._write_below(row, layout.below, console, options.max_width)

    def plain_lines(self, console: Console) -> list[str]:
        """Return the lines without their styles; where all fits, without Rich's slower way."""
        layout = self.fit(console.options.max_width)
        fits = layout.below is None and all(
            layout.widths[at] == self.widths[at] for at in layout.widths
        )
        if not fits or any("\n" in cell.plain for row in self.rows for cell in row):
            return [line.plain for line in self.lines(console, console.options)]
        named = any(column.name for column in self.columns)
        head = [[column.name for column in self.columns]] if named else []
        rows = [*head, *([cell.plain for cell in row] for row in self.rows)]
        lines = [(" " * GAP).join(self._pad(row, layout)).rstrip() for row in rows]
        return [*lines[:1], "─" * layout.width, *lines[1:]] if named else lines

    def _pad(self, row: Sequence[str], layout: Layout) -> Iterator[str]:
        for at, width in layout.widths.items():
            blank = " " * (width - (len(row[at]) if row[at].isascii() else cell_len(row[at])))
            yield blank + row[at] if self.columns[at].right else row[at] + blank

    def fit(self, width: int) -> Layout:
        """Return the first layout that is no wider than the terminal, or the narrowest."""
        layout = Layout({})
        for gone, below in self._choices():
            layout = self._shrink(gone, below, width)
            if layout.width <= width:
                return layout
        if self.cuts and layout.widths:
            widest = max(layout.widths, key=layout.widths.__getitem__)
            layout.widths[widest] = max(width - layout.width + layout.widths[widest], LEAST)
        return layout

    def _choices(self) -> Iterator[tuple[set[int], int | None]]:
        """Go through what could be left out of the rows, and which column stands below them."""
        wraps = [at for at, column in enumerate(self.columns) if column.room is Room.WRAP]
        cuts = [at for at, column in enumerate(self.columns) if column.room is Room.CUT]
        ranks = sorted((column.spare, at) for at, column in enumerate(self.columns) if column.spare)
        gone: set[int] = set()
        for more in ((), *((at,) for _, at in ranks), cuts):
            gone |= {*more}
            yield gone, None
            if wraps and len(self.columns) > 1:
                yield gone | {wraps[-1]}, wraps[-1]

    def _shrink(self, gone: set[int], below: int | None, width: int) -> Layout:
        """Take room from the widest text again and again, until all fits or is narrow."""
        layout = Layout({at: each for at, each in enumerate(self.widths) if at not in gone}, below)
        if layout.width <= width:
            return layout
        giving = {
            at: self._least(at) for at in layout.widths if self.columns[at].room is not Room.KEEP
        }
        while layout.width > width:
            wide = [at for at, least in giving.items() if layout.widths[at] > least]
            if not wide:
                break
            layout.widths[max(wide, key=layout.widths.__getitem__)] -= 1
        return layout

    def _least(self, at: int) -> int:
        least = LEAST
        if self.columns[at].room is Room.WRAP:
            words = (word for row in self.rows for word in row[at].plain.split())
            least = max([least, *(min(cell_len(word), LONGEST_WORD) for word in words)])
        return min(self.widths[at], max(least, cell_len(self.columns[at].name)))

    def _write(self, row: Sequence[Text], layout: Layout, console: Console) -> Iterator[Text]:
        """Go through the lines of one row."""
        cells = [self._break(row[at], at, width, console) for at, width in layout.widths.items()]
        for parts in zip_longest(*cells, fillvalue=Text()):
            whole = Text()
            for (at, width), part in zip(layout.widths.items(), parts, strict=True):
                blank = " " * (width - cell_len(part.plain))
                right = self.columns[at].right
                whole.append_text(Text(blank) + part if right else part + Text(blank))
                whole.append(" " * GAP)
            whole.rstrip()
            yield whole

    def _break(self, text: Text, at: int, width: int, console: Console) -> list[Text]:
        """Return the lines of one cell."""
        if _width(text) <= width:
            return list(text.split("\n"))
        if self.columns[at].room is Room.WRAP:
            lines = list(text.wrap(console, width))
        else:
            lines = list(text.split("\n"))
        for each in lines:
            each.rstrip()
            each.truncate(width, overflow="ellipsis")
        return lines

    def _write_below(
        self, row: Sequence[Text], at: int, console: Console, width: int
    ) -> Iterator[Text]:
        name = self.columns[at].name
        text = Text(f"{name}: " if name else "", "dim").append_text(row[at])
        for each in text.wrap(console, max(width - INDENT, LEAST)):
            each.rstrip()
            yield Text(" " * INDENT).append_text(each)


def _width(text: Text) -> int:
    plain = text.plain
    if plain.isascii() and plain.isprintable():
        return len(plain)
    return max(map(cell_len, plain.split("\n")))
