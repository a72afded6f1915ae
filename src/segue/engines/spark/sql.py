"""SELECTs in DuckDB's dialect as Spark's, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema

from segue.engines.spark.sql_nodes import convert
from segue.engines.spark.sql_types import METADATA, refuse, write_duckdb
from segue.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.types import TableSchema


@dataclass(frozen=True, slots=True)
class Translated:
    """A SELECT for Spark.

    Attributes:
        text: The SELECT, with ``{segue_view0}``, ``{segue_view1}``, ... for tables.
        tables: Name of the table for each view.
    """

    text: str
    tables: Mapping[str, str]


def find_tables(query: str) -> set[str]:
    """Return the names of the tables that a query reads, as far as sqlglot can tell."""
    try:
        tree = sqlglot.parse_one(query, read="duckdb")
    except SqlglotError:
        return set()
    return {table.name for table in tree.find_all(exp.Table)}


def fold(name: str) -> str:
    """Return a name as queries are normalised to, for SQL's names don't tell cases apart."""
    return name.lower()


def translate_query(query: str, schemas: Mapping[str, TableSchema]) -> Translated:
    """Return a SELECT as Spark's.

    Args:
        query: A SELECT that DuckDB has bound.
        schemas: Columns of its tables, in the types that SQL sees.

    Raises:
        UnsupportedError: It can't be carried over so that it means the same.
    """
    known = {fold(name): name for name in schemas}
    columns: dict[str, object] = {
        fold(name): {fold(each.name): write_duckdb(each.type) for each in schema}
        for name, schema in schemas.items()
    }
    try:
        tree = sqlglot.parse_one(query, read="duckdb")
        schema = MappingSchema(columns, dialect="duckdb", normalize=False)
        tree = qualify(tree, schema=schema, dialect="duckdb")
        tree = annotate_types(tree, schema=schema, expression_metadata=METADATA, dialect="duckdb")
        tables = _name_views(tree, known)
        made = convert(tree)
        text = made.sql("spark")
    except UnsupportedError:
        raise
    except (SqlglotError, RecursionError) as error:
        first = str(error).partition("\n")[0]
        raise refuse(f"the query ({first})") from None
    if not tables:
        return Translated(text, tables)
    text = text.replace("{", "{{").replace("}", "}}")
    for view in tables:
        text = text.replace(f"`{view}`", f"{{{view}}}")
    return Translated(text, tables)


def _name_views(tree: exp.Expr, known: Mapping[str, str]) -> dict[str, str]:
    """Let tables be called by names that no query has; return what they stand for."""
    views: dict[str, str] = {}
    for scope in traverse_scope(tree):
        for source in scope.sources.values():
            if not isinstance(source, exp.Table):
                continue
            name = known.get(fold(source.name))
            if name is None or not isinstance(source.this, exp.Identifier):
                raise refuse(f"the table {source.sql('duckdb')}")
            view = next((v for v, n in views.items() if n == name), f"segue_view{len(views)}")
            views[view] = name
            source.set("this", exp.to_identifier(view, quoted=True))
    return views
