"""The parts of segue that need no project: transform, query, check, profile, persist, ..."""

from __future__ import annotations

from segue.anywhere.check_data import check
from segue.anywhere.checkpoint_data import checkpoint
from segue.anywhere.persist_data import persist
from segue.anywhere.profile_data import profile, suggest
from segue.anywhere.run_function import transform
from segue.anywhere.run_query import query

__all__ = ["check", "checkpoint", "persist", "profile", "query", "suggest", "transform"]
