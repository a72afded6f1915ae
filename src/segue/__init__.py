"""Segue: data pipelines in plain Python and SQL, from a laptop to a cluster to the edge.

The public names load what they need when they are first used, so that
``import segue`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segue.anywhere import (
        check,
        checkpoint,
        persist,
        profile,
        query,
        suggest,
        transform,
    )
    from segue.declare.decorator import step
    from segue.errors import SegueError
    from segue.project import Project, load

__version__ = "0.1.0"

__all__ = [
    "Project",
    "SegueError",
    "__version__",
    "check",
    "checkpoint",
    "load",
    "persist",
    "profile",
    "query",
    "step",
    "suggest",
    "transform",
]

_HOMES = {
    "Project": "segue.project",
    "SegueError": "segue.errors",
    "check": "segue.anywhere",
    "checkpoint": "segue.anywhere",
    "load": "segue.project",
    "load_ipython_extension": "segue.anywhere.notebook",
    "persist": "segue.anywhere",
    "profile": "segue.anywhere",
    "query": "segue.anywhere",
    "step": "segue.declare.decorator",
    "suggest": "segue.anywhere",
    "transform": "segue.anywhere",
    "unload_ipython_extension": "segue.anywhere.notebook",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'segue' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
