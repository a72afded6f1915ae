"""Spark with names of its own for data."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.engines.spark.apply import apply_work
from segue.engines.spark.bound import Bound, show_frame
from segue.engines.spark.collect import collect_rows, stream_rows
from segue.engines.spark.failures import translated
from segue.engines.spark.inputs import bind_frame, bind_scan, bind_table
from segue.engines.spark.query import Query
from segue.engines.spark.reach import move_frame, reach_back
from segue.engines.spark.versions import prove_workers
from segue.errors import SourceError
from segue.frames.arrow_types import to_arrow
from segue.spec.closing import Closing
from segue.spec.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.engines.spark.driver import Driver
    from segue.protocols import Work
    from segue.spec.layout import Layout
    from segue.spec.types import TableSchema

_WHOLE = re.compile(r'select \* from "((?:[^"]|"")+)"(?: limit (\d+))?')
"""A query for rows of what one name stands for, as segue itself writes it."""


class SparkEngineSession(Closing):
    """Names for data, and SELECTs over them; see `segue.protocols.Session`."""

    def __init__(self, driver: Driver, *, first: bool = False) -> None:
        self._driver = driver
        self._first = first
        self._bound: dict[str, Bound] = {}
        self._query = Query(driver)

    def fork(self) -> SparkEngineSession:
        """Return a session of the same Spark, and without names."""
        self._driver.refuse_if_closed()
        return SparkEngineSession(self._driver)

    @property
    def driver_host(self) -> str:
        """Return the address by which workers reach this process."""
        return reach_back(self._driver)

    def facts(self) -> dict[str, Any]:
        """Return what computes."""
        return {
            "engine": "spark",
            "version": self._driver.spark.version,
            "client": version("pyspark"),
            "address": self._driver.address,
        }

    def bind(self, name: str, data: Scan | str | pa.Table | Any) -> None:
        """Give data a name: files, a SELECT, an Arrow table, or a frame of Spark's.

        Raises:
            SourceError: A file can't be read, or a column has a type that segue lacks.
            SqlError: The SELECT is wrong.
            UnsupportedError: Spark can't mean the SELECT as it is meant.
        """
        self._driver.refuse_if_closed()
        if isinstance(data, str):
            made = self._resolve(data)
        elif isinstance(data, Scan):
            made = bind_scan(self._driver, data)
        elif isinstance(data, pa.Table):
            try:
                made = bind_table(self._driver, data)
            except ValueError as error:
                raise SourceError(f"{name!r} can't be taken to Spark: {error}") from None
        else:
            with translated("the frame"):
                made = bind_frame(move_frame(data, self._driver.spark))
        self.unbind(name)
        self._bound[name] = made
        self._query.add(name, made)

    def unbind(self, name: str) -> None:
        """Forget a name."""
        if self._bound.pop(name, None) is not None:
            self._query.remove(name)

    def _find_whole(self, query: str) -> Bound | None:
        """Return what a query for rows of one name stands for, in its own names and types.

        No SQL looks at its columns, so that they may differ only by case.
        """
        found = _WHOLE.fullmatch(query)
        bound = None if found is None else self._bound.get(found[1].replace('""', '"'))
        if found is None or bound is None or found[2] is None:
            return bound
        return Bound(bound.frame.limit(int(found[2])), bound.schema)

    def _resolve(self, query: str) -> Bound:
        self._driver.refuse_if_closed()
        return self._find_whole(query) or self._query.resolve(query)

    def describe(self, query: str) -> TableSchema:
        """Return the columns of a SELECT, as DuckDB tells them.

        Raises:
            SqlError: It does not parse or bind.
        """
        whole = self._find_whole(query)
        return whole.schema if whole is not None else self._query.describe(query)

    def fetch(self, query: str) -> pa.Table:
        """Run a SELECT and return all rows, in the types that `describe` tells.

        Raises:
            SegueError: It failed.
        """
        return collect_rows(self._resolve(query))

    def stream(self, query: str, batch_rows: int = 100_000) -> pa.RecordBatchReader:
        """Run a SELECT and return rows as they come, in the types that `describe` tells.

        Raises:
            SegueError: It failed; so can each batch.
        """
        bound = self._resolve(query)
        batches = stream_rows(bound, batch_rows)
        return pa.RecordBatchReader.from_batches(to_arrow(bound.schema), batches)

    def native(self, query: str) -> Any:
        """Return a SELECT as Spark's frame, unevaluated.

        Raises:
            SegueError: It is wrong, or Spark can't mean it as it is meant.
        """
        bound = self._resolve(query)
        with translated("the query"):
            frame = show_frame(self._driver, bound)
            return frame if self._driver.origin is None else move_frame(frame, self._driver.origin)

    def persist(self, query: str) -> Any:
        """Run a SELECT once, and return its rows as Spark's frame, which ``unpersist`` frees.

        Raises:
            SegueError: It failed.
        """
        frame = self.native(query)
        with translated("the query"):
            frame = frame.persist()
            try:
                frame.count()
            except Exception:  # whatever failed, Spark keeps no part of it
                frame.unpersist()
                raise
        return frame

    def apply(self, name: str, inputs: Sequence[str], work: Work, layout: Layout) -> None:
        """Let workers do work on bound data, when the result is asked for.

        Raises:
            VersionClashError: Workers run other versions than this process.
            UnsupportedError: Spark can't bring rows together so.
        """
        self._driver.refuse_if_closed()
        prove_workers(self._driver)
        with translated("bringing rows together"):
            made = apply_work(self._driver, [self._bound[each] for each in inputs], work, layout)
        self.unbind(name)
        self._bound[name] = made
        self._query.add(name, made)

    def close(self) -> None:
        """Forget all names; the first session lets Spark go."""
        for name in list(self._bound):
            if not self._driver.closed:
                self.unbind(name)
        self._query.close()
        if self._first:
            self._driver.close()
