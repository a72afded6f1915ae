"""Keeps out of a process what libraries load in case, and nothing here wants."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.spec.edge import EdgePart


def leave_out(*names: str) -> None:
    """Let modules be missing from now on, as if they were not installed.

    Arrow imports NumPy where it is installed, and pandas to ask whether a list is one of its
    columns: 0.2 s and 20 MB, 0.3 s and 40 MB.

    Args:
        names: Names of modules that were not imported yet.

    Example:
        >>> leave_out("turtledemo")
        >>> import turtledemo
        Traceback (most recent call last):
        ...
        ModuleNotFoundError: turtledemo is left out here
        >>> _ = sys.meta_path.pop(0)
    """
    sys.meta_path.insert(0, _Missing(frozenset(names)))


def leave_out_unused(part: EdgePart) -> None:
    """Leave out NumPy and pandas where no step of a deployment can want them.

    Functions may ask for either; models count with NumPy.

    Args:
        part: What runs.
    """
    steps = part.steps
    if any(step.function is not None for step in steps):
        return
    numbers = any(step.model is not None for step in steps)
    leave_out("pandas", *(() if numbers else ("numpy",)))


class _Missing:
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: object) -> None:
        """Say that a module is not there, and nothing of others."""
        if name in self._names:
            raise ModuleNotFoundError(f"{name} is left out here", name=name)
