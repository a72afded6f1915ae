"""``increasing: {order: day, per: store}``: values do not fall from one row to the next.

``strictly: true`` says that they rise. `order` names the column (or columns) by whose values
the rows follow each other; ``increasing: true`` takes them as they are stored, which only an
engine can do that keeps rows in order. `per` names columns whose values part the rows: each
group is looked at by itself.

A row breaks the check if its value is below that of the row before it; rows with the same
place in `order` stand by their value. Null passes, and is passed over; so is a row without a
place. NaN is neither above nor below another number, and breaks it. Rows that are equal in
place, group and value break it together; where rows stand as they are stored, rows that are
equal in all columns are set aside together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.declare.slices import read_names
from segue.judge.among import (
    AmongCheck,
    find_groups,
    number_columns,
    require_columns,
    write_over,
    write_rows,
)
from segue.judge.row_check import read_long
from segue.judge.sql_text import plain_column
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType

_PLACE = "__segue_place"


class IncreasingCheck(AmongCheck):
    """Rows whose value is below that of the row before them break it."""

    name = "increasing"
    fragile = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``true``, or ``{strictly: true, order: …, per: …}``."""
        value = {} if value is True or value is None else value
        if not isinstance(value, dict):
            raise ValueError(f"expected true or {{order: …, per: …}}, found {value!r}")  # noqa: TRY004
        value = read_long(value, ("strictly", "order", "per"), "order")
        strictly = value.get("strictly", False)
        if not isinstance(strictly, bool):
            raise ValueError(f"strictly is true or false, not {strictly!r}")  # noqa: TRY004
        read = {key: list(read_names(value.get(key, ()), key)) for key in ("order", "per")}
        read = {key: names for key, names in read.items() if names}
        return {"strictly": True, **read} if strictly else read

    def key(self, check: Check, types: Mapping[str, DataType]) -> tuple[str, ...]:
        """Return the columns that tell a row: without an order, all of them."""
        order = check.arguments.get("order", ())
        spoken = (*find_groups(check), *order, check.columns[0])
        require_columns(spoken, types)
        return tuple(dict.fromkeys(spoken if order else types))

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return a query of its own that counts failing rows."""
        if check.arguments.get("order"):
            return super().measure(check, types, table)
        # of equal rows one may break it and another not, as they are stored
        return f"select count(*) from ({self.broken(check, types, write_rows(check, table))})"

    def broken(
        self, check: Check, types: Mapping[str, DataType], rows: str, times: str = "1"
    ) -> str:
        """Return the SELECT of the keys of rows whose value is below that before it."""
        name, order = check.columns[0], check.arguments.get("order", ())
        column = plain_column(name, types[name])  # categories by their words, not their numbers
        places = [*(plain_column(each, types[each]) for each in order), column]
        if not order:
            places = [_PLACE]
            rows = f"(select *, row_number() over () as {_PLACE} from {rows})"
        groups = [quote_identifier(each) for each in find_groups(check)]
        sign = "<=" if check.arguments.get("strictly") else "<"
        wrong = f"here_ {sign} before_"
        if check.arguments.get("strictly"):
            wrong = f"{wrong} or times_ > 1"
        if types[name].is_float:  # NaN stands in a group of its own, so that no row follows it
            groups.append(f"isnan({column})")
            wrong = f"isnan(here_) or {wrong}"
        counted = " and ".join(f"{quote_identifier(each)} is not null" for each in (*order, name))
        return (
            f"select * from (select {number_columns(self.key(check, types))}, {column} as here_, "
            f"{times} as times_, "
            f"lag({column}) {write_over(groups, places)} as before_ "
            f"from {rows} where {counted}) where {wrong}"
        )

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        words = [check.columns[0]]
        words += ["strictly"] if check.arguments.get("strictly") else []
        words.append("increasing")
        for key, word in (("order", "by"), ("per", "per")):
            if key in check.arguments:
                words.append(f"{word} {', '.join(check.arguments[key])}")
        return " ".join(words)


CHECK = IncreasingCheck()
