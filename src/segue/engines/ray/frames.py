"""Data on its way into Ray's object store and out of it."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.engines.ray.portions import SLAB_BYTES, fit_block
from segue.engines.ray.sources import Block, Blocks
from segue.errors import SqlError
from segue.frames.arrow_types import to_arrow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.spec.types import TableSchema

_REFS = ("ObjectRef", "ClientObjectRef")


def is_dataset(thing: Any) -> bool:
    """Return whether a thing is a dataset of Ray Data, without importing it."""
    return any(
        kind.__name__ == "Dataset" and kind.__module__.startswith("ray.data")
        for kind in type(thing).__mro__
    )


def are_refs(thing: Any) -> bool:
    """Return whether a thing is a list of references to what Ray holds, without importing it."""
    return isinstance(thing, list | tuple) and bool(thing) and all(_is_ref(each) for each in thing)


def _is_ref(thing: Any) -> bool:
    kind = type(thing)
    return kind.__name__ in _REFS and kind.__module__.partition(".")[0] == "ray"


def put_table(table: pa.Table) -> Blocks:
    """Give Ray a table, in blocks."""
    import ray

    step = max(1, table.num_rows * SLAB_BYTES // max(table.nbytes, SLAB_BYTES))
    parts = (table.slice(start, step) for start in range(0, table.num_rows, step))
    return Blocks(tuple(Block(ray.put(part), part.num_rows, part.nbytes) for part in parts))


def take_dataset(dataset: Any) -> tuple[Blocks, pa.Schema]:
    """Return the blocks of a dataset, which is executed at most this once.

    Raises:
        SqlError: Its blocks have no common columns.
    """
    return take_refs(_to_refs(dataset))


def _to_refs(dataset: Any) -> list[Any]:
    context = dataset.context
    kept = context.enable_progress_bars
    context.enable_progress_bars = False
    try:
        with _settled():
            refs: list[Any] = dataset.to_arrow_refs()
    finally:
        context.enable_progress_bars = kept
    return refs


def take_refs(refs: Sequence[Any]) -> tuple[Blocks, pa.Schema]:
    """Return Arrow tables that Ray holds as blocks, and the columns of all of them.

    Raises:
        SqlError: They have no common columns, or one is no Arrow table.
    """
    import ray

    look = ray.remote(_look_at)
    found = ray.get([look.options(num_cpus=0).remote(ref) for ref in refs])
    odd = next((kind for kind, *_ in found if kind), "")
    if odd:
        raise SqlError(f"the references are to be of Arrow tables, one is of a {odd}")
    blocks = tuple(
        Block(ref, rows, size) for ref, (_, _, rows, size) in zip(refs, found, strict=True)
    )
    # an empty block may not know its types
    schemas = [schema for _, schema, rows, _ in found if rows] or [found[0][1]] if found else []
    try:
        schema = pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise SqlError(f"the blocks have no common columns: {error}") from None
    exact = all(each.equals(schema) for each in schemas)
    return Blocks(tuple(block for block in blocks if block.rows), exact), schema


def _look_at(table: Any) -> tuple[str, Any, int, int]:
    """Return what a block is, on the worker that has it."""
    if not isinstance(table, pa.Table):
        return type(table).__name__, None, 0, 0
    return "", table.schema.remove_metadata(), table.num_rows, table.nbytes


def fetch_block(block: Block, schema: TableSchema) -> pa.Table:
    """Bring a block to this process, in memory that outlives Ray's."""
    import ray

    table = fit_block(ray.get(block.ref), schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_stream(sink.getvalue()).read_all()


def make_dataset(blocks: Sequence[Block], schema: TableSchema) -> Any:
    """Return blocks as a dataset of Ray Data."""
    with _settled():
        import ray.data

        if not blocks:
            return ray.data.from_arrow(to_arrow(schema).empty_table())
        return ray.data.from_arrow_refs([block.ref for block in blocks])


@contextmanager
def _settled() -> Iterator[None]:
    """Keep what Ray Data warns itself of to itself: it sets options that it has deprecated."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"ray\.data")
        yield
