"""A few rows of a query's result, as plain values, with nothing in them that must stay hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.cells import read_cell
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from segue.protocols import Session
    from segue.spec.types import Column, TableSchema

ROWS = 5
"""Rows that are shown."""
MASK = "***"
_COLUMNS = 12
_LENGTH = 200


def fetch_shown(
    session: Session, query: str, schema: TableSchema, hidden: Collection[str]
) -> tuple[Mapping[str, Any], ...]:
    """Return the first rows of a SELECT, for a report.

    Args:
        session: Engine that runs it.
        query: The SELECT.
        schema: Its columns.
        hidden: Names of columns whose values are masked, in lower case.
    """
    columns = schema.columns[:_COLUMNS]
    values = ", ".join(f"{_write_cell(each, hidden)} as c{i}" for i, each in enumerate(columns))
    told = session.fetch(f"select {values} from (\n{query}\n) as shown_ limit {ROWS}")
    return tuple(
        {each.name: read_cell(told.column(i)[place]) for i, each in enumerate(columns)}
        for place in range(told.num_rows)
    )


def find_hidden(query: str, schema: TableSchema, sensitive: Collection[str]) -> frozenset[str]:
    """Return the columns of a SELECT that may hold values of sensitive columns, in lower case.

    A SELECT that speaks of one of them by name may give it any other name: all are hidden then.

    Example:
        >>> from segue.spec.types import parse_schema
        >>> schema = parse_schema("id: int64, Mail: string")
        >>> sorted(find_hidden("select * from people", schema, ["mail"]))
        ['mail']
        >>> sorted(find_hidden("select id, mail as m from people", schema, ["mail"]))
        ['id', 'mail']
    """
    import sqlglot.expressions as exp
    from sqlglot import parse_one

    if not sensitive:
        return frozenset()
    secret = {name.lower() for name in sensitive}
    tree = parse_one(query, read="duckdb")
    spoken = any(name.name.lower() in secret for name in tree.find_all(exp.Identifier))
    renamed = any(alias.columns for alias in tree.find_all(exp.TableAlias))
    names = {column.name.lower() for column in schema}
    return frozenset(names if spoken or renamed else names & secret)


def counts_only(query: str) -> bool:
    """Return whether a SELECT tells nothing but counts, and sums and means of whole tables.

    Example:
        >>> counts_only("select count(*) from people where mail is null")
        True
        >>> counts_only("select max(mail) from people")
        False
        >>> counts_only("select sum(pay) from people"), counts_only("select sum(pay) from a, b")
        (True, False)
    """
    import sqlglot.expressions as exp
    from sqlglot import parse_one

    from segue.spec.aggregate_expression import check_aggregate, shows_values, sums_values

    tree = parse_one(query, read="duckdb")
    if not isinstance(tree, exp.Select) or tree.args.get("group"):
        return False
    parts = (exp.Where, exp.Having, exp.Qualify, exp.Limit, exp.Join, exp.TableSample)
    narrow = tree.find(*parts, exp.Subquery, exp.CTE) is not None
    try:
        for told in tree.expressions:
            text = told.unalias().sql("duckdb")
            check_aggregate(text)
            if shows_values(text) or (narrow and sums_values(text)):
                return False
    except ValueError:
        return False
    return True


def _write_cell(column: Column, hidden: Collection[str]) -> str:
    if column.name.lower() in hidden:
        return f"'{MASK}'"
    name = quote_identifier(column.name)
    plain = column.type.is_integer or column.type.is_float or column.type.kind == "bool"
    return name if plain else f"left({name}::varchar, {_LENGTH})"
