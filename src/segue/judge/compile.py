"""From a contract to as few queries as can be: most checks share one scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Screen:
    """A cheap test before a dear count: a kind offers it by a method `screen`.

    Attributes:
        facts: Aggregates that the shared query computes for it.
        query: Given the facts, returns a SELECT of one truth value that is true only if no
            row breaks the check; or nothing, if the count is needed in any case.
    """

    facts: tuple[str, ...]
    query: Callable[[Sequence[Any]], str]
