"""What Spark makes of families of types, and how it says no."""

from __future__ import annotations

from functools import partial

from segue.engines.dialects.refusal import refuse_for

OPAQUE = frozenset({"time", "duration", "nanos"})
"""Families that Spark carries as counts: it compares them among themselves, and no more."""

refuse = partial(refuse_for, "Spark")
