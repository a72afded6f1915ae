"""``no_gaps: {step: 1d, per: store}``: sorted, each value is at most a step above the one before.

A step is a whole number for integers; for dates and timestamps a number of ``s``, ``min``,
``h``, ``d``, ``w``, ``month`` or ``year``. ``no_gaps: 1d`` is short for ``{step: 1d}``, and
``no_gaps: true`` for ``1``, or ``1d`` for dates. `per` names columns whose values part the
rows: each group is looked at by itself.

The rows behind a gap break it: all that have the first value after it. Null passes; a value
may stand in many rows, and where a series begins and ends does not matter. Hours and what is
shorter are time that passed; days and weeks are those of the column's time zone, so that a day
may have 25 hours; months and years are counted by the calendar, so that the last day of January
and the first of February are a month apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from segue.declare.slices import read_names
from segue.judge.among import (
    AmongCheck,
    find_groups,
    number_columns,
    require_columns,
    write_over,
)
from segue.judge.row_check import read_long
from segue.spec.sql import quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType

_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), ("second", 1)),
    **dict.fromkeys(("m", "min", "minute", "minutes"), ("second", 60)),
    **dict.fromkeys(("h", "hour", "hours"), ("second", 3600)),
    **dict.fromkeys(("d", "day", "days"), ("day", 1)),
    **dict.fromkeys(("w", "week", "weeks"), ("day", 7)),
    **dict.fromkeys(("month", "months"), ("month", 1)),
    **dict.fromkeys(("y", "year", "years"), ("month", 12)),
}
_STEP = re.compile(r"\s*(\d+)\s*([a-z]+)\s*")
_DAY = 86_400
_EXAMPLES = "1, 1d, 1h or 1 month"


class NoGapsCheck(AmongCheck):
    """Rows whose value is more than a step above the next lower one break it."""

    name = "no_gaps"
    fragile = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``true``, a step, or ``{step: …, per: …}``."""
        value = {} if value is True or value is None else value
        value = read_long(value, ("step", "per"), "step")
        step = value.get("step", 1)
        _read_step(step)
        per = list(read_names(value.get("per", ()), "per"))
        return {"step": step, "per": per} if per else {"step": step}

    def key(self, check: Check, types: Mapping[str, DataType]) -> tuple[str, ...]:
        """Return the columns that tell a row."""
        spoken = (*find_groups(check), check.columns[0])
        require_columns(spoken, types)
        return tuple(dict.fromkeys(spoken))

    def broken(
        self, check: Check, types: Mapping[str, DataType], rows: str, times: str = "1"
    ) -> str:
        """Return the SELECT of the keys of rows behind a gap."""
        name = check.columns[0]
        place, wide = _write_place(check, types[name])
        groups = [quote_identifier(each) for each in find_groups(check)]
        return (
            f"select * from (select {number_columns(self.key(check, types))}, {place} as here_, "
            f"{times} as times_, "
            f"lag({place}) {write_over(groups, [quote_identifier(name)])} as before_ "
            f"from {rows} where {quote_identifier(name)} is not null) "
            f"where {wide}"
        )

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        per = check.arguments.get("per")
        parted = f" per {', '.join(per)}" if per else ""
        return f"{check.columns[0]} has no gaps wider than {check.arguments['step']}{parted}"


def _read_step(value: Any) -> tuple[int, str]:
    """Return a step's number and unit; no unit for a plain number."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value, ""
    found = _STEP.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[2] not in _UNITS or not int(found[1]):
        raise ValueError(f"expected a step such as {_EXAMPLES}, found {value!r}")
    unit, many = _UNITS[found[2]]
    return int(found[1]) * many, unit


def _write_place(check: Check, type_: DataType) -> tuple[str, str]:
    """Return a value's place, and the predicate of a place (`here_`) that is behind a gap."""
    name, (number, unit) = check.columns[0], _read_step(check.arguments["step"])
    column = quote_identifier(name)
    counted = f"here_ - before_ > {number}"
    if type_.is_integer and not unit:
        return f"{column}::decimal(38,0)", counted  # the distance of two int64 may be none
    if type_.kind == "date" and unit != "second":
        if not unit and number > 1:
            raise ValueError(_expect(check, type_, f"{number}d"))
        place = _write_month(column) if unit == "month" else f"({column} - date '1970-01-01')"
        return place, counted
    if type_.kind == "timestamp" and unit:
        zone = str(type_.arguments[1]) if len(type_.arguments) > 1 else "UTC"
        local = column if zone == "UTC" else f"({column} at time zone {quote_text(zone)})"
        if unit == "month":
            return _write_month(local), counted
        seconds = number * (_DAY if unit == "day" else 1)
        moment = local if unit == "day" else column
        if type_.arguments[0] == "ns":
            return f"epoch_ns({moment})::decimal(38,0)", f"here_ - before_ > {seconds}000000000"
        return moment, f"here_ > before_ + interval '{seconds}' second"
    if type_.is_integer or type_.kind in ("date", "timestamp"):
        wanted = "1" if type_.is_integer else "1d" if type_.kind == "date" else "1h"
        raise ValueError(_expect(check, type_, wanted))
    raise ValueError(
        f"column {name!r} is {type_}: gaps are those of integers, dates and timestamps"
    )


def _expect(check: Check, type_: DataType, wanted: str) -> str:
    step = check.arguments["step"]
    return f"column {check.columns[0]!r} is {type_}, which has no step of {step}: say {wanted}"


def _write_month(moment: str) -> str:
    return f"(year({moment}) * 12 + month({moment}))"


CHECK = NoGapsCheck()
