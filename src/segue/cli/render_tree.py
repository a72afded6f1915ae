"""Files as a tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.tree import Tree

from segue.cli.look import cell

if TYPE_CHECKING:
    from collections.abc import Sequence


def render_tree(root: str, files: Sequence[Path]) -> Tree:
    """Return files below their folders.

    Args:
        root: What stands at the top.
        files: Relative paths, sorted.
    """
    tree = Tree(cell(root, "bold"))
    branches = {Path(): tree}
    for path in files:
        for folder in reversed(path.parents):
            if folder not in branches:
                branches[folder] = branches[folder.parent].add(cell(f"{folder.name}/", "bold"))
        branches[path.parent].add(cell(path.name))
    return tree
