"""Names for the shell to complete: read from the project's files, without loading any."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

PROJECT_FILE = "segue.toml"
MARKS = ("def ", "async def ")


def complete_table(context: click.Context, _option: click.Parameter, typed: str) -> list[str]:
    """Return tables that begin as typed."""
    return _match(context, typed, steps_only=False)


def complete_step(context: click.Context, _option: click.Parameter, typed: str) -> list[str]:
    """Return steps that begin as typed, with the plus sign that stands before them."""
    plus = "+" if typed.startswith("+") else ""
    return [plus + name for name in _match(context, typed.removeprefix("+"), steps_only=True)]


def _match(context: click.Context, typed: str, *, steps_only: bool) -> list[str]:
    start = (context.params.get("folder") or Path()).resolve()
    root = next((each for each in (start, *start.parents) if (each / PROJECT_FILE).exists()), None)
    if root is None:
        return []
    names = {*_find_steps(root / "steps"), *(() if steps_only else _find_sources(root))}
    return sorted(name for name in names if name.startswith(typed))


def _find_sources(root: Path) -> Iterator[str]:
    try:
        settings = tomllib.loads((root / PROJECT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    tables = settings.get("tables")
    yield from tables if isinstance(tables, dict) else ()


def _find_steps(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.suffix == ".sql":
            yield path.stem
        elif path.suffix == ".py":
            yield from _find_functions(path)


def _find_functions(path: Path) -> Iterator[str]:
    """Go through the functions below a line that begins with ``@step``."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    marked = False
    for line in lines:
        if line.startswith(("@step", "@segue.step")):
            marked = True
        elif marked and line.startswith(MARKS):
            yield line.partition("def ")[2].partition("(")[0].strip()
            marked = False
