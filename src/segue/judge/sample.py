"""A few rows that break checks: one scan for all checks together."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.errors import UnsupportedError
from segue.judge.gather import REFUSALS
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Self

    from segue.judge.compile import CompiledCheck
    from segue.protocols import Session
    from segue.spec.types import Column, TableSchema

ROWS = 5
"""Rows that are shown of each check."""
MASK = "***"
_COLUMNS = 12
_LENGTH = 200


def sample_failing(
    session: Session,
    table: str,
    broken: Sequence[CompiledCheck],
    schema: TableSchema,
    sensitive: Collection[str],
) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Return up to `ROWS` failing rows of each check, by its name.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        broken: Checks that rows break.
        schema: Columns of the table.
        sensitive: Columns whose values are masked.
    """
    shown = [one for one in broken if one.failing]
    if not shown:
        return {}
    columns, hidden = _choose_columns(shown, schema), _find_hidden(shown, sensitive)
    parts: dict[str, list[CompiledCheck]] = {}
    for one in shown:
        parts.setdefault(one.source or table, []).append(one)
    samples: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for source, checks in parts.items():
        with suppress(*REFUSALS):  # samples are a courtesy: what was counted stands
            rows = _fetch_rows(session, source, checks, columns, hidden)
            for one, found in zip(checks, rows, strict=True):
                named = (_name_values(row, columns, one.check.columns) for row in found)
                samples[one.check.name] = tuple(named)
    return samples


@dataclass(frozen=True, slots=True)
class SampleColumns:
    """The columns that a sample shows.

    Attributes:
        columns: The columns.
        values: SQL of what is shown of each: by ``c0``, ``c1``, ... in their order.
    """

    columns: tuple[Column, ...]
    values: Mapping[str, str]

    @classmethod
    def choose(
        cls, shown: Sequence[CompiledCheck], schema: TableSchema, sensitive: Collection[str]
    ) -> Self:
        """Return the columns to show for some checks; values of sensitive ones are masked."""
        columns, hidden = _choose_columns(shown, schema), _find_hidden(shown, sensitive)
        values = {f"c{at}": _write_value(column, hidden) for at, column in enumerate(columns)}
        return cls(tuple(columns), values)

    def name(self, row: Mapping[str, Any], first: Collection[str]) -> Mapping[str, Any]:
        """Return a row's values by name, with those of some columns first."""
        return _name_values(row, self.columns, first)


def _find_hidden(shown: Sequence[CompiledCheck], sensitive: Collection[str]) -> set[str]:
    spoken = (name for one in shown if one.check.sensitive for name in one.check.columns)
    return {*sensitive, *spoken}


def _fetch_rows(
    session: Session,
    table: str,
    shown: Sequence[CompiledCheck],
    columns: Sequence[Column],
    hidden: set[str],
) -> list[list[dict[str, Any]]]:
    """Return a few failing rows of each check: all in one scan, where the engine can do that."""
    try:
        found = session.fetch(_write_sample(table, shown, columns, hidden))
    except UnsupportedError:
        return [session.fetch(_write_one(table, one, columns, hidden)).to_pylist() for one in shown]
    return [found.column(position)[0].as_py() or [] for position in range(len(shown))]


def _choose_columns(shown: Sequence[CompiledCheck], schema: TableSchema) -> list[Column]:
    """Return the columns that checks speak of, then others up to a width that is readable."""
    spoken = {name for one in shown for name in one.check.columns}
    told = [column for column in schema if column.name in spoken]
    others = [column for column in schema if column.name not in spoken]
    return told + others[: max(0, _COLUMNS - len(told))]


def _write_sample(
    table: str, shown: Sequence[CompiledCheck], columns: Sequence[Column], hidden: set[str]
) -> str:
    flags = ", ".join(f"{one.failing} as __segue_{i}" for i, one in enumerate(shown))
    some = " or ".join(f"__segue_{i}" for i in range(len(shown)))
    # positions as field names: a struct's fields ignore case, and columns need not
    values = ", ".join(
        f"'c{i}': {_write_value(column, hidden)}" for i, column in enumerate(columns)
    )
    # the first few in any order: nothing is sorted and no more is held than is shown
    kept = ", ".join(
        f"arg_min(__segue_row, 0, {ROWS}) filter (where __segue_{i}) as s{i}"
        for i in range(len(shown))
    )
    source = quote_identifier(table)
    return (
        f"select {kept} from (select *, {{{values}}} as __segue_row "
        f"from (select *, {flags} from {source}) where {some})"
    )


def _write_one(table: str, one: CompiledCheck, columns: Sequence[Column], hidden: set[str]) -> str:
    values = ", ".join(f"{_write_value(each, hidden)} as c{i}" for i, each in enumerate(columns))
    return (
        f"select {values} from (select *, {one.failing} as __segue_failing "
        f"from {quote_identifier(table)}) where __segue_failing limit {ROWS}"
    )


def _write_value(column: Column, hidden: set[str]) -> str:
    name = quote_identifier(column.name)
    if column.name in hidden:
        return f"'{MASK}'"
    if column.type.is_integer or column.type.is_float or column.type.kind == "bool":
        return name
    return f"left({name}::varchar, {_LENGTH})"


def _name_values(
    row: Mapping[str, Any], columns: Sequence[Column], first: Collection[str]
) -> Mapping[str, Any]:
    values = {column.name: row[f"c{i}"] for i, column in enumerate(columns)}
    return {name: values[name] for name in (*first, *(n for n in values if n not in first))}
