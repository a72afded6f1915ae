"""The files of a project that Python steps need: their own, and those that these import."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from segue.declare.modules import is_project_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def find_imported(root: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Return Python files and all files of the project that they import, straight or not.

    Imports inside of functions count. The files of packages come along, so that names mean what
    they mean here.

    Args:
        root: The project's folder.
        paths: Files, relative to it.
    """
    found: dict[str, None] = {}
    ahead = list(dict.fromkeys(paths))
    while ahead:
        path = ahead.pop(0)
        if path not in found and (root / path).is_file():
            found[path] = None
            ahead += _find_packages(path)
            ahead += _read_imports(root, path)
    return tuple(sorted(found))


def _find_packages(path: str) -> Iterator[str]:
    """Yield the ``__init__.py`` of each package that a file lies in."""
    folders = path.split("/")[:-1]
    for depth in range(1, len(folders) + 1):
        yield "/".join((*folders[:depth], "__init__.py"))


def _read_imports(root: Path, path: str) -> Iterator[str]:
    tree = ast.parse((root / path).read_bytes())
    package = path.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _find_module(root, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, *(node.module.split(".") if node.module else [])]
            yield from _find_module(root, module)
            for alias in node.names:
                yield from _find_module(root, [*module, alias.name])


def _find_module(root: Path, words: list[str]) -> Iterator[str]:
    """Yield the file of a module, if it is the project's."""
    stem = "/".join(words)
    for path in (f"{stem}.py", f"{stem}/__init__.py"):
        if words and is_project_file(f"{root}/{path}", root) and (root / path).is_file():
            yield path
