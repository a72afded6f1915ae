"""The limits of a spool, kept in it for commands that know nothing but its folder."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from segue.agent.spool.damage import DamageError
from segue.agent.spool.facts import Facts
from segue.agent.spool.transaction import Transaction
from segue.spec.edge import SpoolSettings, WhenFull

_KEY = "settings"


def save_settings(t: Transaction, settings: SpoolSettings) -> None:
    """Keep the limits."""
    t.facts.save(_KEY, _plain(settings), t.batch)


def same_settings(t: Transaction, settings: SpoolSettings) -> bool:
    """Return whether these limits are kept."""
    return bool(t.facts.load(_KEY) == _plain(settings))


def _plain(settings: SpoolSettings) -> list[object]:
    return [settings.cap, str(settings.when_full), settings.keep]


def read_settings(path: Path) -> SpoolSettings:
    """Return the limits that a file keeps; of a damaged one, limits that drop nothing."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            kept = Facts(connection).load(_KEY)
        finally:
            connection.close()
    except (sqlite3.Error, DamageError):
        kept = None
    if kept is None:
        return SpoolSettings(cap=max(2**26, 2 * path.stat().st_size), when_full=WhenFull.BLOCK)
    return SpoolSettings(cap=kept[0], when_full=WhenFull(kept[1]), keep=kept[2])
