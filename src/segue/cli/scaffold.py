"""The files of a new project: from templates, or around a file of the user's."""

from __future__ import annotations

import json
import os
import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from segue.errors import UsageError
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

ENDING = ".template"
"""Ending of templates, so that no tool takes them for code of segue's."""

COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz")

RESERVED = frozenset(  # as text, because a list of 75 lines reads worse
    """all alter analyse analyze and anti any array as asc asof asymmetric at authorization between
    binary both by case cast check collate collation column concurrently constraint create cross
    default deferrable desc describe distinct do drop else end except false fetch for force foreign
    freeze from full glob grant group having ilike in initially inner insert install intersect into
    is isnull join lambda lateral leading left like limit natural not notnull null offset on only or
    order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify
    references returning revoke right rollback select semi show similar some summarize symmetric
    table tablesample then to trailing true union unique unpack unpivot using values variadic
    verbose when where window with""".split()  # noqa: SIM905  # see above
)
"""Words that DuckDB's SQL, or who reads it for segue, does not take for a table's name."""


def prepare_folder(folder: Path) -> None:
    """Make sure that a new project can be written into a folder.

    Raises:
        UsageError: Something lies there already, or nothing can be written there.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{folder} exists already and is not empty",
                hint="name a folder that does not exist",
            )
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = f"{folder} can't be made: {error.strerror}"
        raise UsageError(told, hint="name a folder in which you may write") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(
            f"nothing can be written into {folder}", hint="name a folder in which you may write"
        )


def table_name(stem: str) -> str:
    """Return a table's name for a file's name.

    Example:
        >>> table_name("Sales 2026-03 (final)"), table_name("2026"), table_name("semi")
        ('sales_2026_03_final', 't_2026', 't_semi')
    """
    name = re.sub(r"\W+", "_", stem).strip("_").lower() or "data"
    return name if re.match(r"[^\W\d]", name) and name not in RESERVED else f"t_{name}"


def file_stem(path: Path) -> str:
    """Return a file's name without its endings, that of a compression among them.

    Example:
        >>> file_stem(Path("data/orders.v2.csv.gz"))
        'orders.v2'
    """
    name = path.name
    for ending in COMPRESSIONS:
        name = name.removesuffix(ending)
    return Path(name).stem


def quote_column(name: str) -> str:
    """Return a column's name as SQL writes it: in double quotes only where it must be.

    Example:
        >>> quote_column("amount"), quote_column("Order ID"), quote_column("group")
        ('amount', '"Order ID"', '"group"')
    """
    if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) and name.lower() not in RESERVED:
        return name
    return quote_identifier(name)


def write_sample(folder: Path, name: str) -> None:
    """Write the sample project.

    Args:
        folder: An empty folder.
        name: Name of the project.
    """
    for relative, template in _templates():
        _write(folder / relative, template.read_text(encoding="utf-8"), {"name": name})


def write_frame(folder: Path, name: str) -> None:
    """Write what every project has, without tables and steps of its own."""
    shared = ("gitignore", "conftest.py")
    for relative, template in _templates():
        if relative.name.lstrip(".") in shared:
            _write(folder / relative, template.read_text(encoding="utf-8"), {"name": name})
    (folder / "steps").mkdir()


def write_settings(
    folder: Path, name: str, table: str, path: str, nulls: Sequence[str] = ()
) -> None:
    """Write a ``segue.toml`` with one source table.

    Args:
        folder: Folder of the project.
        name: Name of the project.
        table: Name of the table.
        path: Where its file lies.
        nulls: Words in it that mean null.
    """
    lines = [
        "# What this project reads, and where it keeps its tables.",
        "[project]",
        f"name = {_toml(name)}",
        "",
        # TOML's bare keys are ASCII only
        f"[tables.{table if table.isascii() else _toml(table)}]",
        f"path = {_toml(path)}",
    ]
    if nulls:
        lines.append(
            "# Words that mean null, found among numbers or dates; take out what is a value."
        )
        lines.append(f"nulls = [{', '.join(map(_toml, nulls))}]")
    (folder / "segue.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_first_step(folder: Path, table: str, columns: Sequence[str]) -> str:
    """Write a SELECT of all columns by name, to be changed by the user.

    Returns:
        The name of the step.
    """
    step = f"{table}_clean"
    listed = ",\n".join(f"    {quote_column(column)}" for column in columns)
    text = (
        f"-- {table}, column by column: rename, convert, or leave out here.\n"
        f"select\n{listed}\nfrom {table}\n"
    )
    (folder / "steps" / f"{step}.sql").write_text(text, encoding="utf-8")
    return step


def write_contract(folder: Path, text: str) -> None:
    """Write ``contracts.yml``."""
    heading = (
        "# What must be true of a table before anyone sees it. Suggested from the data: edit it.\n"
    )
    (folder / "contracts.yml").write_text(heading + text.rstrip() + "\n", encoding="utf-8")


def write_readme(folder: Path, name: str, step: str) -> None:
    """Write a ``README.md`` of three lines."""
    text = (
        f"# {name}\n\n`segue plan` shows what a run would do and why, `segue run` does it,"
        f" `segue read {step}` shows the result.\n"
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def copy_data(folder: Path, source: Path) -> str:
    """Copy a file or folder into the project; return its path there."""
    target = folder / "data" / source.name
    target.parent.mkdir()
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)
    return target.relative_to(folder).as_posix()


def list_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a project, relative to its folder, sorted."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return tuple(sorted(found))


def _templates() -> Iterator[tuple[Path, Traversable]]:
    root = files("segue.cli") / "templates" / "project"
    stack: list[tuple[Path, Traversable]] = [(Path(), root)]
    while stack:
        folder, here = stack.pop()
        for each in here.iterdir():
            if each.is_dir():
                stack.append((folder / each.name, each))
            elif each.name.endswith(ENDING):
                name = each.name.removesuffix(ENDING)
                yield folder / (f".{name}" if name == "gitignore" else name), each


def _write(path: Path, text: str, values: Mapping[str, str]) -> None:
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", value)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _toml(text: str) -> str:
    """Return a text as TOML writes it; JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False)
