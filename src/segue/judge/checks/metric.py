"""``{metric: sum(amount) / count(*), between: [0, 100]}``: an aggregate of a table's columns.

It is any SQL expression of aggregates, with `min`, `max`, `between: [min, max]` or `equals`; it
may be a number, a date, a time, a text, or true or false. A value that is not defined, such as
the mean of no rows, is an error, and NaN breaks any bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.metric_bounds import read_bounds
from segue.judge.metric_check import FEW, MetricCheck, judge_metric
from segue.judge.row_check import read_text
from segue.spec.aggregate_expression import check_aggregate, shows_values, sums_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class AggregateCheck(MetricCheck):
    """A value outside of the bounds breaks it."""

    name = "metric"
    scope = "table"

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``{metric: …, between: …}``, or the expression as text."""
        if isinstance(value, str):
            value = {"metric": value}
        if not isinstance(value, dict) or "metric" not in value:
            raise ValueError(f"expected {{metric: …, between: [min, max]}}, found {value!r}")
        text = read_text(value["metric"], "an aggregate as SQL, such as sum(amount)").strip()
        columns = check_aggregate(text)
        bounds: dict[str, Any] = {
            **read_bounds({key: item for key, item in value.items() if key != "metric"})
        }
        if shows_values(text):
            bounds |= {"mentions": columns}
        elif sums_values(text):
            bounds |= {"mentions": columns, "sums": True}
        return {"metric": text, **bounds}

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged."""
        del types, table
        # A line's end closes a comment that the user's text may end with.
        return f"({check.arguments['metric']}\n)"

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold the value against the bounds."""
        reveals = not check.arguments.get("sums") or rows < FEW
        return judge_metric(check, value, rows, self.describe(check), reveals=reveals)

    def describe(self, check: Check) -> str:
        """Return what is measured."""
        return " ".join(str(check.arguments["metric"]).split())


CHECK = AggregateCheck()
