"""What segue asks engines to have done on their workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from segue.spec.types import TableSchema


class Work(Protocol):
    """A user's function with all that it needs on a worker.

    Made by `segue.execute`; engines don't look inside. Cloudpickle takes it to workers, where
    segue is installed. An engine calls one of the two methods for each part of the data: the
    rows of a key are all in one part, unless the layout has no keys.

    What goes wrong is raised as `segue.spec.failure.WorkerFailure`, whose text holds a
    `SegueError` that `segue.spec.failure.unseal` takes out again, however the engine wraps it.
    """

    @property
    def schema(self) -> TableSchema:
        """Columns of what it yields, exactly."""
        ...

    def run_stream(self, rows: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Work on rows that come in order, holding one group of them at a time.

        Args:
            rows: Batches of one input's columns, or of several inputs tagged as
                `segue.spec.layout` says; rows of a key come together, and are sorted inside.
        """
        ...

    def run_tables(self, tables: Sequence[pa.Table]) -> Iterator[pa.RecordBatch]:
        """Work on a part that is in memory, in any order: it groups and sorts by itself.

        Args:
            tables: One table for each input.
        """
        ...
