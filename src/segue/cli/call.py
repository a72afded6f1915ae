"""What every command is told: where the project lies, and how to answer."""

from __future__ import annotations

import functools
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console

    from segue.project import Project

PROJECT_FILE = "segue.toml"
COLLECT_AFTER = (10_000, 10, 10)
"""Objects, and rounds of younger ones, after which garbage is looked for.

No more of them: frames that functions leave behind in circles are large.
"""
PIPE_WIDTH = 100_000
"""Columns of a file or a pipe: it has no edge, so that a row stays one line for programs."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command.

    Attributes:
        folder: Where to look for the project; None for the current folder upwards.
        as_json: Whether the answer is JSON.
        color: Whether to use colours; None to use them on terminals.
    """

    folder: Path | None = None
    as_json: bool = False
    color: bool | None = None

    @property
    def out(self) -> Console:
        """The console on which answers are written."""
        return make_console(sys.stdout, color=self.color)

    @property
    def err(self) -> Console:
        """The console on which news and errors are written."""
        return make_console(sys.stderr, color=self.color)

    @property
    def start(self) -> Path:
        """The folder from which the project is looked for, upwards."""
        folder = self.folder or Path()
        return folder.parent if folder.name == PROJECT_FILE else folder

    @contextmanager
    def open_project(self) -> Iterator[Project]:
        """Load the project, and close it at the end.

        Raises:
            ProjectError: Its files are wrong.
            UsageError: There is no project.
        """
        collect_seldom()
        from segue.project import load

        with load(self.start) as project:
            yield project

    def print_json(self, document: Any) -> None:
        """Write a document as the command's answer."""
        print_json(document)


def collect_seldom() -> None:
    """Let Python look for garbage less often: this process ends soon, and most of it stays.

    What an import or a plan makes is gone through again and again otherwise, for nothing.
    """
    gc.set_threshold(*COLLECT_AFTER)


def common_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command of a project its ``--project``, ``--json`` and ``--color``, as a `Call`."""
    return click.option(
        "--project",
        "folder",
        metavar="PATH",
        type=click.Path(path_type=Path),
        help="Folder of the project; the current folder or one above it if not stated.",
    )(answer_options(function))


def picture_option(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--svg FILE``, as `picture`."""
    return click.option(
        "--svg",
        "picture",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Draw a picture into FILE.",
    )(function)


def answer_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--json`` and ``--color``; it gets them as a `Call`."""

    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
    @click.option(
        "--color/--no-color",
        "color",
        default=None,
        help="Colours, always or never; on terminals if not stated.",
    )
    @functools.wraps(function)
    def wrapped(
        *, as_json: bool, color: bool | None, folder: Path | None = None, **options: Any
    ) -> None:
        function(Call(folder, as_json, color), **options)

    return wrapped


def make_console(stream: TextIO, *, color: bool | None = None) -> Console:
    """Return a console that takes text as it is, without markup.

    Args:
        stream: Where it writes.
        color: Whether to use colours; None to use them on terminals.
    """
    from rich.console import Console

    piped = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(
        file=stream,
        width=PIPE_WIDTH if piped else None,
        markup=False,
        highlight=False,
        emoji=False,
        force_terminal=color or None,
        color_system=None if color is False else "auto",
    )


def print_json(document: Any, stream: TextIO | None = None) -> None:
    """Write a document as indented JSON."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    click.echo(text, file=stream)
