"""``added: {min: 1, max: 100000}``: how many rows came since the table was last judged.

All rows count as new where nothing was judged before.
"""

from __future__ import annotations

from segue.judge.checks.rows import RowsCheck


class AddedCheck(RowsCheck):
    """Too few or too many new rows break it."""

    name = "added"
    words = "new row", "new rows"
    implied = {"new": True}  # noqa: RUF012  # never changed
    refused = frozenset({"new", "sample"})


CHECK = AddedCheck()
