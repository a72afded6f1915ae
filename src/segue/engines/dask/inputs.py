"""What is bound to a name, as a session knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from segue.spec.scan import Scan
from segue.spec.types import TableSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from distributed import Future


@dataclass(frozen=True, slots=True)
class Block:
    """Rows in the memory of a worker.

    Attributes:
        future: The table, as distributed names it.
        rows: How many rows.
        bytes: How much memory they take.
    """

    future: Future[pa.Table]
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Blocks:
    """A table in the memory of workers.

    Attributes:
        schema: Columns and types of each block.
        blocks: Its rows, in order.
    """

    schema: TableSchema
    blocks: tuple[Block, ...]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(block.rows for block in self.blocks)

    @property
    def bytes(self) -> int:
        """Memory that the rows take."""
        return sum(block.bytes for block in self.blocks)


@dataclass(slots=True)
class Given:
    """A table in the memory of this process, put on workers when they need it.

    Attributes:
        schema: Columns and types.
        table: The rows.
        placed: The rows on workers.
    """

    schema: TableSchema
    table: pa.Table
    placed: Blocks | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """Files that workers read by themselves.

    Attributes:
        schema: Columns and types as SQL sees them.
        scan: The files.
        rows: About how many rows there are.
        bytes: About how much memory they would take.
    """

    schema: TableSchema
    scan: Scan
    rows: int
    bytes: int


@dataclass(slots=True)
class Query:
    """A SELECT over other things, computed when something other than SQL needs its rows.

    Attributes:
        schema: Columns and types.
        text: The SELECT.
        needs: What it reads, by name.
        computed: Its rows.
    """

    schema: TableSchema
    text: str
    needs: Mapping[str, Bound]
    computed: Blocks | None = None


Bound: TypeAlias = Given | Files | Blocks | Query
"""What a name can stand for."""
