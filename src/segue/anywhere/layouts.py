"""How rows are to be brought together, and whether the inputs have the columns for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from segue.errors import UsageError
from segue.execute.unify import unify_types
from segue.registry import nearest
from segue.spec.layout import Layout
from segue.spec.types import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.spec.types import DataType, TableSchema

HOWS = ("inner", "left", "right", "full", "cross")

_SPLIT = re.compile(r"(rows|even):(\d+)")
_UNSORTABLE = ("list", "struct", "map")


def read_names(given: Any, what: str) -> tuple[str, ...]:
    """Return names of columns that were given as one text, or as several.

    Raises:
        UsageError: They are something else, or one comes twice.
    """
    several = isinstance(given, Iterable) and not isinstance(given, str)
    names = () if given is None else tuple(given) if several else (given,)
    odd = [name for name in names if type(name) is not str or not name]
    if odd:
        raise UsageError(f"{what}={odd[0]!r} is no name of a column", hint=f'write {what}="name"')
    plain = [name.removeprefix("-") if what == "sort" else name for name in names]
    twice = next((name for name in plain if plain.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{what} names {twice!r} twice", hint="leave one of them out")
    return names


def make_layout(
    schemas: Mapping[str, TableSchema],
    by: Sequence[str],
    sort: Sequence[str],
    how: str,
    split: int | str | None,
) -> Layout:
    """Return how rows are brought together.

    Args:
        schemas: Columns of each input.
        by: Key columns.
        sort: Sort terms.
        how: How several inputs are joined.
        split: How rows without keys are split.

    Raises:
        UsageError: A column is not there, or two of these contradict each other.
    """
    if how not in HOWS:
        raise UsageError(f"there is no how={how!r}", hint=nearest(how, HOWS))
    if how == "cross" and by:
        raise UsageError("how='cross' takes all rows of each input", hint="leave `by` out")
    keys = tuple(_find_key(name, schemas) for name in by)
    for term in sort:
        _check_sort(term.removeprefix("-"), schemas)
    if split is None:
        return Layout(keys, tuple(sort))
    parts, rows, even = _read_split(split)
    if keys and parts is None:
        hint = f"leave `by` out, or write split={rows or 8}"
        raise UsageError(f"split={split!r} would tear groups apart", hint=hint)
    if len(schemas) > 1 and not keys and parts != 1:
        hint = "group them by a key, or leave `split` out"
        raise UsageError("several inputs without keys can't be split", hint=hint)
    return Layout(keys, tuple(sort), parts=parts, part_rows=rows, even=even)


def _find_key(name: str, schemas: Mapping[str, TableSchema]) -> Column:
    """Return a key column in the type that all inputs share."""
    found: dict[str, DataType] = {}
    for table, schema in schemas.items():
        column = schema.find(name)
        if column is None:
            hint = nearest(name, schema.names, noun="column")
            raise UsageError(f"by={name!r}: {table} has no such column", hint=hint)
        # a categorical is the values that it stands for
        plain = column.type.kind == "categorical"
        found[table] = column.type.fields[0][1] if plain else column.type
    shared: DataType | None = None
    for type_ in found.values():
        shared = type_ if shared is None else unify_types(shared, type_)
        if shared is None:
            shown = ", ".join(f"{type_} in {table}" for table, type_ in found.items())
            hint = "give the column one type in all inputs"
            raise UsageError(f"by={name!r} is {shown}", hint=hint)
    assert shared is not None  # noqa: S101  # there is an input
    return Column(name, shared)


def _check_sort(name: str, schemas: Mapping[str, TableSchema]) -> None:
    known = [column for schema in schemas.values() for column in schema if column.name == name]
    if not known:
        names = [other for schema in schemas.values() for other in schema.names]
        owner = f"{next(iter(schemas))} has" if len(schemas) == 1 else "the inputs have"
        hint = nearest(name, names, noun="column")
        raise UsageError(f"sort={name!r}: {owner} no such column", hint=hint)
    nested = next((c.type for c in known if c.type.kind in _UNSORTABLE), None)
    if nested is not None:
        hint = "sort by a column with plain values"
        raise UsageError(f"sort={name!r}: a column of {nested} has no order", hint=hint)


def _read_split(split: int | str) -> tuple[int | None, int | None, bool]:
    """Return number of parts, rows of a part, and whether parts are to be even."""
    if isinstance(split, int) and not isinstance(split, bool) and split > 0:
        return split, None, False
    found = _SPLIT.fullmatch(split) if isinstance(split, str) else None
    if found is None or not int(found[2]):
        hint = 'write split=8, split="even:8" or split="rows:100000"'
        raise UsageError(f"split={split!r} can't be understood", hint=hint)
    number = int(found[2])
    return (None, number, False) if found[1] == "rows" else (number, None, True)
