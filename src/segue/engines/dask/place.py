"""Rows onto workers, and what of them tasks are given."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeGuard

from segue.engines.dask.inputs import Block, Blocks, Bound, Files, Given, Query
from segue.engines.dask.pieces import Away, Budget, Piece, Source
from segue.engines.dask.tasks import measure_table, read_piece, run_select, slice_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from distributed import Future

    from segue.engines.dask.link import Link, Power
    from segue.spec.types import TableSchema

BLOCK_BYTES = 64_000_000
"""Size of blocks into which larger tables are cut."""
PART_SHARE = 5
"""A task's rows may be the n-th part of its memory: functions take a few times as much."""


def budget_of(power: Power, *, whole: bool = False) -> Budget:
    """Return what a task may use of its worker.

    Args:
        power: What workers there are.
        whole: Whether the task is the only one, so that it may use all threads of a machine.
    """
    threads = power.threads_here if whole else 1
    memory = min(power.memory, 2**42)
    return Budget(memory // 2, threads, max(memory // PART_SHARE, 1))


def source_of(bound: Blocks | Files, *, away: bool = False) -> Source:
    """Return where a task finds rows: tables that come with it, files, or tables to fetch."""
    if isinstance(bound, Files):
        return bound.scan
    if away:
        return Away(tuple(str(block.future.key) for block in bound.blocks))
    return [block.future for block in bound.blocks]


def finish_blocks(link: Link, futures: Sequence[Future[pa.Table]], schema: TableSchema) -> Blocks:
    """Return the results of tasks as a table, when all are there.

    Args:
        link: Connection to the workers.
        futures: Tables, in order.
        schema: Their columns and types.

    Raises:
        SegueError: A task failed.
    """
    sizes = link.gather([link.submit(measure_table, future) for future in futures])
    blocks: list[Block] = []
    for future, (rows, size) in zip(futures, sizes, strict=True):
        count = -(-size // BLOCK_BYTES)
        if count <= 1:
            blocks += [Block(future, rows, size)] if rows else []
            continue
        ends = [rows * number // count for number in range(count + 1)]
        blocks += [
            Block(
                link.submit(slice_table, future, start, stop - start), stop - start, size // count
            )
            for start, stop in pairwise(ends)
        ]
    return Blocks(schema, tuple(blocks))


def _is_there(blocks: Blocks | None) -> TypeGuard[Blocks]:
    """Return whether rows are on workers, and have not gone with one."""
    if blocks is None:
        return False
    return all(block.future.status in ("finished", "pending") for block in blocks.blocks)


def place_table(link: Link, given: Given) -> Blocks:
    """Return a table of this process as one on workers."""
    if not _is_there(given.placed):
        table = given.table
        threads = link.measure_power().threads
        count = max(min(threads, table.nbytes // 1_000_000), -(-table.nbytes // BLOCK_BYTES), 1)
        ends = [table.num_rows * number // count for number in range(count + 1)]
        cut = [table.slice(a, b - a) for a, b in pairwise(ends) if b > a]
        futures = link.scatter(cut) if cut else []
        given.placed = Blocks(
            given.schema,
            tuple(
                Block(future, part.num_rows, part.nbytes)
                for future, part in zip(futures, cut, strict=True)
            ),
        )
    return given.placed


def resolve_input(link: Link, bound: Bound) -> Blocks | Files:
    """Return what tasks can read: SELECTs are computed, other files than Parquet are read.

    Raises:
        SegueError: That failed.
    """
    if isinstance(bound, Given):
        return place_table(link, bound)
    if isinstance(bound, Query):
        if not _is_there(bound.computed):
            bound.computed = finish_blocks(link, [select_rows(link, bound)], bound.schema)
        return bound.computed
    if isinstance(bound, Files) and bound.scan.format != "parquet":
        future = link.submit(
            read_piece, Piece(bound.schema), bound.scan, budget_of(link.measure_power())
        )
        return finish_blocks(link, [future], bound.schema)
    return bound


def select_rows(link: Link, query: Query) -> Future[pa.Table]:
    """Let a worker run a SELECT, and return its rows as a future.

    Raises:
        SegueError: What it reads could not be computed.
    """
    return link.submit(run_select, *prepare_select(link, query))


def prepare_select(link: Link, query: Query) -> tuple[Any, ...]:
    """Return the arguments of `run_select` for a SELECT.

    Raises:
        SegueError: What it reads could not be computed.
    """
    budget = budget_of(link.measure_power(), whole=True)
    found: dict[str, Bound] = {}
    _add_needs(link, query.needs, found, {})
    inputs = {name: _resolve_for_sql(link, bound) for name, bound in found.items()}
    away = sum(each.bytes for each in inputs.values() if isinstance(each, Blocks)) > budget.part
    names = [
        (name, each.text if isinstance(each, Query) else each.schema)
        for name, each in inputs.items()
    ]
    sources = [
        None if isinstance(each, Query) else source_of(each, away=away) for each in inputs.values()
    ]
    return query.text, query.schema, names, sources, budget


def _resolve_for_sql(link: Link, bound: Bound) -> Blocks | Files | Query:
    if isinstance(bound, Files) or (isinstance(bound, Query) and not _is_there(bound.computed)):
        return bound
    return resolve_input(link, bound)


def _add_needs(
    link: Link, needs: Mapping[str, Bound], found: dict[str, Bound], scope: Mapping[str, Bound]
) -> None:
    """Add what a SELECT reads, each after what it needs itself."""
    scope = {**scope, **needs}
    for name, bound in needs.items():
        if isinstance(bound, Query) and not _is_there(bound.computed):
            if any(scope.get(other, inner) is not inner for other, inner in bound.needs.items()):
                # a name that meant something else when that SELECT was bound
                resolve_input(link, bound)
            else:
                _add_needs(link, bound.needs, found, scope)
        found[name] = bound
