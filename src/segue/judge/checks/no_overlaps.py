"""``no_overlaps: {from: start, to: end, per: store}``: no two intervals have a moment in common.

Intervals are half open: a row may begin where another one ends. An end that is null is open:
without `to` an interval goes on for ever, without `from` it has always been. An interval that
ends where it begins, or before, is empty and overlaps nothing: a rule such as ``start < end``
says that there are none. `per` names columns whose values part the rows: each group is looked
at by itself, rows in which one of these columns is null as well.

Every row that overlaps another one breaks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.declare.slices import read_names
from segue.judge.among import AmongCheck, find_groups, number_columns, write_over
from segue.judge.row_check import read_text
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType

_KEYS = ("from", "to", "per")


class NoOverlapsCheck(AmongCheck):
    """Rows whose interval overlaps that of another one break it."""

    name = "no_overlaps"
    scope = "table"

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``{from: …, to: …, per: …}``."""
        if not isinstance(value, dict) or not {"from", "to"} <= set(value) or set(value) - {*_KEYS}:
            raise ValueError(f"expected {{from: …, to: …, per: …}}, found {value!r}")
        ends = [read_text(value[key], f"a column as `{key}`") for key in ("from", "to")]
        if len(set(ends)) == 1:
            raise ValueError(f"an interval from {ends[0]!r} to {ends[0]!r} is empty")
        per = list(read_names(value.get("per", ()), "per"))
        columns = [*ends, *(each for each in per if each not in ends)]
        return {"columns": columns, "per": per} if per else {"columns": columns}

    def key(self, check: Check, types: Mapping[str, DataType]) -> tuple[str, ...]:
        """Return the columns that tell a row."""
        del types
        return tuple(dict.fromkeys((*find_groups(check), *check.columns[:2])))

    def broken(
        self, check: Check, types: Mapping[str, DataType], rows: str, times: str = "1"
    ) -> str:
        """Return the SELECT of the keys of rows that overlap another one."""
        low, high = (quote_identifier(each) for each in check.columns[:2])
        groups = [quote_identifier(each) for each in find_groups(check)]
        order = [f"{low} nulls first"]
        earlier = write_over(groups, order, "rows between unbounded preceding and 1 preceding")
        later = write_over(groups, order)
        # sorted by where they begin: one before it that has not ended, or the next that begins
        return (
            f"select * from (select {number_columns(self.key(check, types))}, "
            f"{low} as from_, {high} as to_, {times} as times_, count(*) {earlier} as before_, "
            f"max({high}) {earlier} as last_, count({high}) {earlier} as ended_, "
            f"lead({low}) {later} as next_, lead(true) {later} as more_ "
            f"from {rows} where {low} is null or {high} is null or {low} < {high}) "
            f"where times_ > 1 "
            f"or (before_ > 0 and (from_ is null or ended_ < before_ or last_ > from_)) "
            f"or (more_ and (to_ is null or next_ is null or next_ < to_))"
        )

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        low, high = check.columns[:2]
        per = check.arguments.get("per")
        parted = f" per {', '.join(per)}" if per else ""
        return f"{low} to {high} without overlaps{parted}"


CHECK = NoOverlapsCheck()
