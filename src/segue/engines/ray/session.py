"""Ray at work: names for data, SELECTs on one worker, and users' work on all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.engines.ray.apply import Applying, Input, limit_query, take_blocks
from segue.engines.ray.connect import find_driver_host, release
from segue.engines.ray.flight import Flight, Launch
from segue.engines.ray.frames import (
    are_refs,
    is_dataset,
    make_dataset,
    put_table,
    take_dataset,
    take_refs,
)
from segue.engines.ray.sources import Block, Blocks, Bound, Files, Query
from segue.engines.ray.tasks import Select
from segue.errors import SqlError, UnsupportedError
from segue.frames.arrow_types import conform, from_arrow, to_arrow
from segue.frames.packing import pack_work
from segue.spec.closing import Closing
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.engines.ray.connect import Cluster
    from segue.engines.ray.portions import Pieces
    from segue.protocols import LocalSession, Work
    from segue.spec.layout import Layout
    from segue.spec.types import TableSchema

_EVERYTHING = re.compile(r'select \* from "((?:[^"]|"")+)"')
"""A SELECT of all rows of a name, as segue writes it: data keep types that SQL does not know."""


def _mentions(query: str, name: str) -> bool:
    pattern = rf"(?<!\w){re.escape(quote(name)[1:-1])}(?!\w)"
    return re.search(pattern, query, re.IGNORECASE) is not None


class RaySession(Closing):
    """Names for data, SELECTs over them, and work on them; see `segue.protocols.Session`."""

    def __init__(
        self, cluster: Cluster, flight: Flight, local: LocalSession, *, owner: bool = False
    ) -> None:
        self._cluster = cluster
        self._flight = flight
        self._local = local
        self._owner = owner
        self._bound: dict[str, Bound] = {}

    def fork(self) -> RaySession:
        """Return a session on the same Ray, without names."""
        return RaySession(self._cluster, self._flight, self._local.fork())

    @property
    def driver_host(self) -> str:
        """Return the address by which workers reach this process."""
        return find_driver_host(self._cluster)

    def facts(self) -> dict[str, Any]:
        """Return what computes."""
        import ray

        return {
            "engine": "ray",
            "version": ray.__version__,
            "address": self._cluster.address,
            "machines": self._cluster.nodes,
            "workers": self._cluster.workers,
            "threads": self._cluster.workers,
        }

    def bind(self, name: str, data: Scan | str | pa.Table | Any) -> None:
        """Give data a name: files, a SELECT, an Arrow table, a dataset of Ray Data.

        Raises:
            SourceError: A file can't be read.
            SqlError: The SELECT is wrong, or a column has a type that segue lacks.
        """
        self._flight.refuse_if_closed()
        self._forget(name)
        if isinstance(data, Scan):
            self._local.bind(name, data)
            self._bound[name] = Bound(Files(data), self._describe_name(name))
        elif isinstance(data, str):
            self._refuse_unasked(data)
            self._local.bind(name, data)
            self._bound[name] = Bound(Query(data), self._describe_name(name))
        elif isinstance(data, pa.Table):
            schema, refusal = self._bind_columns(name, data.schema)
            try:
                blocks = put_table(conform(data, schema))
            except ValueError as error:
                raise SqlError(f"table {name!r}: {error}") from None
            self._bound[name] = Bound(blocks, schema, refusal)
        else:
            self._bind_frame(name, data)

    def _bind_frame(self, name: str, data: Any) -> None:
        if not is_dataset(data) and not are_refs(data):
            raise SqlError(f"table {name!r} is of type {type(data).__name__}, not data of Ray's")
        blocks, found = take_dataset(data) if is_dataset(data) else take_refs(data)
        schema, refusal = self._bind_columns(name, found)
        exact = blocks.exact and found.equals(to_arrow(schema))
        self._bound[name] = Bound(Blocks(blocks.blocks, exact), schema, refusal)

    def _bind_columns(self, name: str, columns: pa.Schema) -> tuple[TableSchema, SqlError | None]:
        """Tell the local session of columns; return them, and why SQL can't be asked of them."""
        try:
            schema = from_arrow(columns)
        except ValueError as error:
            raise SqlError(f"table {name!r}: {error}") from None
        try:
            self._local.bind(name, columns.empty_table())
        except SqlError as error:
            # names that SQL can't tell apart, or none at all: functions can work on them
            return schema, error
        return schema, None

    def _describe_name(self, name: str) -> TableSchema:
        return self._local.describe(f"select * from {quote(name)}")

    def unbind(self, name: str) -> None:
        """Forget a name."""
        self._forget(name)

    def _forget(self, name: str) -> None:
        bound = self._bound.pop(name, None)
        if bound is not None and bound.refusal is None:
            self._local.unbind(name)

    def describe(self, query: str) -> TableSchema:
        """Return the columns of a SELECT, without any work for Ray.

        Raises:
            SqlError: It does not parse or bind.
        """
        bound = self._find_everything(query)
        if bound is not None:
            return bound.schema
        self._refuse_unasked(query)
        return self._local.describe(query)

    def _find_everything(self, query: str) -> Bound | None:
        """Return what a name stands for if a query asks for all of its rows."""
        found = _EVERYTHING.fullmatch(query)
        return None if found is None else self._bound.get(found[1].replace('""', '"'))

    def _refuse_unasked(self, query: str) -> None:
        """Refuse a query of tables that SQL can't be asked of."""
        for bound in self._select_names(query).values():
            if bound.refusal is not None:
                raise bound.refusal

    def _select_names(self, query: str) -> dict[str, Bound]:
        """Return the names that a query may read; what views read comes before them."""
        found: dict[str, Bound] = {}
        self._add_names(query, found, set())
        return found

    def _add_names(self, query: str, found: dict[str, Bound], seen: set[str]) -> None:
        for name, bound in self._bound.items():
            if name not in seen and _mentions(query, name):
                seen.add(name)
                if isinstance(bound.data, Query):
                    self._add_names(bound.data.text, found, seen)
                found[name] = bound

    def fetch(self, query: str) -> pa.Table:
        """Run a SELECT and return all rows, in the types that `describe` tells.

        Raises:
            SegueError: It failed.
        """
        schema = self.describe(query)
        tables = list(self._flight.fetch(self._compute(query), schema))
        return pa.concat_tables(tables) if tables else to_arrow(schema).empty_table()

    def stream(self, query: str, batch_rows: int = 100_000) -> pa.RecordBatchReader:
        """Run a SELECT and return rows as they come, in the types that `describe` tells.

        Raises:
            SegueError: It failed; so can each batch.
        """
        schema = self.describe(query)
        bound = self._find_everything(query)
        if bound is not None and isinstance(bound.data, Blocks):
            blocks: Iterator[Block] = iter(bound.data.blocks)
        else:
            blocks = self._flight.stream(self._launch(query))
        batches = (
            batch
            for table in self._flight.fetch(blocks, schema)
            for batch in table.to_batches(batch_rows)
        )
        return pa.RecordBatchReader.from_batches(to_arrow(schema), batches)

    def native(self, query: str) -> Any:
        """Return a SELECT as a dataset of Ray Data, whose rows one worker has computed.

        Raises:
            UnsupportedError: Ray is reached through its client, which Ray Data can't use.
            SegueError: It failed.
        """
        if self._cluster.remote:
            raise UnsupportedError(
                f"datasets of Ray Data can't be had through Ray's client ({self._cluster.address})",
                hint="ask for another kind of frame, or run this program on a machine of Ray's",
            )
        return make_dataset(self._compute(query, exact=True), self.describe(query))

    def persist(self, query: str) -> Any:
        """Return a SELECT as a dataset of Ray Data, whose rows Ray holds.

        Raises:
            UnsupportedError: Ray is reached through its client, which Ray Data can't use.
            SegueError: It failed.
        """
        return self.native(query)  # it has been computed

    def _compute(self, query: str, *, exact: bool = False) -> tuple[Block, ...]:
        """Return the rows of a query as blocks."""
        bound = self._find_everything(query)
        held = bound.data if bound is not None else None
        if isinstance(held, Blocks) and (held.exact or not exact):
            return held.blocks
        return tuple(self._flight.run([self._launch(query)])[0])

    def _launch(self, query: str) -> Launch:
        names: dict[str, Scan | str | Pieces] = {}
        for name, bound in self._select_names(query).items():
            if isinstance(bound.data, Blocks):
                names[name] = take_blocks(bound.data.blocks, bound.schema)
            else:
                names[name] = bound.data.scan if isinstance(bound.data, Files) else bound.data.text
        return Launch(Select(query, self.describe(query), names, limit_query(self._cluster)))

    def apply(self, name: str, inputs: Sequence[str], work: Work, layout: Layout) -> None:
        """Have workers do work on bound data, now, and give the result a name.

        Raises:
            SegueError: It failed.
        """
        import ray

        given = tuple(self._open_input(each) for each in inputs)
        packed = ray.put(pack_work(work, "ray"))
        blocks = Applying(self._flight, self._cluster, given, packed, layout).run()
        self._forget(name)
        _, refusal = self._bind_columns(name, to_arrow(work.schema))
        self._bound[name] = Bound(Blocks(tuple(blocks)), work.schema, refusal)

    def _open_input(self, name: str) -> Input:
        bound = self._bound[name]
        if isinstance(bound.data, Blocks):
            return Input(bound.data, bound.schema, bound.data.rows)
        if isinstance(bound.data, Files) and bound.data.scan.format == "parquet":
            counted = self._local.fetch(f"select count(*) as n from {quote(name)}")
            return Input(bound.data, bound.schema, counted["n"][0].as_py())
        blocks = Blocks(self._compute(f"select * from {quote(name)}"))
        return Input(blocks, bound.schema, blocks.rows)

    def close(self) -> None:
        """Interrupt what runs and free everything; the first session ends all its forks."""
        self._bound.clear()
        if self._owner:
            self._flight.close()
            release(self._cluster)
        self._local.close()
