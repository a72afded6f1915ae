"""What somebody should know of a spool: kept in it for a day."""

from __future__ import annotations

from segue.agent.spool.transaction import Transaction

KEPT = 5
"""Alerts that are kept at most."""
LONGEST = 24 * 3600.0
"""Seconds for which an alert is told."""


def add_alert(t: Transaction, text: str) -> None:
    """Keep an alert."""
    told = [*(t.facts.load("alerts") or []), [text, t.uptime.boot, t.uptime.now]]
    t.facts.save("alerts", told[-KEPT:], t.batch)


def list_alerts(t: Transaction) -> tuple[str, ...]:
    """Return the alerts of the last day, the oldest first."""
    told = t.facts.load("alerts") or []
    return tuple(text for text, boot, made in told if t.uptime.age(boot, made)[0] < LONGEST)
