"""Rows of a database, polled by a column that rises."""

from __future__ import annotations

import time
from collections import Counter, deque
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from segue.agent.options import CheckedKind
from segue.agent.sources.query_rows import make_rows, read_value, write_value
from segue.agent.sources.query_sql import Poll, open_database
from segue.errors import SourceError
from segue.protocols.edge import Chunk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.agent.options import Options
    from segue.agent.sources.query_sql import Database, Page
    from segue.protocols.edge import Cursor
    from segue.spec.edge import EdgeSource

_ROW_BYTES = 200
"""What a row is taken to have before one was seen."""
_PAGE = 10_000
_MOST_TIES = 10_000
"""Rows with the same value that can be remembered; more need a key."""


class QuerySource(CheckedKind):
    """Asks for the rows that follow the last one that was read: each exactly once.

    Rows with equal values of the rising column are told apart by `key`, or else by all their
    columns. A row that is changed, and rises by that, is read again as a new one.
    """

    replayable = True
    typed = True
    required = ("url", "rising")
    optional: Mapping[str, Any] = {
        "table": "",
        "query": "",
        "key": [],
        "every": "10s",
        "settle": "1s",
        "timeout": "30s",
    }
    shapes: Mapping[str, tuple[str, ...]] = {
        "every": ("seconds",),
        "settle": ("seconds",),
        "timeout": ("seconds",),
    }

    def open(
        self,
        source: EdgeSource,
        cursor: Cursor | None,
        scratch: Path,  # noqa: ARG002  # the protocol's
    ) -> QueryReader:
        """Connect; see `segue.protocols.edge`."""
        options = self.fill_source(source)
        if bool(options.text("table")) == bool(options.text("query")):
            raise SourceError(f"{options.where}: either table or query must be stated")
        return QueryReader(source, options, cursor)


class QueryReader:
    """A connection, and the place up to which rows were read."""

    def __init__(self, source: EdgeSource, options: Options, cursor: Cursor | None) -> None:
        """Connect.

        Raises:
            SourceError: The database can't be read.
        """
        self._schema = source.schema
        self._where = options.where
        self._key = options.texts("key")
        self._every = options.seconds("every")
        self._settle = options.seconds("settle")
        self._last = [read_value(each) for each in cursor["last"]] if cursor else []
        self._seen = Counter[str](cursor["seen"] if cursor else {})
        self._bounds: deque[tuple[float, Any]] = deque()
        self._row_bytes = _ROW_BYTES
        self._due = time.monotonic()
        self._quiet = False
        self._database: Database = open_database(options)

    def read(self, most: int, wait: float) -> Chunk | None:
        """Return rows that were not read yet; see `segue.protocols.edge`."""
        left = self._due - time.monotonic()
        if left > 0:
            time.sleep(min(wait, left))
            if self._due > time.monotonic():
                return None
        bound = self._find_bound()
        if bound is None and self._settle:
            return None
        limit = max(1, min(_PAGE, most // self._row_bytes))
        ties = sum(self._seen.values())
        poll = Poll(tuple(self._last), bound, limit + ties)
        page = self._database.fetch(poll)
        fresh = self._leave_out(page)
        if not fresh:
            self._rest()
            return None
        self._quiet = False
        return self._make_chunk(page, fresh)

    def _find_bound(self) -> Any:
        """Return the value up to which no row can come any more; None before there is one."""
        if not self._settle:
            return None
        now = time.monotonic()
        newest = self._database.find_newest()
        if newest is None:
            self._rest()
            return None
        if not self._bounds or self._bounds[-1][1] != newest:
            self._bounds.append((now, newest))
        while len(self._bounds) > 1 and self._bounds[1][0] <= now - self._settle:
            self._bounds.popleft()
        since, settled = self._bounds[0]
        if since > now - self._settle:
            self._due = since + self._settle
            return None
        if len(self._bounds) > 1:
            self._quiet = False
        return settled

    def _rest(self) -> None:
        """Wait for the next poll, or until what is newest now has settled."""
        self._due = time.monotonic() + self._every
        self._quiet = len(self._bounds) <= 1
        if not self._quiet:
            self._due = min(self._due, self._bounds[1][0] + self._settle)

    def _leave_out(self, page: Page) -> list[tuple[Any, ...]]:
        """Return the rows of a page that were not read yet."""
        if self._key or not self._last:
            return page.rows
        seen, fresh = self._seen.copy(), []
        for row in page.rows:
            digest = _digest(row)
            if row[page.rising] == self._last[0] and seen[digest]:
                seen[digest] -= 1
            else:
                fresh.append(row)
        return fresh

    def _make_chunk(self, page: Page, rows: list[tuple[Any, ...]]) -> Chunk:
        last = rows[-1]
        if self._key:
            self._last = [last[page.rising], *(last[place] for place in page.key)]
        else:
            self._remember(page.rising, rows)
        cursor = {"last": [write_value(each) for each in self._last], "seen": dict(self._seen)}
        table, bad = make_rows(self._schema, page.names, rows, self._where)
        if table.num_rows:
            self._row_bytes = max(1, table.nbytes // table.num_rows)
        return Chunk(
            cursor, table=table, lost=tuple((count, reason) for reason, count in bad.items())
        )

    def _remember(self, rising: int, rows: list[tuple[Any, ...]]) -> None:
        """Keep the rows that have the newest value: they will be found again."""
        newest = rows[-1][rising]
        if not self._last or self._last[0] != newest:
            self._seen.clear()
        self._last = [newest]
        self._seen.update(_digest(row) for row in rows if row[rising] == newest)
        if sum(self._seen.values()) > _MOST_TIES:
            raise SourceError(
                f"{self._where}: more than {_MOST_TIES:,} rows have the same value of the rising "
                "column",
                hint='state key = ["…"]: columns that tell such rows apart',
            )

    def accept(self, receipts: Sequence[Any]) -> None:
        """Nobody waits for that: the cursor says what was read."""

    def exhausted(self) -> bool:
        """Return whether the last poll found nothing."""
        return self._quiet

    def close(self) -> None:
        """Disconnect."""
        self._database.close()


def _digest(row: tuple[Any, ...]) -> str:
    return blake2b(repr(row).encode(), digest_size=8).hexdigest()
