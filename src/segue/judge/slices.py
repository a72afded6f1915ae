"""Names in a session for the rows that checks look at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue.errors import StepError, UnsupportedError
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from segue.protocols import Context, Session
    from segue.spec.contract import Slice
    from segue.spec.types import TableSchema

_PARTS = 1_000_000
"""Rows are sampled by a hash of all their values, in so many parts."""


def bind_slices(
    session: Session,
    table: str,
    slices: Iterable[Slice],
    schema: TableSchema,
    context: Context,
) -> tuple[dict[Slice, str], dict[Slice, str]]:
    """Give each slice's rows a name, all segments together.

    The names stay bound: who sets rows aside afterwards asks for the same ones.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        slices: The slices.
        schema: Columns of the table.
        context: Tells the rows that are new.

    Returns:
        The names by slice; and why there is none, of those that the engine refuses.
    """
    named: dict[Slice, str] = {}
    refused: dict[Slice, str] = {}
    for each in slices:
        rows = replace(each, by=())
        if rows not in named:
            source = context.added if rows.new and context.added else table
            query = write_slice(rows, source, schema)
            named[rows] = f"{table}__slice_{len(named)}" if query else source
            if query:
                try:
                    session.bind(named[rows], query)
                except (StepError, UnsupportedError) as error:
                    hint = f": {error.hint}" if error.hint else ""
                    refused[rows] = f"can't tell its rows: {error.message}{hint}"
        named[each] = named[rows]
        if rows in refused:
            refused[each] = refused[rows]
    return named, refused


def write_slice(rows: Slice, source: str, schema: TableSchema) -> str:
    """Return the SELECT of a slice's rows; empty for all rows of the source."""
    terms = [write_where(rows)] if rows.where else []
    if rows.sample is not None:
        values = ", ".join(map(quote_identifier, schema.names))
        terms.append(f"hash({values}) % {_PARTS} < {round(rows.sample * _PARTS)}")
    if not terms:
        return ""
    return f"select * from {quote_identifier(source)} where {' and '.join(terms)}"


def write_where(rows: Slice) -> str:
    """Return the predicate of the rows that count; never null."""
    # a line's end closes a comment that the user's text may end with
    return f"coalesce(({rows.where}\n), false)"
