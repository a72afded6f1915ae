"""What came of a micro-batch, as one transaction of the spool."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.agent.clock import ClockWatch
from segue.agent.spool import LAKE, Entry
from segue.agent.work.lineage import find_descendants
from segue.agent.work.orphans import release_orphans
from segue.agent.work.outbox import STATE, Outbox
from segue.spec.edge import REJECTS_SCHEMA, REJECTS_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from segue.agent.spool import Spool
    from segue.agent.work.lineage import Tree
    from segue.agent.work.slot import Slot
    from segue.agent.work.tree import Made
    from segue.protocols.edge import Cursor
    from segue.spec.edge import SentTable

    Lost = tuple[int, str]


@dataclass(slots=True)
class Batch:
    """A micro-batch that is ready to be committed.

    Attributes:
        source: Name of its source.
        made: What came of it.
        entries: What is appended to streams.
        cursor: Where reading goes on after it; None for sources that can't be read again.
    """

    source: str
    made: Made
    entries: list[Entry] = field(default_factory=list)
    cursor: Cursor | None = None


class Committer:
    """Commits micro-batches of all sources, one after the other.

    Args:
        slot: The unpacked bundle.
        spool: The spool.
        clock: Tells the quality of the node's clock.
    """

    def __init__(self, slot: Slot, spool: Spool, clock: Callable[[], str] | None = None) -> None:
        """Say who reads which stream, and take up letters that have not arrived."""
        self._slot = slot
        self._spool = spool
        self._clock = clock or ClockWatch().quality
        self._lock = threading.Lock()
        self._sent = {each.table: each for each in slot.part.sent}
        self._descendants = find_descendants(slot.part)
        spool.assign(_name_readers(slot.part.sent))
        release_orphans(slot.part, spool, slot.generation)
        self.outbox = Outbox(spool.state(STATE), self._save)

    def prepare(
        self,
        tree: Tree,
        made: Made,
        cursor: Cursor | None,
        lost: Sequence[Lost] = (),
    ) -> Batch:
        """Return a micro-batch as entries: rows, rejects and losses of each sent table."""
        clock, entries = self._clock(), []
        for table, rows in made.tables.items():
            entries.append(self._write_rows(self._sent[table], rows, clock))
        for table in self._sent:
            path = [each for each in tree.tables if table in self._descendants.get(each, ())]
            entries += self._write_rejects(table, path, made, clock)
            if tree.source.name in path:
                for count, reason in lost:
                    entries.append(self._entry(table, count, clock, kind="gap", reason=reason))
        return Batch(tree.source.name, made, entries, cursor)

    def commit(self, batch: Batch) -> None:
        """Write a micro-batch, wholly or not at all; its letters are sent then.

        Raises:
            SpoolFullError: There is no room; the same batch can be committed later.
            StorageError: The disk fails.
        """
        made = batch.made
        cursors = {} if batch.cursor is None else {batch.source: batch.cursor}
        with self._lock:
            states = made.states | self.outbox.enclose(made.letters)
            if not (batch.entries or cursors or states):
                return
            self._spool.commit(batch.entries, cursors, states)
            if made.letters:
                self.outbox.post(made.letters)

    def load(self, name: str) -> bytes | None:
        """Return a state of the spool."""
        return self._spool.state(name)

    def cursor(self, source: str) -> Cursor | None:
        """Return where a source goes on."""
        return self._spool.cursor(source)

    def _save(self, make: Callable[[], Mapping[str, bytes | None]]) -> None:
        with self._lock:
            self._spool.commit((), {}, make())

    def _write_rows(self, sent: SentTable, rows: pa.Table, clock: str) -> Entry:
        from segue.agent.work.payload import lay_out, write_payload

        payload = write_payload(lay_out(rows, sent.schema))
        return self._entry(
            sent.table, rows.num_rows, clock, payload=memoryview(payload), schema=sent.schema_id
        )

    def _write_rejects(self, table: str, path: list[str], made: Made, clock: str) -> list[Entry]:
        """Return what was set aside on the way to a sent table."""
        if not made.rejects.at:
            return []
        from segue.agent.work.payload import name_schema, write_payload
        from segue.spec.types import parse_schema

        rows = made.rejects.gather(path)
        if rows is None:
            return []
        stream, schema = f"{table}{REJECTS_SUFFIX}", name_schema(parse_schema(REJECTS_SCHEMA))
        payload = memoryview(write_payload(rows))
        return [self._entry(stream, rows.num_rows, clock, payload=payload, schema=schema)]

    def _entry(self, stream: str, rows: int | None, clock: str, **more: Any) -> Entry:
        return Entry(stream, rows, deployment=self._slot.generation, clock=clock, **more)


def _name_readers(sent: Sequence[SentTable]) -> dict[str, tuple[str, ...]]:
    """Return who reads each stream; rejects go to the lake, where people look for them."""
    readers = {}
    for each in sent:
        readers[each.table] = (*((LAKE,) if each.lake else ()), *each.destinations)
        readers[f"{each.table}{REJECTS_SUFFIX}"] = (LAKE,)
    return readers
