"""Other limits of a place, for one run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue.spec.step import LOCAL

if TYPE_CHECKING:
    from segue.spec.plan import Plan


def limit_local(plan: Plan, threads: int | None, memory: int | None) -> Plan:
    """Return the plan with other limits for the place ``local``; what is None stays."""
    local = plan.places[LOCAL]
    local = replace(local, threads=threads or local.threads, memory=memory or local.memory)
    return replace(plan, places={**plan.places, LOCAL: local})
