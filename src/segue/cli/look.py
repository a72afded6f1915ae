"""How tables and lines look, so that all commands look alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from segue.cli.grid import Column, Grid, Room
from segue.spec.printable import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

GOOD = "green"
BAD = "red"
ODD = "yellow"
QUIET = "dim"

VERDICTS = {"pass": GOOD, "ok": GOOD, "warn": ODD, "fail": BAD, "error": BAD}
STATUSES = {
    "done": GOOD,
    "reused": GOOD,
    "judged again": GOOD,
    "up to date": QUIET,
    "failed": BAD,
    "contract failed": BAD,
    "blocked": ODD,
    "running": "cyan",
    "publishing": "cyan",
    "lost": ODD,
    "run": "cyan",
    "reuse": "cyan",
    "judge": "cyan",
    "view": QUIET,
    "not selected": QUIET,
}


def make_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Text]],
    *,
    numbers: Sequence[str] = (),
    wrap: Sequence[str] = (),
    cut: Sequence[str] = (),
    spare: Sequence[str] = (),
) -> Grid:
    """Return a table without the columns in which nothing stands.

    Args:
        columns: Headers.
        rows: Cells; a row may be shorter than the headers.
        numbers: Columns that hold numbers, which stand on the right.
        wrap: Those whose text may go over several lines, and the last of them below its row.
        cut: Those whose text may end with an ellipsis; the others are shown whole.
        spare: Those that are left out where there is too little room, in this order.
    """
    lines = [[*row, *([Text()] * (len(columns) - len(row)))] for row in rows]
    used = [place for place in range(len(columns)) if any(row[place].plain for row in lines)]
    rooms = dict.fromkeys(wrap, Room.WRAP) | dict.fromkeys(cut, Room.CUT)
    ranks = {name: rank for rank, name in enumerate(spare, 1)}
    shown = [
        Column(name, rooms.get(name, Room.KEEP), name in numbers, ranks.get(name, 0))
        for name in (columns[place] for place in used)
    ]
    return Grid(shown, [[row[place] for place in used] for row in lines])


def cell(value: object, style: str = "") -> Text:
    """Return a value as the text of one cell; None is empty."""
    return Text("" if value is None else printable(str(value)), style=style)


def verdict(word: str) -> Text:
    """Return a verdict in its colour."""
    return Text(word, style=VERDICTS.get(word, ""))


def status(word: str) -> Text:
    """Return a status or an action in its colour."""
    return Text(word, style=STATUSES.get(word, ""))


def line(*parts: str | tuple[str, str]) -> Text:
    """Return a line of texts, each plain or with its style."""
    text = Text()
    for part in parts:
        text.append(part) if isinstance(part, str) else text.append(*part)
    return text


class Block:
    """Lines with a margin, which stays when a terminal is too narrow for them."""

    def __init__(self, text: str | Text, indent: int = 2, style: str = "") -> None:
        """Keep the text, safe for a terminal."""
        if isinstance(text, str):
            text = Text(printable(text.rstrip(), lines=True), style=style)
        self.text = text
        self.margin = " " * indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Wrap the lines at words, unless the reader is a file or a pipe."""
        width = max(options.max_width - len(self.margin), 20)
        whole = self.text.split("\n") if options.no_wrap else self.text.wrap(console, width)
        for each in whole:
            each.rstrip()
            yield Text(self.margin).append_text(each)


def facts(pairs: Iterable[tuple[str, str | Text | None]]) -> Grid:
    """Return names and values below each other; empty values are left out."""
    rows = [
        [Text(name, QUIET), cell(value) if isinstance(value, str) else value]
        for name, value in pairs
        if value not in (None, "")
    ]
    return Grid([Column(""), Column("", Room.WRAP)], rows)


def next_moves(*moves: tuple[str, str]) -> Grid:
    """Return commands to try next, each with what it does."""
    rows = [
        [Text("" if position else "Next:", QUIET), cell(command, "bold"), Text(meaning, QUIET)]
        for position, (command, meaning) in enumerate(moves)
    ]
    return Grid([Column(""), Column(""), Column("", Room.WRAP)], rows, cuts=False)


def say(console: Console, *parts: RenderableType) -> None:
    """Write parts below each other; lines of text are wrapped on terminals only."""
    # what follows each other is written at once: Rich takes as long for a line as for a hundred
    plain: list[str] = []
    for part in parts:
        if not console.is_terminal and isinstance(part, Text | Grid):
            # without the styles that a file or a pipe would not show
            plain += [part.plain] if isinstance(part, Text) else part.plain_lines(console)
            continue
        _write_plain(console, plain)
        console.print(part, soft_wrap=not console.is_terminal and isinstance(part, Block))
    _write_plain(console, plain)


def _write_plain(console: Console, lines: list[str]) -> None:
    if lines:
        console.out("\n".join(lines), highlight=False)
        lines.clear()
