"""How tables and lines look, so that all commands look alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from segue.cli.wording import printable

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
    "up to date": QUIET,
    "failed": BAD,
    "contract failed": BAD,
    "blocked": ODD,
    "running": "cyan",
    "publishing": "cyan",
    "lost": ODD,
    "run": "cyan",
    "reuse": "cyan",
    "view": QUIET,
    "not selected": QUIET,
}


def make_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Text]],
    *,
    numbers: Sequence[str] = (),
    wrap: Sequence[str] = (),
) -> Table:
    """Return a table without the columns in which nothing stands.

    Args:
        columns: Headers.
        rows: Cells; a row may be shorter than the headers.
        numbers: Columns that hold numbers, which stand on the right.
        wrap: Those whose text may go over several lines; the others are cut with an ellipsis.
    """
    lines = [[*row, *([Text()] * (len(columns) - len(row)))] for row in rows]
    used = [place for place in range(len(columns)) if any(row[place].plain for row in lines)]
    table = new_grid()
    for name in (columns[place] for place in used):
        wraps = name in wrap
        table.add_column(
            name,
            justify="right" if name in numbers else "left",
            no_wrap=not wraps,
            overflow="fold" if wraps else "ellipsis",
            min_width=None if wraps else min(len(name), 8),
        )
    for row in lines:
        table.add_row(*(row[place] for place in used))
    return table


def new_grid() -> Table:
    """Return an empty table that looks like all others."""
    return Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        header_style="bold",
        show_edge=False,
    )


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


def facts(pairs: Iterable[tuple[str, RenderableType | None]]) -> Table:
    """Return names and values below each other; empty values are left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=QUIET, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, ""):
            grid.add_row(name, cell(value) if isinstance(value, str) else value)
    return grid


def next_moves(*moves: tuple[str, str]) -> Table:
    """Return commands to try next, each with what it does."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=QUIET, no_wrap=True)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(style=QUIET, overflow="fold")
    for position, (command, meaning) in enumerate(moves):
        grid.add_row("Next:" if position == 0 else "", command, meaning)
    return grid


def say(console: Console, *parts: RenderableType) -> None:
    """Write parts below each other; lines of text are wrapped on terminals only."""
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Block | Text) and not console.is_terminal)
