"""Dask dataframes in and out, through Arrow."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.engines.dask.apply import cut_input
from segue.engines.dask.inputs import Blocks, Bound, Files, Given, Query
from segue.engines.dask.pieces import Piece
from segue.engines.dask.place import budget_of, finish_blocks, place_table, prepare_select
from segue.engines.dask.tasks import read_piece, run_select, run_task
from segue.errors import SourceError
from segue.frames.arrow_types import conform, from_arrow, to_arrow
from segue.frames.convert import from_frame
from segue.spec.step import FrameKind
from segue.spec.types import TableSchema

if TYPE_CHECKING:
    from segue.engines.dask.link import Link


def is_frame(thing: Any) -> bool:
    """Return whether a thing is a dask dataframe; dask is not imported for that."""
    module = sys.modules.get("dask.dataframe")
    return module is not None and isinstance(thing, module.DataFrame)


def read_frame(link: Link, frame: Any) -> Blocks:
    """Return a dask dataframe as a table on workers: each partition is converted where it is.

    Raises:
        SourceError: A column can't be stored, or has another type in each partition.
        SegueError: The dataframe can't be computed.
    """
    from dask.delayed import delayed

    convert = delayed(run_task, pure=False)
    parts = frame.to_delayed(optimize_graph=True)
    client: Any = link.client
    futures = client.compute([convert(convert_partition, part) for part in parts])
    schemas = link.gather([link.submit(tell_schema, future) for future in futures])
    try:
        schema = from_arrow(pa.unify_schemas(schemas, promote_options="permissive"))
    except (pa.ArrowException, ValueError) as error:
        raise SourceError(
            f"the partitions of the dask dataframe have different types: {error}",
            hint="cast the column before: frame.astype({...})",
        ) from None
    return finish_blocks(
        link, [link.submit(agree_table, future, schema) for future in futures], schema
    )


def convert_partition(frame: Any) -> pa.Table:
    """Return a pandas frame as a table."""
    try:
        table = from_frame(frame, FrameKind.PANDAS)
        return conform(table, from_arrow(table.schema))
    except (TypeError, ValueError) as error:
        raise SourceError(f"a partition of the dask dataframe can't be read: {error}") from None


def tell_schema(table: pa.Table) -> pa.Schema:
    """Return the columns and types of a table."""
    return table.schema


def agree_table(table: pa.Table, schema: TableSchema) -> pa.Table:
    """Return a table in the types that all partitions share."""
    try:
        return conform(table, schema)
    except ValueError as error:
        raise SourceError(f"the partitions of the dask dataframe differ: {error}") from None


def make_frame(link: Link, bound: Bound) -> Any:
    """Return bound data as a dask dataframe, which is computed when it is asked for.

    Its columns have Arrow's types, so that nothing is lost; its index counts the rows where
    their number is known.
    """
    import dask.dataframe as dd
    from dask.delayed import delayed

    make = delayed(run_task, pure=False)
    divisions = None
    if isinstance(bound, Given):
        bound = place_table(link, bound)
    if isinstance(bound, Query) and bound.computed is not None:
        bound = bound.computed
    if isinstance(bound, Blocks):
        starts = [sum(block.rows for block in bound.blocks[:at]) for at in range(len(bound.blocks))]
        tables = zip(bound.blocks, starts, strict=True)
        parts = [make(make_partition, block.future, start) for block, start in tables]
        divisions = (*starts, bound.rows - 1) if parts else None
    elif isinstance(bound, Files):
        power = link.measure_power()
        # rows of text files can only be counted by reading them
        whole = bound.scan.format != "parquet"
        cut = [(Piece(bound.schema), bound.scan)] if whole else cut_input(bound, power)
        parts = [
            make(make_partition, make(read_piece, piece, source, budget_of(power)), 0)
            for piece, source in cut
        ]
    else:
        parts = [make(make_partition, make(run_select, *prepare_select(link, bound)), 0)]
    empty = to_arrow(bound.schema).empty_table()
    return dd.from_delayed(
        parts or [make(make_partition, empty, 0)],
        meta=make_partition(empty, 0),
        divisions=divisions,
        verify_meta=False,
    )


def make_partition(table: pa.Table, start: int) -> Any:
    """Return a table as a pandas frame, whose index counts from a number."""
    from segue.frames.pandas_ import to_arrow_backed

    frame = to_arrow_backed(table)
    frame.index += start
    return frame
