"""SELECTs over what is bound and what is in the database: DuckDB says what they mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from segue.engines.postgres.catalog import Bound, bind_table, find_table
from segue.engines.postgres.types import sql_type
from segue.errors import SqlError, UnsupportedError
from segue.frames.arrow_types import to_arrow
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from segue.engines.postgres.driver import Link
    from segue.protocols import LocalSession
    from segue.spec.types import TableSchema

_WHOLE = re.compile(r'select \* from "((?:[^"]|"")+)"(?: limit (\d+))?')
"""A query for rows of what one name stands for, as segue itself writes it."""


class Query:
    """What the queries of one session see."""

    def __init__(self, link: Link, local: LocalSession) -> None:
        self._link = link
        self._local = local
        self._bound: dict[str, Bound] = {}
        self._refused: dict[str, SqlError] = {}

    def add(self, name: str, bound: Bound) -> None:
        """Let queries see data."""
        self.remove(name)
        self._bound[name] = bound
        try:
            self._local.bind(name, to_arrow(bound.schema).empty_table())
        except SqlError as error:
            # what SQL can't name can still be counted and fetched whole
            self._refused[name] = error

    def remove(self, name: str) -> None:
        """Forget data."""
        if self._bound.pop(name, None) is not None and self._refused.pop(name, None) is None:
            self._local.unbind(name)

    def describe(self, query: str) -> TableSchema:
        """Return the columns of a SELECT; PostgreSQL does nothing for it but look up tables.

        Raises:
            SqlError: It does not parse or bind, or reads a table whose names differ only by case.
        """
        whole = self._find_whole(query)
        return whole.schema if whole is not None else self._describe(self._find_tables(query))

    def _describe(self, query: str) -> TableSchema:
        from segue.engines.dialects.prepare import find_tables, fold

        try:
            return self._local.describe(query)
        except SqlError:
            read = set(map(fold, find_tables(query)))
            for name, error in self._refused.items():
                if fold(name) in read:
                    raise error from None
            raise

    def resolve(self, query: str) -> Bound:
        """Return a SELECT as PostgreSQL's, with what it gives.

        Raises:
            SqlError: It does not parse or bind.
            UnsupportedError: PostgreSQL can't mean it as DuckDB does.
        """
        whole = self._find_whole(query)
        if whole is not None:
            return whole
        query = self._find_tables(query)
        schema = self._describe(query)
        from segue.engines.postgres.sql import translate_query

        sound = [name for name in self._bound if name not in self._refused]
        schemas = {name: self._local.describe(_select_all(name)) for name in sound}
        made = translate_query(query, schemas)
        views = {view: self._view(name, schemas[name]) for view, name in made.tables.items()}
        text = made.text.format(**views) if views else made.text
        return Bound(_cast(text, schema), schema)

    def _find_whole(self, query: str) -> Bound | None:
        """Return what a query for rows of one name stands for, in its own names and types."""
        found = _WHOLE.fullmatch(query)
        bound = None if found is None else self._bound.get(found[1].replace('""', '"'))
        if found is None or bound is None or found[2] is None:
            return bound
        return Bound(f"select * from ({bound.query}) as rows limit {found[2]}", bound.schema)

    def _find_tables(self, query: str) -> str:
        """Bind the database's own tables that a query reads, and return it with their names."""
        from segue.engines.dialects.prepare import name_tables

        def find(name: str) -> str | None:
            if name in self._bound or any(name.lower() == each.lower() for each in self._bound):
                return name
            if find_table(self._link, name) is None:
                return None
            self.add(name, bind_table(self._link, name))
            return name

        return name_tables(query, find)

    def _view(self, name: str, seen: TableSchema) -> str:
        """Return the rows that queries see: names as they are normalised, types as SQL has them."""
        from segue.engines.dialects.prepare import fold

        bound = self._bound[name]
        parts = []
        for column, shown in zip(bound.schema, seen, strict=True):
            quoted = quote_identifier(column.name)
            same = column.type == shown.type or column.type.kind == "categorical"
            read = quoted if same else f"{quoted}::{sql_type(shown.type)}"
            parts.append(f"{read} as {quote_identifier(fold(column.name))}")
        return f"(select {', '.join(parts)} from ({bound.query}) as rows)"


def _select_all(name: str) -> str:
    return f"select * from {quote_identifier(name)}"


def _cast(text: str, schema: TableSchema) -> str:
    """Return a SELECT whose columns have exactly the types that they are to have."""
    if len({name.encode()[:63] for name in schema.names}) < len(schema):
        raise UnsupportedError(
            "PostgreSQL can't tell the columns apart: names have at most 63 bytes",
            hint="give them shorter names: … as name",
        )
    names = [f"c{place}" for place in range(len(schema))]
    pairs = zip(names, schema, strict=True)
    listed = ", ".join(
        f"{name}::{sql_type(each.type)} as {quote_identifier(each.name)}" for name, each in pairs
    )
    return f"select {listed} from ({text}) as result({', '.join(names)})"
