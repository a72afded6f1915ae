"""Small values by name, each kept twice on different pages, with checksums.

A bit that flips in one copy costs nothing: the other is taken, and both are whole again with
the next write. Cursors, states of windows and bookmarks of readers are facts.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from segue.agent.digests import digest_blake2b
from segue.agent.spool.damage import DamageError
from segue.agent.spool.model import Bookmark, Boots, Head, Lane, Skip

COPIES = ("facts", "facts_again")


@lru_cache(4096)
def fact_id(key: str) -> int:
    """Return the row id of a fact: 63 bits of its key's digest."""
    return int.from_bytes(digest_blake2b(key.encode(), 8), "big") >> 1


def fact_crc(key: str, batch: int, value: bytes | None) -> int:
    """Return the checksum of a fact."""
    return zlib.crc32(b"-" if value is None else value, zlib.crc32(f"{key}\0{batch}".encode()))


def is_fact(key: object, batch: object, crc: object, value: object) -> bool:
    """Return whether a row is a fact as it was written."""
    odd = not isinstance(key, str) or not isinstance(batch, int)
    if odd or not (value is None or isinstance(value, bytes)):
        return False
    return fact_crc(str(key), int(str(batch)), value) == crc


class Facts:
    """The facts of an open spool; used within a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> bytes | None:
        """Return a value; None if there is none.

        Raises:
            DamageError: Both copies are damaged.
        """
        damaged = False
        for table in COPIES:
            row = self._connection.execute(
                f"select key, batch, crc, value from {table} where id = ?", (fact_id(key),)
            ).fetchone()
            if row is not None and is_fact(*row) and row[0] == key:
                value: bytes | None = row[3]
                return value
            damaged |= row is not None
        if damaged:
            raise DamageError(f"{key} is damaged")
        return None

    def put(self, key: str, value: bytes | None, batch: int) -> None:
        """Keep a value; None for one that is gone, so that no older copy comes back."""
        row = (fact_id(key), key, batch, fact_crc(key, batch, value), value)
        for table in COPIES:
            self._connection.execute(f"insert or replace into {table} values (?, ?, ?, ?, ?)", row)

    def keys(self, prefix: str) -> list[str]:
        """Return the names that begin so, in their order.

        Raises:
            DamageError: A name is damaged in both copies.
        """
        found: set[str] = set()
        for table in COPIES:
            for number, key in self._connection.execute(f"select id, key from {table}"):
                if isinstance(key, str) and key.startswith(prefix) and number == fact_id(key):
                    found.add(key)
        return sorted(found)

    def load(self, key: str) -> Any:
        """Return a value that is JSON; None if there is none."""
        value = self.get(key)
        return None if value is None else json.loads(value)

    def save(self, key: str, value: Any, batch: int) -> None:
        """Keep a value as JSON."""
        self.put(key, json.dumps(value, separators=(",", ":")).encode(), batch)

    def head(self) -> Head | None:
        """Return what the spool keeps of itself; None for a new one."""
        value = self.load("head")
        return None if value is None else Head(**value)

    def boots(self) -> Boots:
        """Return the machine's starts."""
        return Boots(**(self.load("boots") or {}))

    def lane(self, stream: str, epoch: str) -> Lane | None:
        """Return the lane of a stream in an epoch."""
        value = self.load(lane_key(stream, epoch))
        return None if value is None else Lane(**value)

    def lanes(self) -> Iterator[Lane]:
        """Go through all lanes, the older tracks first."""
        found = [self.load(key) for key in self.keys("lane/")]
        lanes = [Lane(**value) for value in found if value is not None]
        return iter(sorted(lanes, key=lambda lane: (lane.track, lane.base)))

    def save_lane(self, lane: Lane, batch: int) -> None:
        """Keep a lane."""
        self.save(lane_key(lane.stream, lane.epoch), plain(lane), batch)

    def readers(self, stream: str) -> list[str] | None:
        """Return who reads a stream; None if nobody has said."""
        value: list[str] | None = self.load(f"readers/{stream}")
        return value

    def bookmark(self, lane: Lane, reader: str) -> Bookmark | None:
        """Return where a reader stands."""
        value = self.load(bookmark_key(lane, reader))
        if value is None:
            return None
        skip = value.pop("skip")
        return Bookmark(**value, skip=Skip(**skip) if skip else None)

    def save_bookmark(self, lane: Lane, bookmark: Bookmark, batch: int) -> None:
        """Keep where a reader stands."""
        value = plain(bookmark)
        value["skip"] = plain(bookmark.skip) if bookmark.skip else None
        self.save(bookmark_key(lane, bookmark.reader), value, batch)


def plain(value: Lane | Bookmark | Skip | Head) -> dict[str, Any]:
    """Return the attributes of a value, which is quicker than to copy them."""
    return {name: getattr(value, name) for name in value.__slots__}


def lane_key(stream: str, epoch: str) -> str:
    """Return the name of a lane's fact."""
    return f"lane/{epoch}/{stream}"


def bookmark_key(lane: Lane, reader: str) -> str:
    """Return the name of a bookmark's fact."""
    return f"reader/{lane.epoch}/{lane.stream}/{reader}"
