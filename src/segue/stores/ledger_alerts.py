"""Which checks somebody was told of: episodes, which outlive the process that tells."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from segue.spec.alerts import Episode
from segue.spec.contract import Verdict
from segue.stores.ledger_tables import alerts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def find_episodes(connection: Connection, environment: str) -> tuple[Episode, ...]:
    """Return all episodes of an environment that are not over."""
    query = select(alerts).where(alerts.c.environment == environment)
    rows = connection.execute(query.order_by(alerts.c.since, alerts.c.name, alerts.c.check_name))
    return tuple(
        Episode(
            table=row.name,
            check=row.check_name,
            channel=row.channel,
            since=row.since,
            verdict=Verdict(row.verdict),
            told_at=row.told_at or "",
            well_at=row.well_at or "",
        )
        for row in rows
    )


def remove_episodes(connection: Connection, ended: Sequence[Episode], environment: str) -> None:
    """Forget episodes that are over."""
    for episode in ended:
        connection.execute(delete(alerts).where(alerts.c.id == _name(episode, environment)))


def episode_row(episode: Episode, environment: str) -> dict[str, Any]:
    """Return an episode as a row."""
    return {
        "id": _name(episode, environment),
        "environment": environment,
        "name": episode.table,
        "check_name": episode.check,
        "channel": episode.channel,
        "since": episode.since,
        "verdict": str(episode.verdict),
        "told_at": episode.told_at or None,
        "well_at": episode.well_at or None,
    }


def _name(episode: Episode, environment: str) -> str:
    """Return a digest of what tells an episode from others: names are too long for a key."""
    text = "\0".join((environment, *episode.key))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
