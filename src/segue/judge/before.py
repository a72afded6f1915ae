"""What was published before: rejects that add up, rows whose new version is set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from segue.spec.output import TableVersion
    from segue.spec.scan import Scan

BOUND = "__segue_replaced"
"""Name under which the rows are bound while a table is parted."""


@dataclass(frozen=True, slots=True)
class Before:
    """What is published already of a table and its rejects.

    Attributes:
        rejects: Rejects so far; those of an append or a merge stay.
        rows: How to read the rows that a merge builds on, None for other steps.
        key: Columns that tell which new row takes the place of which.
    """

    rejects: TableVersion | None = None
    rows: Scan | None = None
    key: tuple[str, ...] = ()


def find_orphans(table: str, key: tuple[str, ...], kept: str, rejects: str) -> str:
    """Return what to put behind FROM for the rows whose new version was set aside.

    Args:
        table: Name of the table, by which predicates name its rows.
        key: Columns of the key; null keys meet.
        kept: SELECT of the new table's rows.
        rejects: SELECT of the rows that were set aside.
    """

    def meets(other: str) -> str:
        columns = map(quote_identifier, key)
        return " and ".join(f"b.{name} is not distinct from {other}.{name}" for name in columns)

    return (
        f"(select b.* from {quote_identifier(BOUND)} b"
        f" semi join ({rejects}) r on {meets('r')}"
        f" anti join ({kept}) k on {meets('k')}) as {quote_identifier(table)}"
    )
