"""Parts of a function's result as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.execute.skipped import SkippedGroup, part_skipped
from segue.execute.told import Told, read_told
from segue.frames.arrow_types import conform, to_arrow

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from segue.execute.work import FunctionWork
    from segue.spec.types import TableSchema


def gather_parts(
    work: FunctionWork, parts: Iterable[pa.Table]
) -> tuple[pa.Table | None, tuple[SkippedGroup, ...]]:
    """Return all rows of a result in one schema, and the calls that were left out.

    Args:
        work: What was done.
        parts: What it yielded. Where its columns were not known, they are those of all parts,
            in types that hold the values of each.

    Returns:
        None for the rows, if not one column is known.

    Raises:
        OutputError: Parts don't go together.
    """
    import pyarrow as pa

    tables: list[pa.Table] = []
    skipped: list[SkippedGroup] = []
    for part in parts:
        rows, notes = part_skipped(part)
        skipped += notes
        if rows.num_columns:
            tables.append(rows)
    try:
        schema = work.result if work.result is not None else _agree(tables)
        if schema is None:
            return None, tuple(skipped)
        fitting = [conform(table, schema) for table in tables if table.num_rows]
    except ValueError as error:
        raise work.blame.refuse(str(error)) from None
    empty = to_arrow(schema).empty_table()
    return pa.concat_tables(fitting) if fitting else empty, tuple(skipped)


def _agree(tables: list[pa.Table]) -> TableSchema | None:
    """Return a schema that holds all tables; those without rows tell only if all are."""
    told = [table for table in tables if table.num_rows] or tables[:1]
    agreed: Told | None = None
    for table in told:
        found = read_told(table)
        agreed = found if agreed in (None, found) else agreed.unify(found)
    return None if agreed is None else agreed.schema
