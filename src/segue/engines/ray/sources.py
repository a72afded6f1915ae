"""What names stand for: files, a SELECT, or blocks of rows that Ray holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segue.errors import SqlError
    from segue.spec.scan import Scan
    from segue.spec.types import DataType, TableSchema

_WIDTHS = {"null": 0, "bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "decimal": 16}
_FOUR = ("int32", "uint32", "float32", "date", "categorical")
_TEXT = 24
"""Bytes that a text or list takes, at a guess."""


@dataclass(frozen=True, slots=True)
class Block:
    """An Arrow table in Ray's object store.

    Attributes:
        ref: Reference to it.
        rows: Rows.
        bytes: Bytes.
        part: Number of the part that its rows belong to.
    """

    ref: Any
    rows: int
    bytes: int
    part: int = 0


@dataclass(frozen=True, slots=True)
class Files:
    """Files that every worker reads by itself."""

    scan: Scan


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT over names of the session."""

    text: str


@dataclass(frozen=True, slots=True)
class Blocks:
    """Rows that Ray holds.

    Attributes:
        blocks: In the order of the rows.
        exact: Whether they have exactly the columns and types of the schema.
    """

    blocks: tuple[Block, ...]
    exact: bool = True

    @property
    def rows(self) -> int:
        """Rows of all blocks."""
        return sum(block.rows for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a name stands for.

    Attributes:
        data: Where its rows are.
        schema: Its columns.
        refusal: Why SQL can't be asked of it, None if it can.
    """

    data: Files | Query | Blocks
    schema: TableSchema
    refusal: SqlError | None = None


def measure_row(schema: TableSchema) -> int:
    """Return how many bytes a row takes in memory, roughly.

    Example:
        >>> from segue.spec.types import parse_schema
        >>> measure_row(parse_schema("a: int64, b: string, c: list<int64>"))
        56
    """
    return sum(_measure(column.type) for column in schema) or 1


def _measure(type_: DataType) -> int:
    if type_.kind in _FOUR:
        return 4
    if type_.kind == "struct":
        return sum(_measure(inner) for _, inner in type_.fields)
    if type_.kind in ("string", "binary", "list", "map"):
        return _TEXT
    return _WIDTHS.get(type_.kind, 8)
