"""Which columns a SELECT makes its columns from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlglot.lineage import Node

DIALECT = "duckdb"


def trace_columns(
    sql: str, names: Iterable[str], inputs: Mapping[str, tuple[str, ...]]
) -> dict[str, list[tuple[str, str]]]:
    """Return by output column the table and column of each one that it is made from.

    Columns that only filter, join or group rows don't count.

    Args:
        sql: A SELECT.
        names: Its columns, as far as they are known: SQL folds the case of names.
        inputs: Columns of each table that it reads; none where they are not known.

    Returns:
        Only columns that could be traced.

    Example:
        >>> trace_columns("select a + b as c from t where d", ["c"], {"t": ("a", "b", "d")})
        {'c': [('t', 'a'), ('t', 'b')]}
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    schema: dict[str, Any] = {
        table: dict.fromkeys(known, "UNKNOWN") for table, known in inputs.items() if known
    }
    made = {}
    try:
        tree = sqlglot.parse_one(sql, dialect=DIALECT)
        written = [str(name.this) for name in tree.find_all(exp.Identifier)]
        read = [column for known in inputs.values() for column in known]
        # Names fold to lower case on the way: here is how they were written.
        spelled = {name.lower(): name for name in (*written, *read, *names)}
        query = qualify(tree, schema=schema, dialect=DIALECT, validate_qualify_columns=False)
        scope = build_scope(query)
        for name in query.named_selects if isinstance(query, exp.Query) else ():
            root = lineage(name, query, schema, scope=scope, dialect=DIALECT)
            made[spelled.get(name.lower(), name)] = sorted(set(_find_leaves(root, inputs)))
    except (SqlglotError, ValueError, RecursionError):
        return {}
    return {} if "*" in made else made


def _find_leaves(root: Node, inputs: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    from sqlglot import exp

    tables = {table.lower(): table for table in inputs}
    columns = {(table, name.lower()): name for table, known in inputs.items() for name in known}
    for leaf in root.walk():
        if not leaf.downstream and isinstance(leaf.source, exp.Table):
            table = tables.get(leaf.source.name.lower())
            column = leaf.name.partition(".")[2].strip('"')
            if table is not None and column:
                yield table, columns.get((table, column.lower()), column)
