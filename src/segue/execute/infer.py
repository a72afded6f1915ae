"""Columns of a result, found on a small real sample before anything is sent to workers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue.errors import StepError
from segue.execute.cogroups import meet_tables
from segue.execute.gather import gather_parts
from segue.execute.told import Told, read_told
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from segue.execute.work import FunctionWork
    from segue.protocols import Session
    from segue.spec.types import DataType, TableSchema

SAMPLE_ROWS = 1_000
"""Rows on which a function is tried."""

WHOLE_ROWS = 100_000
"""Rows of whole groups on which it is tried again, if it fails on parts of them."""

FEW_GROUPS = 5
"""Groups on which a function is tried at first: it may be slow."""

_KEYS = "segue: keys of the sample"
_HINT = 'declare them: schema="name: type, ..."'


def infer_result(session: Session, names: Sequence[str], work: FunctionWork) -> TableSchema:
    """Call a function in this process on a few rows, and return the columns of its result.

    Args:
        session: Where its inputs are.
        names: Names of its inputs.
        work: The function.

    Raises:
        StepError: It failed on the sample.
        OutputError: The sample does not tell all columns and their types.
    """
    queries = [f"select * from {quote(name)} limit {SAMPLE_ROWS}" for name in names]
    tables = [session.fetch(query) for query in queries]
    cut = any(table.num_rows == SAMPLE_ROWS for table in tables)
    try:
        schema = _try(work, tables)
    except StepError:
        if not cut or not work.layout.by:
            raise
        # a part of a group may be too little for it
        schema = _try(work, _fetch_groups(session, names, tables, work))
    if schema is None:
        rows = any(table.num_rows for table in tables)
        message = "it returned nothing to tell columns by"
        if not rows and not work.layout.whole:
            message = "there are no rows to try it on, and so no columns of its result are known"
        raise work.blame.refuse(message, hint=_HINT)
    unknown = [repr(column.name) for column in schema if _is_unknown(column.type)]
    if unknown:
        message = f"a sample of its result has only nulls in {', '.join(unknown)}"
        raise work.blame.refuse(message, hint=_HINT)
    return schema


def _is_unknown(type_: DataType) -> bool:
    return type_.kind == "null" or any(_is_unknown(part) for _, part in type_.fields)


def _try(work: FunctionWork, tables: Sequence[pa.Table]) -> TableSchema | None:
    """Return the columns of a result, found on few groups if these tell."""
    if work.layout.by:
        told = _find_columns(work, _take_groups(work, tables))
        if told is not None and not any(_is_unknown(column.type) for column in told.columns):
            return told.schema
    told = _find_columns(work, tables)
    return None if told is None else told.schema


def _find_columns(work: FunctionWork, tables: Sequence[pa.Table]) -> Told | None:
    trial = replace(work, result=None, reports=False)
    found, _ = gather_parts(trial, trial.work_on(tables))
    return None if found is None else read_told(found)


def _take_groups(work: FunctionWork, tables: Sequence[pa.Table]) -> list[pa.Table]:
    """Return the rows of a few groups."""
    import pyarrow as pa

    groups = meet_tables(tables, work.layout, work.how)
    few = [list(groups.bounds(number)) for number in range(min(len(groups.keys), FEW_GROUPS))]
    taken = []
    for position, block in enumerate(groups.blocks):
        cuts = [
            block.table.slice(each[position][0], each[position][1] - each[position][0])
            for each in few
        ]
        taken.append(pa.concat_tables([block.table.slice(0, 0), *cuts]))
    return taken


def _fetch_groups(
    session: Session, names: Sequence[str], tables: Sequence[pa.Table], work: FunctionWork
) -> list[pa.Table]:
    """Return whole groups: all rows of a few keys."""
    by = work.layout.keys
    few = _take_groups(work, tables)
    keys = next((table for table in few if table.num_rows), few[0]).select(list(by))
    meet = " and ".join(f"t.{quote(key)} is not distinct from k.{quote(key)}" for key in by)
    session.bind(_KEYS, keys)
    try:
        return [
            session.fetch(
                f"select t.* from {quote(name)} t semi join {quote(_KEYS)} k on {meet}"
                f" limit {WHOLE_ROWS}"
            )
            for name in names
        ]
    finally:
        session.unbind(_KEYS)
