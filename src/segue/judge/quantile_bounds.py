"""Whether a quantile lies within bounds, by counting the values beyond them: no sort.

A quantile lies between two neighbours in order. If enough values are at most the upper bound,
both are, and so is the quantile; likewise below. Where the bounds part the two, it is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from segue.judge.compile import Screen
from segue.judge.metric_bounds import has_bounds
from segue.judge.sql_text import write_bound
from segue.judge.verdict import measurement
from segue.spec.contract import Verdict
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


@dataclass(frozen=True, slots=True)
class Within:
    """What was found of a quantile that was not computed: it lies within the bounds."""


def decide_quantile(check: Check, type_: DataType, place: str) -> Screen | None:
    """Return the counts that tell whether a quantile is within its bounds, None if none do.

    Args:
        check: The check; its arguments hold the bounds.
        type_: Type of its column.
        place: Which quantile, from 0 to 1.
    """
    # a float32 is compared as a double, and a bound would be rounded to its type
    if not has_bounds(check.arguments) or type_.kind == "float32":
        return None
    column = quote_identifier(check.columns[0])
    low, high = (
        None if end is None else write_bound(end, type_, lower=lower)
        for end, lower in ((check.arguments["min"], True), (check.arguments["max"], False))
    )
    if low is False or high is False:
        return None
    asked = {
        "values": f"count({column})",
        "below": f"count(*) filter (where {column} < {low})" if isinstance(low, str) else "",
        "above": f"count(*) filter (where {column} > {high})" if isinstance(high, str) else "",
        "strange": f"count(*) filter (where isnan({column}))" if type_.is_float else "",
    }
    facts = {name: text for name, text in asked.items() if text}
    share = Fraction(place)

    def tell(counts: Sequence[Any]) -> bool:
        return _is_within(**dict(zip(facts, counts, strict=True)), share=share)

    return Screen(tuple(facts.values()), tell, Within())


def _is_within(
    values: int, share: Fraction, below: int = 0, above: int = 0, strange: int = 0
) -> bool:
    if not values or strange:
        return False
    lower, upper = floor(share * (values - 1)), ceil(share * (values - 1))
    return below <= lower and above <= values - 1 - upper


def judge_within(check: Check, rows: int, statement: str) -> Measurement:
    """Return the measurement of a quantile that lies within its bounds."""
    return measurement(check, Verdict.PASS, rows, message=f"{statement}: by counting")
