"""What Spark makes of families of types, and how it says no."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from segue.engines.dialects.families import family, show
from segue.engines.dialects.refusal import refuse_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot import exp

OPAQUE = frozenset({"time", "duration", "nanos"})
"""Families that Spark carries as counts: it compares them among themselves, and no more."""

refuse = partial(refuse_for, "Spark")


def need_texts(node: exp.Expr, parts: Sequence[exp.Expr | None]) -> None:
    """Refuse a function of texts if a part of it is something else."""
    for part in parts:
        if part is not None and family(part) not in ("string", "null"):
            raise refuse(f"{show(node)} of a {family(part)}", "cast it: x::varchar")
