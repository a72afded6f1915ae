"""The parts of segue that need no project: transform, query, check."""

from __future__ import annotations

from segue.anywhere.run_function import transform

__all__ = ["transform"]
