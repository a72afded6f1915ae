"""Types of expressions, as DuckDB itself tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from segue.engines.dialects.families import write_duckdb
from segue.engines.dialects.prepare import fold
from segue.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols import LocalSession
    from segue.spec.types import DataType, TableSchema


@dataclass(frozen=True, slots=True)
class Told:
    """A type that DuckDB has told.

    Attributes:
        name: Its name in DuckDB: also of types that segue carries as others, such as JSON.
        type: The logical type of its values.
    """

    name: str
    type: DataType


class Truth:
    """What is known of the types in one query.

    sqlglot guesses types; values that leave Spark need the true ones.
    """

    def __init__(
        self, tree: exp.Expr, tables: Mapping[str, TableSchema], local: LocalSession
    ) -> None:
        """Look at who sees which tables.

        Args:
            tree: The prepared query, of which nothing has been converted.
            tables: Columns of its tables, by the names that they have in it.
            local: DuckDB.
        """
        self._tables = tables
        self._local = local
        self._told: dict[str, Told | None] = {}
        self._scopes: dict[int, Scope] = {}
        self._queries: dict[int, Scope] = {}
        self._columns: dict[int, Told | None] = {}
        self._tree = tree  # ids are of its nodes
        for scope in traverse_scope(tree):
            self._queries[id(scope.expression)] = scope
            for column in scope.columns:
                self._scopes.setdefault(id(column), scope)

    def is_own(self, column: exp.Expr) -> bool:
        """Return whether a column is of the SELECT that it stands in, and not of one around."""
        scope, table = self._find_scope(column), column.text("table")
        if scope is None or scope.is_udtf or not table:
            return scope is not None
        return table in scope.selected_sources or table in scope.semi_or_anti_join_tables

    def is_stored(self, column: exp.Expr) -> bool:
        """Return whether a column is a table's, so that its type is known to the letter."""
        scope = self._find_scope(column)
        found = None if scope is None else scope.sources.get(column.text("table"))
        return isinstance(found, exp.Table)

    def _find_scope(self, column: exp.Expr) -> Scope | None:
        """Return who sees a column; one without a table is a column of the result."""
        found = self._scopes.get(id(column))
        if found is not None or column.text("table"):
            return found
        around = column.find_ancestor(exp.Query)
        return None if around is None else self._queries.get(id(around))

    def find_column(self, column: exp.Expr) -> Told | None:
        """Return the type of a column; None if it can't be told."""
        if id(column) not in self._columns:
            self._columns[id(column)] = None  # a query that reads itself has no end
            scope = self._find_scope(column)
            table = column.text("table")
            found = scope if scope is None or not table else scope.sources.get(table)
            self._columns[id(column)] = self._find_in(found, column.name)
        return self._columns[id(column)]

    def _find_in(self, source: exp.Expr | Scope | None, name: str) -> Told | None:
        if isinstance(source, exp.Table):
            schema = self._tables.get(source.name)
            named = [each for each in schema or () if fold(each.name) == name]
            return self.ask(f"null::{write_duckdb(named[0].type)}") if named else None
        if source is None or not isinstance(source, Scope):
            return None
        if isinstance(source.expression, exp.Unnest):
            parts = source.expression.expressions
            inner = self.find(parts[0]) if len(parts) == 1 else None
            return None if inner is None else self.ask(f"unnest(null::{inner.name})")
        if source.set_operation_scopes:
            query: Any = source.expression
            names = [each.lower() for each in query.named_selects]
            at = names.index(name.lower()) if name.lower() in names else None
            sides = [self._find_at(each, at) for each in source.set_operation_scopes]
            return sides[0] if sides[0] == sides[1] else None
        selects: list[Any] = getattr(source.expression, "selects", [])
        made = [each for each in selects if each.alias_or_name == name]
        return self.find(made[0].unalias()) if len(made) == 1 else None

    def _find_at(self, source: Scope, at: int | None) -> Told | None:
        if at is None or source.set_operation_scopes:
            return None
        query: Any = source.expression
        return self.find(query.selects[at].unalias())

    def find(self, node: exp.Expr) -> Told | None:
        """Return the type of an expression of the query; None if it can't be told."""
        if isinstance(node, exp.Column):
            return self.find_column(node)
        if isinstance(node, exp.Subquery):
            selects: list[Any] = getattr(node.this, "selects", [])
            return self.find(selects[0].unalias()) if len(selects) == 1 else None
        if node.find(exp.Subquery, exp.Select):
            return None
        made = node.copy()
        pairs = list(zip(made.walk(), node.walk(), strict=True))
        for mine, original in pairs:
            if isinstance(original, exp.Column):
                told = self.find_column(original)
                if told is None:
                    return None
                null = sqlglot.parse_one(f"(null::{told.name})", read="duckdb")
                if mine is made:
                    made = null
                else:
                    mine.replace(null)
        return self.ask(write_plainly(made))

    def ask(self, text: str, rows: str = "") -> Told | None:
        """Return the type of an expression; None if DuckDB or segue has none for it.

        Args:
            text: The expression.
            rows: What follows it in a SELECT.
        """
        key = text + rows
        if key not in self._told:
            query = f"select {text} as x {rows}"
            try:
                (column,) = self._local.describe(query)
                table = self._local.fetch(f"select column_type from (describe {query})")
            except SqlError:
                self._told[key] = None
            else:
                self._told[key] = Told(table["column_type"][0].as_py(), column.type)
        return self._told[key]


def write_plainly(node: exp.Expr) -> str:
    """Return an expression's text; types that were guessed don't change what is written."""
    made = node.copy()
    for each in made.walk():
        each.type = None
    return made.sql("duckdb")
