"""Finds the problems of a project that segue's code can report, in its syntax."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDERS = ("declare", "judge", "plan")
"""Where problems are reported."""

CODE = re.compile(r"cycle|[a-z0-9]+(-[a-z0-9]+)+")
"""What the code of a problem looks like."""


def find_problems(source: Path) -> dict[str, list[str]]:
    """Return the messages of each code, in order, with dots for what varies.

    Args:
        source: Folder of the package.
    """
    found: dict[str, dict[str, None]] = {}
    for path in sorted(path for folder in FOLDERS for path in (source / folder).rglob("*.py")):
        for code, message in read_problems(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(code, {})[message] = None
    return {code: [text for text in found[code] if text] for code in sorted(found)}


def read_problems(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Go through calls and tuples that begin with a code, a message and a place."""
    texts = [
        (node.lineno, target.id, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    for node in ast.walk(tree):
        parts = node.args if isinstance(node, ast.Call) else getattr(node, "elts", [])
        match parts:
            case [ast.Constant(str(code)), message, place, *_] if CODE.fullmatch(code):
                if isinstance(place, ast.Constant):
                    continue  # a list of words
                if isinstance(message, ast.Name):
                    message = _find_text(message, texts)
                yield code, show_message(message)


def _find_text(name: ast.Name, texts: list[tuple[int, str, ast.expr]]) -> ast.expr:
    """Return what a variable was last set to above."""
    above = [text for text in texts if text[1] == name.id and text[0] < name.lineno]
    return max(above, key=lambda text: text[0])[2] if above else name


def show_message(node: ast.expr) -> str:
    """Return a message with dots for what varies; nothing if all of it does."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        return re.sub("…+", "…", "".join(map(str, parts)))
    return ""
