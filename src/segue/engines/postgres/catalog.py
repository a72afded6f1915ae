"""Tables and views of a database: where they are, and what their columns are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.engines.postgres.types import Extent, Found, measure_extents, read_column
from segue.errors import SourceError
from segue.registry import nearest
from segue.spec.sql import quote_identifier, quote_text
from segue.spec.types import Column, TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.engines.postgres.driver import Link

_COLUMNS = """
with recursive plain(at, name, type, modifier) as (
  select a.attnum, a.attname, a.atttypid, a.atttypmod from pg_attribute a
  where a.attrelid = {table}::regclass and a.attnum > 0 and not a.attisdropped
  union all
  select p.at, p.name, t.typbasetype, case when p.modifier < 0 then t.typtypmod else p.modifier end
  from plain p join pg_type t on t.oid = p.type where t.typtype = 'd'
)
select p.name::text, t.typname::text, p.modifier,
  coalesce(case when t.typcategory = 'A' and t.typname like '\\_%' then i.typname end, '')::text
from plain p join pg_type t on t.oid = p.type left join pg_type i on i.oid = t.typelem
where t.typtype <> 'd' order by p.at
"""
_NAMES = """
select n.nspname::text, c.relname::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname not in ('pg_catalog', 'information_schema')
order by 1, 2 limit 1000
"""


@dataclass(frozen=True, slots=True)
class Bound:
    """Rows that have a name.

    Attributes:
        query: The SELECT of the rows, in PostgreSQL's SQL; its columns have the schema's names.
        schema: What they are.
    """

    query: str
    schema: TableSchema


def find_table(link: Link, name: str) -> str | None:
    """Return the table of a name, quoted as PostgreSQL has it; None if there is none.

    Args:
        link: Connection to the database.
        name: As the user wrote it: letter for letter, with its schema or without, or as SQL
            folds it.
    """
    for tried in _spell(name):
        text = f"to_regclass({quote_text(tried)})"
        query = (
            f"select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n "
            f"on n.oid = c.relnamespace where c.oid = {text} and c.relkind in "
            f"('r', 'p', 'v', 'm', 'f')"
        )
        found = link.fetch(query)
        if found:
            return str(found[0][0])
    return None


def _spell(name: str) -> Iterator[str]:
    yield quote_identifier(name)
    schema, dot, table = name.partition(".")
    if dot:
        yield f"{quote_identifier(schema)}.{quote_identifier(table)}"
        yield f"{quote_identifier(schema.lower())}.{quote_identifier(table.lower())}"
    yield quote_identifier(name.lower())


def bind_table(link: Link, name: str) -> Bound:
    """Return the rows of a table.

    Raises:
        SourceError: There is no such table, or it can't be read.
    """
    table = find_table(link, name)
    if table is None:
        known = [f"{schema}.{table}" for schema, table in link.fetch(_NAMES)]
        known += [each.removeprefix("public.") for each in known if each.startswith("public.")]
        shown = link.target.shown
        raise SourceError(
            f"there is no table {name!r} in {shown}", hint=nearest(name, known, noun="table")
        )
    listed = link.fetch(_COLUMNS.format(table=quote_text(table)))
    return read_columns(link, table, [Found(*row) for row in listed])


def read_columns(link: Link, table: str, columns: list[Found]) -> Bound:
    """Return the rows of a table or query with these columns.

    Raises:
        UnsupportedError: A column's numbers have too many digits.
    """
    quoted = {each.name: quote_identifier(each.name) for each in columns}
    open_ = [each for each in columns if each.is_open]
    extents = _measure(link, table, [quoted[each.name] for each in open_]) if open_ else []
    by_name = dict(zip((each.name for each in open_), extents, strict=True))
    read = [read_column(each, quoted[each.name], by_name.get(each.name)) for each in columns]
    listed = ", ".join(
        f"{sql} as {quoted[each.name]}" for (sql, _), each in zip(read, columns, strict=True)
    )
    schema = TableSchema(
        tuple(Column(each.name, type_) for (_, type_), each in zip(read, columns, strict=True))
    )
    return Bound(f"select {listed} from {table}", schema)


def _measure(link: Link, table: str, columns: list[str]) -> list[Extent]:
    (row,) = link.fetch(measure_extents(table, columns))
    parts = [row[at : at + 3] for at in range(0, len(row), 3)]
    return [Extent(int(whole), int(scale), bool(odd)) for odd, whole, scale in parts]
