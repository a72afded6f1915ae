"""SELECTs that ran before, so that the same one over the same columns is bound once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.types import TableSchema

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MOST = 64
"""SELECTs over Arrow tables that are kept, at most."""
MOST_STATEMENTS = 2_000
"""Texts whose statements are kept, at most: a run parses each of its SELECTs three times."""


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


class Recent(Generic[Key, Value]):
    """The values that were kept or found last; used by several threads."""

    def __init__(self, most: int) -> None:
        """Hold nothing yet, and never more than `most`."""
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def find(self, key: Key) -> Value | None:
        """Return what was kept, None if nothing was or it is long ago."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: Key, value: Value) -> None:
        """Keep a value, and forget the one that was asked for the longest time ago."""
        with self._lock:
            self._kept[key] = value
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)


class Seen:
    """The SELECTs that ran last.

    Attributes:
        statements: Each text that was found to be one SELECT, and the SELECT in it.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self.statements: Recent[str, str] = Recent(MOST_STATEMENTS)
        self._outgoing: Recent[Any, Outgoing] = Recent(MOST)

    def find(self, query: str, bound: Mapping[str, Any]) -> Outgoing | None:
        """Return how a SELECT leaves, if it ran before over Arrow tables of these columns."""
        key = _make_key(query, bound)
        return None if key is None else self._outgoing.find(key)

    def keep(self, query: str, bound: Mapping[str, Any], outgoing: Outgoing) -> None:
        """Remember how a SELECT leaves."""
        key = _make_key(query, bound)
        if key is not None:
            self._outgoing.keep(key, outgoing)


def _make_key(query: str, bound: Mapping[str, Any]) -> Any:
    """Return what tells a SELECT, None if it may read what changes unseen."""
    if any(isinstance(data, str) for data in bound.values()):
        return None
    return query, tuple((name, data.schema) for name, data in bound.items())
