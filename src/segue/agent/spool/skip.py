"""Records that an operator gives up."""

from __future__ import annotations

from segue.agent.spool.drop import drop_row, passed
from segue.agent.spool.model import Lane
from segue.agent.spool.rows import oldest_row
from segue.agent.spool.transaction import Transaction


def skip_records(t: Transaction, lane: Lane, last: int, reason: str) -> tuple[int, int]:
    """Declare records lost that somebody has still to get.

    Args:
        t: The transaction.
        lane: Their lane.
        last: Last sequence of them.
        reason: What the gap says.

    Returns:
        How many records and rows that were.
    """
    records = rows = 0
    at = passed(t, lane)
    while (row := oldest_row(t, lane, at)) is not None:
        at = lane.number(row.key) + row.span - 1
        if at > last:
            break
        drop_row(t, lane, row, reason)
        records, rows = records + 1, rows + (row.rows or 0)
    return records, rows
