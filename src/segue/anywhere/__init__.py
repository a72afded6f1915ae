"""The parts of segue that need no project: transform, query, check, profile, persist, ...

Each loads what it needs when it is first used: a check of files needs no Arrow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segue.anywhere.check_data import check
    from segue.anywhere.checkpoint_data import checkpoint
    from segue.anywhere.persist_data import persist
    from segue.anywhere.profile_data import profile, suggest
    from segue.anywhere.run_function import transform
    from segue.anywhere.run_query import query

__all__ = ["check", "checkpoint", "persist", "profile", "query", "suggest", "transform"]

_HOMES = {
    "check": "check_data",
    "checkpoint": "checkpoint_data",
    "persist": "persist_data",
    "profile": "profile_data",
    "query": "run_query",
    "suggest": "profile_data",
    "transform": "run_function",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
