"""What of a damaged file can be read: facts and records whose checksums hold."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from segue.agent.spool.damage import checksum
from segue.agent.spool.facts import fact_id, is_fact
from segue.agent.spool.pages import Cell, Pages, read_columns
from segue.agent.spool.rows import Row

_FACT, _RECORD, _TOTAL = 5, 11, 3
"""Columns of the tables."""


@dataclass(slots=True)
class Find:
    """What was found.

    Attributes:
        facts: Value of each fact by name, with the commit in which it was written.
        records: The newest form of each record, and where it lies, by key.
        totals: Rows up to deleted records, by key.
        broken: Names of facts of which a copy is damaged.
    """

    facts: dict[str, tuple[int, bytes | None]] = field(default_factory=dict)
    records: dict[int, tuple[Row, Cell]] = field(default_factory=dict)
    totals: dict[int, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    @property
    def lost_facts(self) -> list[str]:
        """Names of facts that are damaged in both copies."""
        return sorted(self.broken - set(self.facts))


def scan_pages(pages: Pages) -> Find:
    """Find what can be read, the newest form of each."""
    found = Find()
    for cell in pages.cells():
        with suppress(ValueError):
            _add(found, cell, pages)
    return found


def _add(found: Find, cell: Cell, pages: Pages) -> None:
    columns = read_columns(cell.local, _RECORD - 1)
    if len(columns) == _RECORD - 1:
        _add_record(found, cell, columns, pages)
    elif len(columns) == _FACT:
        _add_fact(found, cell, pages)
    elif len(columns) == _TOTAL and checksum(cell.row_id, columns[1]) == columns[2]:
        found.totals[cell.row_id] = columns[1]


def _add_record(found: Find, cell: Cell, columns: list[Any], pages: Pages) -> None:
    row = Row(cell.row_id, *columns[1:])
    if not row.whole and cell.overflow:
        # On small pages, the header goes on where the payload is.
        columns = read_columns(pages.content(cell), _RECORD - 1)
        row = Row(cell.row_id, *columns[1:])
    if row.whole:
        known = found.records.get(row.key)
        if known is None or known[0].batch <= row.batch:
            found.records[row.key] = row, cell


def _add_fact(found: Find, cell: Cell, pages: Pages) -> None:
    _, key, batch, crc, value = read_columns(pages.content(cell), _FACT)
    if not isinstance(key, str) or fact_id(key) != cell.row_id:
        return
    if not is_fact(key, batch, crc, value):
        found.broken.add(key)
        return
    known = found.facts.get(key)
    if known is None or known[0] <= batch:
        found.facts[key] = batch, value


def read_payload(pages: Pages, row: Row, cell: Cell) -> bytes | None:
    """Return the payload of a record; None if it is damaged."""
    content = pages.content(cell)
    payload = content[cell.length - row.size :] if len(content) == cell.length else b""
    whole = len(payload) == row.size and zlib.crc32(payload) == row.crc
    return payload if whole else None


def scan_journal(pages: Pages) -> int:
    """Return the number of the last commit that the journal's pages tell; 0 if none."""
    found = Find()
    for cell in pages.journal_cells():
        with suppress(ValueError):
            _add_fact(found, cell, pages)
    batch, value = found.facts.get("head", (0, None))
    return 0 if value is None else batch
