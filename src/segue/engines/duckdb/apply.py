"""Work of users' functions on data that is bound in DuckDB."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from segue.errors import SegueError
from segue.frames.chunks import cut_rows, part_size
from segue.spec.failure import WorkerFailure, unseal
from segue.spec.layout import order_terms
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from segue.protocols import Session, Work
    from segue.spec.layout import Layout


def work_on_bound(
    session: Session, inputs: Sequence[str], work: Work, layout: Layout
) -> Iterator[pa.RecordBatch]:
    """Do work on bound data; yield what comes of it.

    Args:
        session: Where the data is bound.
        inputs: Names of the inputs.
        work: What to do.
        layout: How rows are brought together.

    Raises:
        SegueError: What the work raised.
    """
    with _unsealed():
        if len(inputs) == 1 and not layout.by:
            yield from _work_on_rows(session, inputs[0], work, layout)
            return
        tables = [session.fetch(f"select * from {quote(name)}") for name in inputs]
        yield from work.run_tables(tables)


def _work_on_rows(
    session: Session, name: str, work: Work, layout: Layout
) -> Iterator[pa.RecordBatch]:
    """Work on rows as they come: all of them in one call, or so many in each."""
    query = f"select * from {quote(name)}"
    if layout.whole:
        ordered = order_terms(layout.order_of(session.describe(query)))
        order = f" order by {', '.join(ordered)}" if ordered else ""
        yield from work.run_stream(session.stream(query + order))
        return
    rows = 0
    if layout.part_rows is None:
        rows = session.fetch(f"select count(*) as n from {quote(name)}")["n"][0].as_py()
    for part in cut_rows(session.stream(query), part_size(layout, rows)):
        yield from work.run_tables([part])


@contextmanager
def _unsealed() -> Iterator[None]:
    """Raise what the work raised, as it was there."""
    try:
        yield
    except WorkerFailure as failure:
        # in this process the error itself is at hand, with its own cause
        error = failure.__context__
        if not isinstance(error, SegueError):
            error = unseal(failure.text)
        if error is None:
            raise
        raise error from error.__cause__
