"""SELECTs that ran before, so that the same one over the same columns is bound once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.types import TableSchema

MOST = 64
"""SELECTs that are kept, at most."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A SELECT as it leaves DuckDB.

    Attributes:
        query: The SELECT alone.
        text: The same with casts that Arrow needs.
        skip: Bytes that stand before it there.
        schema: Its columns.
        columns: Names of the columns of `text`, as DuckDB tells them.
        types: Their types, as DuckDB tells them: if these are others, it was told too much.
    """

    query: str
    text: str
    skip: int
    schema: TableSchema
    columns: list[str]
    types: list[Any]


class Seen:
    """The SELECTs over Arrow tables that ran last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[Any, Outgoing] = OrderedDict()

    def find(self, query: str, bound: Mapping[str, Any]) -> Outgoing | None:
        """Return how a SELECT leaves, if it ran before with these columns bound."""
        key = _make_key(query, bound)
        with self._lock:
            found = self._kept.get(key) if key is not None else None
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def keep(self, query: str, bound: Mapping[str, Any], outgoing: Outgoing) -> None:
        """Remember how a SELECT leaves."""
        key = _make_key(query, bound)
        if key is None:
            return
        with self._lock:
            self._kept[key] = outgoing
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)


def _make_key(query: str, bound: Mapping[str, Any]) -> Any:
    """Return what tells a SELECT, None if it may read what changes unseen."""
    if any(isinstance(data, str) for data in bound.values()):
        return None
    return query, tuple((name, data.schema) for name, data in bound.items())
