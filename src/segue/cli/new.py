"""``segue new``: a small working project in a new folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segue.cli import scaffold
from segue.cli.call import Call, answer_options
from segue.cli.group import Command
from segue.errors import ProjectError, SegueError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.project import Project
    from segue.spec.types import TableSchema

NUMBERS_IN_TEXT = (".csv", ".tsv", ".txt")
"""Files whose numbers are texts, so that leading zeros can get lost."""


@click.command(
    "new",
    cls=Command,
    examples=[
        ("segue new shop", "a sample with 200 orders, to look at and to change"),
        ("segue new shop --from ~/sales.csv", "your own file, its types and a first contract"),
        ("segue new shop --from sales.parquet --copy", "the same, with a copy of the file"),
    ],
)
@click.argument("target", metavar="NAME", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Start from this file (CSV, TSV, JSON, JSON lines, Parquet, Arrow) or Delta table.",
)
@click.option("--copy", is_flag=True, help="Copy FILE into the project; else it is referred to.")
@answer_options
def write_project(call: Call, *, target: Path, source: Path | None, copy: bool) -> None:
    """Write a small working project into a new folder.

    NAME is the folder, and the project is called like it.
    """
    if copy and source is None:
        raise UsageError("--copy needs a file", hint="name it with --from FILE")
    if source is not None and not source.exists():
        raise UsageError(f"there is no file {source}", hint="check the path given with --from")
    name = project_name(target)
    with _new_folder(target):
        if source is None:
            scaffold.write_sample(target, name)
            shown = "daily"
        else:
            shown = _write_around(target, name, source, copy=copy)
    written = scaffold.list_files(target)
    if call.as_json:
        files = [path.as_posix() for path in written]
        call.print_json({"project": name, "folder": str(target), "files": files, "shows": shown})
        return
    _print_result(call, target, written, shown)


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """Clear the folder if a project can't be written: half of one stands in the way."""
    existed = folder.exists()
    scaffold.prepare_folder(folder)
    try:
        yield
    except BaseException:
        for each in folder.iterdir():
            if each.is_dir():
                shutil.rmtree(each)
            else:
                each.unlink()
        if not existed:
            folder.rmdir()
        raise


def project_name(folder: Path) -> str:
    """Return the name of a project in a folder.

    Raises:
        UsageError: The folder's name has no letter or digit.

    Example:
        >>> project_name(Path("work/My shop!"))
        'my-shop'
    """
    name = re.sub(r"[^\w.-]+", "-", folder.resolve().name).strip("-._").lower()
    if not name:
        raise UsageError(
            f"{str(folder)!r} gives no name for a project", hint="use letters: segue new shop"
        )
    return name


def _write_around(folder: Path, name: str, source: Path, *, copy: bool) -> str:
    table = scaffold.table_name(scaffold.file_stem(source))
    scaffold.write_frame(folder, name)
    path = scaffold.copy_data(folder, source) if copy else _refer(folder, source)
    scaffold.write_settings(folder, name, table, path, {})
    try:
        types = _find_coded_numbers(folder, name, table, path)
    except SegueError as error:
        # Its location would lie in a file that is removed again.
        told = error.problems[0] if isinstance(error, ProjectError) else error
        raise UsageError(
            f"no table can be made of {source}: {told.message}", hint=told.hint
        ) from error
    scaffold.write_settings(folder, name, table, path, types)
    with _open(folder) as project:
        schema = _schema_of(project, table)
        step = scaffold.write_first_step(folder, table, schema)
        _, _, rules = project.suggest(table).partition("\n")
    # The step's columns are the source's, so what holds for one is asked of the other.
    scaffold.write_contract(folder, f"{step}:\n{rules}")
    scaffold.write_readme(folder, name, step)
    return step


def _refer(folder: Path, source: Path) -> str:
    """Return the path by which the project refers to the file: relative where it is near."""
    absolute = source.resolve()
    relative = os.path.relpath(absolute, folder.resolve())
    return str(absolute) if relative.count("..") > 2 else Path(relative).as_posix()  # noqa: PLR2004  # further away, an absolute path reads better


def _find_coded_numbers(folder: Path, name: str, table: str, path: str) -> dict[str, str]:
    """Return columns that look like integers and have leading zeros, such as postal codes."""
    with _open(folder) as project:
        schema = _schema_of(project, table)
    numbers = [column.name for column in schema if column.type.is_integer]
    if not numbers or not any(ending in Path(path).suffixes for ending in NUMBERS_IN_TEXT):
        return {}
    scaffold.write_settings(folder, name, table, path, dict.fromkeys(numbers, "string"))
    counts = ", ".join(
        f"count(*) filter (regexp_full_match({scaffold.quote_column(column)}, '0[0-9]+'))"
        f" as n{position}"
        for position, column in enumerate(numbers)
    )
    with _open(folder) as project:
        found = project.query(f"select {counts} from {table}").to_pylist()[0]
    return {
        column: "string" for column, number in zip(numbers, found.values(), strict=True) if number
    }


def _open(folder: Path) -> Project:
    from segue.project import load

    return load(folder)


def _schema_of(project: Project, table: str) -> TableSchema:
    info = next(each for each in project.tables() if each.name == table)
    if info.columns is not None:
        return info.columns
    from segue.frames.arrow_types import from_arrow

    return from_arrow(project.query(f"select * from {table} limit 0").schema)


def _print_result(call: Call, folder: Path, written: tuple[Path, ...], shown: str) -> None:
    from segue.cli.look import line, next_moves, say
    from segue.cli.render_tree import render_tree

    say(
        call.out,
        line("Written:"),
        render_tree(str(folder), written),
        line(""),
        next_moves(
            (f"cd {shlex.quote(str(folder))}", "go to the project"),
            ("segue run", "make its tables, check and publish them"),
            (f"segue read {shown}", "look at the result"),
        ),
    )
