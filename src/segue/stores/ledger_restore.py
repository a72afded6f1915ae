"""How an empty ledger is filled with what the lake's logs tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from segue.errors import StorageError
from segue.spec.run import RunStatus
from segue.stores.codec import dump_json, encode_memory
from segue.stores.ledger_publish import add_versions, move_pointer, next_snapshot
from segue.stores.ledger_tables import memories, runs, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from segue.spec.output import TableHistory
    from segue.spec.run import RunStart


def restore(
    connection: Connection,
    histories: Sequence[TableHistory],
    starts: Sequence[RunStart],
    now: str,
) -> None:
    """Fill an empty ledger: runs, versions, memories, and one snapshot per environment."""
    if connection.execute(select(runs.c.number).limit(1)).first() is not None:
        raise StorageError("only an empty ledger can be filled from the lake's logs")
    for start in starts:
        connection.execute(
            insert(runs).values(
                run_id=start.run_id,
                project=start.project,
                environment=start.environment,
                command=start.command,
                tables=dump_json(start.tables),
                started_at=start.started_at,
                status=str(RunStatus.DONE),
                error="",
                user="",
                host="",
            )
        )
    numbers = dict(connection.execute(select(runs.c.run_id, runs.c.number)).all())
    visible: dict[str, dict[str, int]] = {}
    for history in histories:
        stands = {"last_number": history.last_number, "head": history.head}
        connection.execute(insert(tables).values(name=history.table, **stands))
        for version in history.versions:
            add_versions(connection, [version])
            visible.setdefault(history.environment, {})[history.table] = version.number
        if history.memory is not None:
            connection.execute(
                insert(memories).values(
                    environment=history.environment,
                    step=history.memory.step,
                    run_number=numbers[history.memory.run_id],
                    memory=dump_json(encode_memory(history.memory)),
                )
            )
    for environment, current in visible.items():
        newest = [start.run_id for start in starts if start.environment == environment][-1]
        snapshot = next_snapshot(connection, environment, newest, now)
        move_pointer(connection, environment, snapshot, current)
