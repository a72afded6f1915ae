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
    except BaseException:  # an interrupt leaves half a project, too
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
    scaffold.write_settings(folder, name, table, path)
    try:
        if nulls := _find_nulls(folder, table):
            scaffold.write_settings(folder, name, table, path, nulls)
        step, rules = _look_at(folder, table)
    except SegueError as error:
        # Its location would lie in a file that is removed again.
        told = error.problems[0] if isinstance(error, ProjectError) else error
        where = f"state it below [tables.{table}] in segue.toml of a new project: segue new NAME"
        raise UsageError(
            f"no table can be made of {source}: {told.message}",
            hint="\n".join(filter(None, (told.hint, told.hint and where))),
        ) from error
    # The step's columns are the source's, so what holds for one is asked of the other.
    scaffold.write_contract(folder, f"{step}:\n{rules}")
    scaffold.write_readme(folder, name, step)
    return step


def _find_nulls(folder: Path, table: str) -> tuple[str, ...]:
    """Return the words that mean null in a table of delimited text."""
    from segue.cli.markers import find_markers
    from segue.project import load

    with load(folder) as project:
        if project.spec.sources[table].kind != "csv":
            return ()
        with project.stream(table, limit=0) as batches:
            texts = [field.name for field in batches.schema if str(field.type) == "string"]
        return find_markers(project, table, texts)


def _look_at(folder: Path, table: str) -> tuple[str, str]:
    """Write a step for what is in the table; return its name and rules that its rows keep."""
    from segue.project import load

    with load(folder) as project:
        columns = tuple(project.read(table, limit=0).column_names)
        _, _, rules = project.suggest(table).partition("\n")
    # Looking has opened a ledger that no run has used.
    shutil.rmtree(folder / "lake", ignore_errors=True)
    return scaffold.write_first_step(folder, table, columns), rules


def _refer(folder: Path, source: Path) -> str:
    """Return the path by which the project refers to the file: relative where it is near."""
    absolute = source.resolve()
    relative = os.path.relpath(absolute, folder.resolve())
    return str(absolute) if relative.count("..") > 2 else Path(relative).as_posix()  # noqa: PLR2004  # further away, an absolute path reads better


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
