"""Checks that the statistics of a table's files answer, so that no row is read.

Statistics are taken at their word only where they prove the answer: bounds may be wider than
the values that they enclose, floating-point bounds count only where the writer saw no NaN, and
whatever is missing is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.bounds import Bounds, find_bounds, write_values
from segue.judge.compile import ROWS
from segue.judge.gather import REFUSALS, fetch_row
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from segue.judge.compile import CompiledCheck
    from segue.protocols import Session
    from segue.spec.output import DataFile
    from segue.spec.types import DataType, TableSchema

SQL = "-- the statistics of the table's files"
"""Stands in place of the query of a check that needed none."""

_DENSEST = 64
"""Integers between bounds that are few enough to be tried one by one."""


def answer_checks(
    session: Session,
    table: str,
    compiled: Sequence[CompiledCheck],
    schema: TableSchema,
    files: Sequence[DataFile] | None,
) -> dict[str, Any]:
    """Return the aggregates of a table that statistics tell, by expression.

    Args:
        session: Engine that knows how values compare; it is given no row of the table.
        table: Name of the table.
        compiled: The checks.
        schema: Columns of the table.
        files: The files that hold exactly its rows; None if they are not known.
    """
    if files is None:
        return {}
    types = {column.name: column.type for column in schema}
    whole = [one for one in compiled if one.shared and one.source == table and not one.by]
    names = dict.fromkeys(name for one in whole for name in one.check.columns)
    bounds = {name: find_bounds(files, name, types[name]) for name in names if name in types}
    rows = sum(file.rows for file in files)
    answered: dict[str, Any] = {ROWS: rows}
    for name, found in bounds.items():
        if found.nulls is not None:
            answered[f"count({quote_identifier(name)})"] = rows - found.nulls
            answered[f"count(*) filter (where {quote_identifier(name)} is null)"] = found.nulls
    asked = dict(_ask(whole, bounds, types, answered))
    return answered | _evaluate(session, asked)


def trust_files(files: Sequence[DataFile]) -> Sequence[DataFile] | None:
    """Return files whose statistics Segue wrote; None if others may have written some.

    They may pass over NaN, cut texts and round times; rows have a digest only where it was Segue.
    """
    return files if all(file.digest for file in files) else None


def _ask(
    compiled: Sequence[CompiledCheck],
    bounds: Mapping[str, Bounds],
    types: Mapping[str, DataType],
    answered: Mapping[str, Any],
) -> Iterator[tuple[str, str]]:
    """Return what tells an aggregate without the table's rows: a SELECT of one value each."""
    for one in compiled:
        for expression in one.shared:
            if expression in answered:
                continue
            query = _write_question(one, expression, bounds, types)
            if query:
                yield expression, query


def _write_question(
    one: CompiledCheck,
    expression: str,
    bounds: Mapping[str, Bounds],
    types: Mapping[str, DataType],
) -> str:
    if _has(one, "rowless"):
        return f"select {expression}" if expression == one.measure else ""
    if len(one.check.columns) != 1 or one.check.slice.where:
        return ""
    name = one.check.columns[0]
    known = bounds[name]
    if known.low is None:
        return ""
    ends, type_ = (known.low, known.high), types[name]
    facts = [f"{word}({quote_identifier(name)})" for word in ("min", "max")]
    if expression in facts or (expression == one.measure and _has(one, "extreme")):
        return _select(expression, name, ends, type_) if known.exact else ""
    if expression != one.measure:
        return ""
    return _prove(one, name, ends if _has(one, "convex") else _list_values(one, known), type_)


def _has(one: CompiledCheck, mark: str) -> bool:
    return bool(getattr(one.kind, mark, False))


def _list_values(one: CompiledCheck, known: Bounds) -> tuple[Any, ...]:
    """Return all values that can lie between bounds, if they are few and each tells by itself."""
    low, high = known.low, known.high
    if not _has(one, "pointwise"):
        return ()
    if low == high:
        return (low,)
    few = known.discrete and high - low < _DENSEST
    return tuple(range(low, high + 1)) if few else ()


def _prove(one: CompiledCheck, name: str, values: Sequence[Any], type_: DataType) -> str:
    """Return the SELECT that is 0 if none of some values breaks a check, else null."""
    some = f"case when max(case when {one.failing} then 1 else 0 end) = 0 then 0 end"
    return _select(some, name, values, type_)


def _select(expression: str, name: str, values: Sequence[Any], type_: DataType) -> str:
    rows = write_values(name, values, type_) if values else ""
    return f"select {expression} from ({rows}) as bounds_" if rows else ""


def _evaluate(session: Session, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return what SELECTs of one value tell, together if the engine takes them together."""
    if not asked:
        return {}
    listed = ", ".join(f"({query}) as m{place}" for place, query in enumerate(asked.values()))
    try:
        told = fetch_row(session, f"select {listed}")
    except REFUSALS:  # then the rows are asked, and tell what is wrong
        return {}
    return {text: value for text, value in zip(asked, told, strict=True) if value is not None}
