"""The relational operations of cases, written in SQL as DuckDB understands it.

Inputs are called ``t0``, ``t1``, ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.errors import UsageError
from segue.spec.sql import quote_identifier as quote
from segue.spec.types import TableSchema
from segue.testing.engines.literals import write_literal
from segue.testing.engines.notation import read_name, read_schema, read_value, split_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from segue.spec.types import Column
    from segue.testing.engines.cases import Case

SETS = {
    "union": "union",
    "union_all": "union all",
    "subtract": "except",
    "except": "except",
    "subtract_all": "except all",
    "except_all": "except all",
    "intersect": "intersect",
    "intersect_all": "intersect all",
}
_JOINS = {
    "inner": "inner",
    "left": "left",
    "right": "right",
    "full": "full",
    "outer": "full",
    "semi": "semi",
    "anti": "anti",
    "cross": "cross",
}
_ONE_SIDED = ("semi", "anti")


def write_query(case: Case) -> str:
    """Return the SELECT that an operation means.

    Args:
        case: With an operation of `OPERATIONS`.

    Raises:
        UsageError: It makes no sense for these inputs.
        ValueError: It has an option that nobody knows.

    Example:
        >>> from segue.testing.engines.cases import Case
        >>> write_query(Case("twice", "distinct", (("a:i64", []),), None))
        'select distinct * from t0'
    """
    writer, options = OPERATIONS[case.op]
    unknown = set(case.options) - set(options)
    if unknown:
        raise ValueError(f"case {case.name!r}: {case.op} has no option {sorted(unknown)}")
    return writer(case, [read_schema(text) for text, _ in case.inputs])


def name_inputs(case: Case) -> list[str]:
    """Return the names by which queries know the inputs."""
    return [f"t{position}" for position in range(len(case.inputs))]


def read_how(text: str) -> str:
    """Return the kind of a join, whatever other libraries call it.

    Example:
        >>> read_how("LEFT_OUTER"), read_how("full outer"), read_how("left semi")
        ('left', 'full', 'semi')
    """
    words = text.lower().replace("_", " ").split()
    kind = words[-1] if words[-1] in ("semi", "anti") else words[0]
    if kind not in _JOINS:
        raise UsageError(f"{text!r} is no way to join", hint=f"there are: {', '.join(_JOINS)}")
    return _JOINS[kind]


def _join(case: Case, schemas: Sequence[TableSchema]) -> str:
    """Join from left to right, each time by the names that both sides have."""
    how = read_how(case.options.get("how", "inner"))
    names, clauses = list(schemas[0].names), []
    for table, schema in zip(name_inputs(case)[1:], schemas[1:], strict=True):
        shared = [name for name in names if schema.find(name)]
        keys = list(case.names("by") or shared)
        if how == "cross" and shared:
            raise UsageError(f"a cross join can't have {shared} twice")
        using = "" if how == "cross" else f" using ({', '.join(map(quote, keys))})"
        clauses.append(f"{how} join {table}{using}")
        if how not in _ONE_SIDED:
            names += [name for name in schema.names if name not in keys]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"the result would have {twice[0]!r} twice")
    return f"select {', '.join(map(quote, names))} from t0 {' '.join(clauses)}"


def _combine(case: Case, _: Sequence[TableSchema]) -> str:
    selects = [f"select * from {table}" for table in name_inputs(case)]
    query = selects[0]
    for position, select in enumerate(selects[1:], 1):
        left = query if position == 1 else f"select * from ({query}) as so_far"
        query = f"{left} {SETS[case.op]} {select}"
    return query


def _distinct(case: Case, schemas: Sequence[TableSchema]) -> str:
    chosen = _chosen(case, schemas[0]) if "subset" in case.options else ()
    return f"select distinct {', '.join(quote(each.name) for each in chosen) or '*'} from t0"


def _chosen(case: Case, schema: TableSchema) -> list[Column]:
    """Return the columns that a case speaks of: all of them, if it says nothing."""
    subset = case.names("subset")
    missing = [name for name in subset or () if schema.find(name) is None]
    if missing:
        raise UsageError(f"there is no column {missing[0]!r}")
    return [each for each in schema if subset is None or each.name in subset]


def _drop_nulls(case: Case, schemas: Sequence[TableSchema]) -> str:
    chosen = _chosen(case, schemas[0])
    how, least = case.options.get("how", "any"), case.options.get("thresh")
    if how not in ("any", "all"):
        raise UsageError(f"{how!r} is no way to drop rows", hint="there are: any, all")
    if least is None:
        least = len(chosen) if how == "any" else min(1, len(chosen))
    there = [f"case when {quote(each.name)} is null then 0 else 1 end" for each in chosen]
    return f"select * from t0 where {' + '.join(there) or 0} >= {least}"


def _fill_nulls(case: Case, schemas: Sequence[TableSchema]) -> str:
    value = case.options.get("value")
    values = value if isinstance(value, dict) else _spread_value(value, _chosen(case, schemas[0]))
    missing = [name for name in values if schemas[0].find(name) is None]
    if missing or not values or None in values.values():
        raise UsageError(f"nulls can't be filled with {value!r}")
    filled = [_fill_column(each, values.get(each.name)) for each in schemas[0]]
    return f"select {', '.join(filled)} from t0"


def _spread_value(value: Any, columns: Sequence[Column]) -> dict[str, Any]:
    """Give one value to the columns whose type it has: text is not put into numbers."""

    def fits(column: Column) -> bool:
        if isinstance(value, bool) or column.type.kind == "bool":
            return isinstance(value, bool) and column.type.kind == "bool"
        number = column.type.is_integer or column.type.is_float or column.type.kind == "decimal"
        return number == isinstance(value, int | float)

    found = {}
    for column in filter(fits, columns):
        try:
            read_value(value, column.type)
        except ValueError:
            continue
        found[column.name] = value
    return found


def _fill_column(column: Column, value: Any) -> str:
    name = quote(column.name)
    if value is None:
        return name
    try:
        literal = write_literal(read_value(value, column.type), column.type)
    except ValueError as error:
        raise UsageError(f"column {column.name!r} can't be filled: {error}") from error
    return f"coalesce({name}, {literal}) as {name}"


def _take(case: Case, schemas: Sequence[TableSchema]) -> str:
    count, by = int(case.options["n"]), case.names("by") or ()
    order = ", ".join(_write_order(case.options.get("order"), case.options.get("nulls", "last")))
    order = f" order by {order}" if order else ""
    if not by:
        return f"select * from t0{order} limit {count}"
    names = ", ".join(map(quote, schemas[0].names))
    keys = ", ".join(map(quote, by))
    number = quote("the row's number")
    window = f"row_number() over (partition by {keys}{order or f' order by {keys}'}) as {number}"
    query = f"select {names} from (select *, {window} from t0) as numbered"
    return f"{query} where {number} <= {count}{order if case.ordered else ''}"


def read_order(order: str | Sequence[str] | None) -> list[tuple[str, str, str]]:
    """Return the terms of an order: name, ``asc`` or ``desc``, and where nulls go if it says so.

    Example:
        >>> read_order("b desc, `c d` nulls first, -e")
        [('b', 'desc', ''), ('c d', 'asc', 'first'), ('e', 'desc', '')]
    """
    terms = split_terms(order) if isinstance(order, str) else list(order or ())
    return [_read_term(term) for term in terms]


def _read_term(term: str) -> tuple[str, str, str]:
    nulls = way = ""
    for place in ("first", "last"):
        if term.lower().endswith(f" nulls {place}"):
            nulls, term = place, term[: -len(f" nulls {place}")].rstrip()
    for word in ("asc", "desc"):
        if term.lower().endswith(f" {word}"):
            way, term = word, term[: -len(word)].rstrip()
    if not way:
        way, term = ("desc", term[1:]) if term.startswith("-") else ("asc", term)
    return read_name(term), way, nulls


def _write_order(order: str | Sequence[str] | None, nulls: str) -> Iterator[str]:
    for name, way, stated in read_order(order):
        yield f"{quote(name)} {way} nulls {stated or nulls}"


_WRITERS: dict[str, tuple[Callable[[Case, Sequence[TableSchema]], str], Sequence[str]]] = {
    "sql": (lambda case, _: str(case.options["q"]), ("q",)),
    "join": (_join, ("how", "by")),
    "distinct": (_distinct, ("subset",)),
    "dropna": (_drop_nulls, ("how", "thresh", "subset")),
    "fillna": (_fill_nulls, ("value", "subset")),
    "take": (_take, ("n", "by", "order", "nulls")),
}
OPERATIONS = {**_WRITERS, **dict.fromkeys(SETS, (_combine, ()))}
"""Writer of each operation, and the options that it understands."""
