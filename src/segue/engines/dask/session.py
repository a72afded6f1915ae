"""Names for data that Dask's workers hold or read, and SELECTs over them."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.engines.dask.apply import apply_work, read_files
from segue.engines.dask.files import measure_files
from segue.engines.dask.frames import is_frame, make_frame, read_frame
from segue.engines.dask.inputs import Blocks, Bound, Files, Given, Query
from segue.engines.dask.place import finish_blocks, resolve_input, select_rows
from segue.errors import SqlError, UnknownNameError
from segue.frames.arrow_types import conform, from_arrow, to_arrow
from segue.registry import nearest
from segue.spec.closing import Closing
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from segue.engines.dask.link import Link
    from segue.protocols import LocalSession, Work
    from segue.spec.layout import Layout
    from segue.spec.types import TableSchema

_STAR = re.compile(r'\s*select\s+\*\s+from\s+"((?:[^"]|"")+)"\s*;?\s*', re.IGNORECASE)
"""A SELECT of all rows, which needs no SQL."""


class DaskSession(Closing):
    """Names for data, and SELECTs over them; see `segue.protocols.Session`."""

    def __init__(self, link: Link, local: LocalSession, end: Callable[[], None]) -> None:
        """Keep what is shared.

        Args:
            link: Connection to the workers.
            local: A session of this process, which binds SELECTs.
            end: Called when the session is closed.
        """
        self._link = link
        self._local = local
        self._end = end
        self._bound: dict[str, Bound] = {}
        self._hidden: dict[str, SqlError] = {}
        self._closed = False

    def fork(self) -> DaskSession:
        """Return a session on the same workers, and without names."""
        local = self._local.fork()
        return DaskSession(self._link.fork(), local, local.close)

    @property
    def driver_host(self) -> str:
        """Return the address by which workers reach this process."""
        from distributed import utils
        from distributed.comm.addressing import get_address_host

        find: Any = utils.get_ip
        return str(find(get_address_host(self._link.address)))

    def facts(self) -> dict[str, Any]:
        """Return what computes."""
        power = self._link.measure_power()
        return {
            "engine": "dask",
            "version": version("distributed"),
            "address": self._link.address,
            "workers": power.workers,
            "threads": power.threads,
        }

    def bind(self, name: str, data: Scan | str | pa.Table | Any) -> None:
        """Give data a name: files, a SELECT, an Arrow table, or a dask dataframe.

        Raises:
            SourceError: A file can't be read.
            SqlError: The SELECT is wrong.
            SegueError: A dask dataframe can't be computed or stored.
        """
        self.unbind(name)
        if isinstance(data, Scan):
            self._local.bind(name, data)
            schema = self._local.describe(_star(name))
            self._bound[name] = Files(schema, data, *measure_files(data, schema))
        elif isinstance(data, str):
            schema = self.describe(data)
            needs = self._find_needs(data)
            self._local.bind(name, data)
            self._bound[name] = Query(schema, data, needs)
        elif is_frame(data):
            self._hold(name, read_frame(self._link, data))
        else:
            schema = from_arrow(data.schema)
            self._hold(name, Given(schema, conform(data, schema)))

    def _hold(self, name: str, rows: Given | Blocks) -> None:
        """Keep rows under a name, and let SELECTs know their columns."""
        self.unbind(name)
        self._bound[name] = rows
        try:
            self._local.bind(name, to_arrow(rows.schema).empty_table())
        except SqlError as error:
            # functions can work on what SQL can't name
            self._hidden[name] = error

    def unbind(self, name: str) -> None:
        """Forget a name."""
        if name in self._bound:
            del self._bound[name]
            if self._hidden.pop(name, None) is None:
                self._local.unbind(name)

    def describe(self, query: str) -> TableSchema:
        """Return the columns of a SELECT, without running it.

        Raises:
            SqlError: It does not parse or bind.
        """
        known = self._find_star(query)
        if known is not None:
            return known.schema
        for name, error in self._hidden.items():
            if _mentions(query, name):
                raise error
        return self._local.describe(query)

    def _find_star(self, query: str) -> Bound | None:
        """Return what is bound to a name, if a query asks for all of it."""
        match = _STAR.fullmatch(query)
        return self._bound.get(match[1].replace('""', '"')) if match else None

    def _find_needs(self, query: str) -> dict[str, Bound]:
        """Return what a query reads, and maybe more."""
        return {name: bound for name, bound in self._bound.items() if _mentions(query, name)}

    def _compute(self, query: str) -> Given | Blocks:
        """Return the rows of a SELECT, on workers unless they are here already."""
        known = self._find_star(query)
        if isinstance(known, Given | Blocks):
            return known
        if isinstance(known, Query):
            resolve_input(self._link, known)
            return known.computed or Blocks(known.schema, ())
        bound = Query(self.describe(query), query, self._find_needs(query))
        return finish_blocks(self._link, [select_rows(self._link, bound)], bound.schema)

    def fetch(self, query: str) -> pa.Table:
        """Run a SELECT and return all rows, in the types that `describe` tells.

        Raises:
            SegueError: It failed.
        """
        rows = self._compute(query)
        if isinstance(rows, Given):
            return rows.table
        tables = self._link.gather([block.future for block in rows.blocks])
        return pa.concat_tables([to_arrow(rows.schema).empty_table(), *tables])

    def stream(self, query: str, batch_rows: int = 100_000) -> pa.RecordBatchReader:
        """Run a SELECT and return rows as they come, in the types that `describe` tells.

        Raises:
            SegueError: It failed; so can each batch.
        """
        rows = self._compute(query)
        batches = self._pour(rows, batch_rows)
        return pa.RecordBatchReader.from_batches(to_arrow(rows.schema), batches)

    def _pour(self, rows: Given | Blocks, batch_rows: int) -> Iterator[pa.RecordBatch]:
        if isinstance(rows, Given):
            yield from rows.table.to_batches(batch_rows)
            return
        for block in rows.blocks:
            (table,) = self._link.gather([block.future])
            yield from table.to_batches(batch_rows)

    def native(self, query: str) -> Any:
        """Return a SELECT as a dask dataframe with Arrow's types, unevaluated.

        Raises:
            SqlError: It does not parse or bind.
        """
        known = self._find_star(query)
        if known is None:
            known = Query(self.describe(query), query, self._find_needs(query))
        return make_frame(self._link, known)

    def persist(self, query: str) -> Any:
        """Run a SELECT once, and return its rows as a dask dataframe; workers hold them.

        Raises:
            SegueError: It failed.
        """
        known = self._find_star(query)
        if isinstance(known, Files) and known.scan.format == "parquet":
            return make_frame(self._link, read_files(self._link, known))
        return make_frame(self._link, self._compute(query))

    def apply(self, name: str, inputs: Sequence[str], work: Work, layout: Layout) -> None:
        """Let workers do work on bound data, and give the result a name; it stays on workers.

        Raises:
            SegueError: The work failed.
        """
        read = [resolve_input(self._link, self._look_up(each)) for each in inputs]
        self._hold(name, apply_work(self._link, read, work, layout))

    def _look_up(self, name: str) -> Bound:
        if name not in self._bound:
            raise UnknownNameError(
                f"there is no table called {name!r}", hint=nearest(name, list(self._bound))
            )
        return self._bound[name]

    def close(self) -> None:
        """Interrupt what runs, forget all names, and stop what was started for this session."""
        if not self._closed:
            self._closed = True
            self._link.stop()
            self._bound.clear()
            self._end()


def _star(name: str) -> str:
    return f"select * from {quote(name)}"


def _mentions(query: str, name: str) -> bool:
    """Return whether a query may read a name: more is better than less."""
    folded = query.casefold()
    return name.casefold() in folded or quote(name).casefold() in folded
