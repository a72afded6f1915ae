"""Calls that were left out, on their way from workers to the driver.

They travel as rows of the result: a further column tells of the call, and all others are
null. So they come from wherever results come from, each exactly once.
"""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.spec.types import Column, DataType

if TYPE_CHECKING:
    import pyarrow as pa

    from segue.execute.results import Call

SKIPPED = Column("segue: skipped", DataType("string"))
"""The column that tells of a call left out; null in the rows of a result."""


@dataclass(frozen=True, slots=True)
class SkippedGroup:
    """A call that was left out.

    Attributes:
        group: The group's key, as text; empty without groups.
        reason: What the function raised.
    """

    group: str
    reason: str

    def __str__(self) -> str:
        """Return both as one line."""
        return f"{self.group}: {self.reason}" if self.group else self.reason


def note_skipped(call: Call, error: BaseException) -> str:
    """Return a call that was left out as text."""
    told = "".join(traceback.format_exception_only(error)).strip()
    return json.dumps([call.group, told])


def part_skipped(table: pa.Table) -> tuple[pa.Table, tuple[SkippedGroup, ...]]:
    """Return the rows of a result, and the calls that were left out.

    Args:
        table: As it came from workers, with the further column or without.
    """
    import pyarrow.compute as pc

    if SKIPPED.name not in table.column_names:
        return table, ()
    notes = table.column(SKIPPED.name)
    rows = table.drop_columns([SKIPPED.name])
    if notes.null_count < len(notes):
        rows = rows.filter(pc.is_null(notes))
    found = [json.loads(note) for note in notes.drop_null().to_pylist()]
    return rows, tuple(SkippedGroup(group, reason) for group, reason in found)
