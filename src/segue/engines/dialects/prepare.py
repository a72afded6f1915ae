"""SELECTs in DuckDB's dialect, read so that the type of every part is known."""

from __future__ import annotations

import string
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema

from segue.engines.dialects.families import METADATA, show, write_duckdb
from segue.engines.dialects.using import mend_using, note_using
from segue.errors import UnsupportedError
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from segue.spec.types import TableSchema

    Refuse = Callable[..., UnsupportedError]

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Translated:
    """A SELECT for another engine.

    Attributes:
        text: The SELECT, with ``{segue_view0}``, ``{segue_view1}``, ... for tables.
        tables: Name of the table for each view.
    """

    text: str
    tables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A SELECT whose parts have types, and names that are written out.

    Attributes:
        tree: The SELECT, over tables called ``segue_view0``, ``segue_view1``, ...
        tables: Name of the table for each of them.
    """

    tree: exp.Expr
    tables: Mapping[str, str]

    def write(self, tree: exp.Expr, dialect: str, quote: str) -> Translated:
        """Return the SELECT as a text.

        Args:
            tree: What has become of it.
            dialect: In which to write it.
            quote: The mark around names.
        """
        text = tree.sql(dialect)
        if self.tables:
            text = text.replace("{", "{{").replace("}", "}}")
        for view in self.tables:
            text = text.replace(f"{quote}{view}{quote}", f"{{{view}}}")
        return Translated(text, self.tables)


def find_tables(query: str) -> set[str]:
    """Return the names of the tables that a query reads, as far as sqlglot can tell."""
    try:
        tree = sqlglot.parse_one(query, read="duckdb")
    except SqlglotError:
        return set()
    return {table.name for table in tree.find_all(exp.Table)}


def fold(name: str) -> str:
    """Return a name as queries are normalised to: DuckDB does not tell ASCII's cases apart.

    Example:
        >>> fold("Ä B")
        'Ä b'
    """
    return name.translate(_LOWER)


def name_tables(query: str, find: Callable[[str], str | None]) -> str:
    """Return a query whose tables have the names by which they are bound.

    Args:
        query: A SELECT.
        find: Given a name, with its schema if it has one, returns the one by which it is bound;
            None leaves it as it is.
    """
    try:
        tree = sqlglot.parse_one(query, read="duckdb")
    except SqlglotError:
        return query  # whoever binds it says what is wrong
    own = {each.alias for each in tree.find_all(exp.CTE)}
    changed = False
    for table in tree.find_all(exp.Table):
        name = ".".join(part.name for part in table.parts)
        if not name or (name in own and not table.db):
            continue
        found = find(name)
        if found is not None and table.db:
            alias = table.alias or table.name
            table.replace(exp.to_table(quote_identifier(found), alias=alias))
            changed = True
    return tree.sql("duckdb") if changed else query


@contextmanager
def refusing(refuse: Refuse) -> Iterator[None]:
    """Let what sqlglot can't do be a refusal.

    Raises:
        UnsupportedError: Something can't be carried over.
    """
    try:
        yield
    except UnsupportedError:
        raise
    except (SqlglotError, RecursionError) as error:
        first = str(error).partition("\n")[0]
        raise refuse(f"the query ({first})") from None


def prepare_query(
    query: str,
    schemas: Mapping[str, TableSchema],
    refuse: Refuse,
    parse: Callable[[str], exp.Expr] | None = None,
) -> Prepared:
    """Return a SELECT with types at all its parts.

    Args:
        query: A SELECT that DuckDB has bound.
        schemas: Columns of its tables, in the types that SQL sees.
        refuse: Makes the error that tells what can't be carried over.
        parse: Makes the tree; None leaves it to sqlglot.

    Raises:
        UnsupportedError: It can't be read so.
    """
    known = {fold(name): name for name in schemas}
    columns: dict[str, object] = {
        fold(name): {fold(each.name): write_duckdb(each.type) for each in schema}
        for name, schema in schemas.items()
    }
    if any(token.text == "~" for token in sqlglot.tokenize(query, read="duckdb")):
        raise refuse("the operator ~", "write regexp_full_match(x, '…')")
    tree = parse(query) if parse else sqlglot.parse_one(query, read="duckdb")
    schema = MappingSchema(columns, dialect="duckdb", normalize=False)
    _write_now(tree)
    note_using(tree)
    tree = qualify(tree, schema=schema, dialect="duckdb")
    mend_using(tree)
    for union in reversed(list(tree.find_all(exp.Union))):
        _match_names(union)
    tree = annotate_types(tree, schema=schema, expression_metadata=METADATA, dialect="duckdb")
    tables = _name_views(tree, known, refuse)
    for select in tree.find_all(exp.Select):
        _spell_all(select)
        _spell_windows(select, refuse)
    return Prepared(tree, tables)


def _write_now(tree: exp.Expr) -> None:
    """Write out the time that it is, so that no other clock and zone decides."""
    now = datetime.now(UTC)
    for node in list(tree.find_all(exp.Anonymous, exp.CurrentTimestamp, exp.CurrentDate)):
        if isinstance(node, exp.CurrentDate):
            node.replace(exp.cast(exp.Literal.string(now.date().isoformat()), "date"))
        elif isinstance(node, exp.CurrentTimestamp) or node.name.lower() == "now":
            text = now.isoformat(sep=" ")
            node.replace(exp.cast(exp.Literal.string(text), "timestamptz", dialect="duckdb"))


def _match_names(union: exp.Union) -> None:
    """Write out UNION BY NAME: the columns of both sides in one order, nulls where there is none.

    Example:
        >>> tree = sqlglot.parse_one("select 1 a union by name select 2 b", read="duckdb")
        >>> _match_names(tree)
        >>> tree.sql("duckdb").partition(" UNION ")[0]
        'SELECT "side"."a" AS "a", NULL AS "b" FROM (SELECT 1 AS a) AS "side"'
    """
    if not union.args.get("by_name"):
        return
    sides = {name: union.args[name] for name in ("this", "expression")}
    owned = {name: [each.alias_or_name for each in side.selects] for name, side in sides.items()}
    wanted = {fold(name): name for name in owned["this"]}
    for name in owned["expression"]:
        wanted.setdefault(fold(name), name)
    for at, side in sides.items():
        own = {fold(name): name for name in owned[at]}
        if list(own) != list(wanted):
            columns = [
                exp.alias_(
                    exp.column(own[key], "side", quoted=True) if key in own else exp.null(),
                    name,
                    quoted=True,
                )
                for key, name in wanted.items()
            ]
            rows = exp.Subquery(
                this=side.unnest().copy() if isinstance(side, exp.Subquery) else side.copy(),
                alias=exp.TableAlias(this=exp.to_identifier("side", quoted=True)),
            )
            union.set(at, exp.Select(expressions=columns, from_=exp.From(this=rows)))
    union.set("by_name", None)


def _name_views(tree: exp.Expr, known: Mapping[str, str], refuse: Refuse) -> dict[str, str]:
    """Let tables be called by names that no query has; return what they stand for."""
    views: dict[str, str] = {}
    named: set[int] = set()  # what stands beside a lateral part is a source of that as well
    for scope in traverse_scope(tree):
        for source in scope.sources.values():
            if not isinstance(source, exp.Table) or id(source) in named:
                continue
            named.add(id(source))
            name = known.get(fold(source.name))
            if name is None or not isinstance(source.this, exp.Identifier):
                raise refuse(f"the table {source.sql('duckdb')}")
            view = next((v for v, n in views.items() if n == name), f"segue_view{len(views)}")
            views[view] = name
            source.set("this", exp.to_identifier(view, quoted=True))
    return views


def _spell_all(select: exp.Select) -> None:
    """Write out what GROUP BY ALL and ORDER BY ALL stand for."""
    group, order = select.args.get("group"), select.args.get("order")
    if group is not None and group.args.get("all"):
        plain = [each.unalias() for each in select.selects if not _aggregates(each)]
        keys = [each.copy() for each in plain if not isinstance(each, (exp.Literal, exp.Null))]
        for key, each in zip(keys, plain, strict=False):
            key.type = each.type
        select.set("group", exp.Group(expressions=keys) if keys else None)
    first = order.expressions[0] if order is not None and len(order.expressions) == 1 else None
    if first is not None and isinstance(first.this, exp.Var):
        terms = []
        for at in range(len(select.selects)):
            term = first.copy()
            term.set("this", exp.Literal.number(at + 1))
            terms.append(term)
        select.set("order", exp.Order(expressions=terms))


def _spell_windows(select: exp.Select, refuse: Refuse) -> None:
    """Write out windows where their names stand."""
    named = {each.name: each for each in select.args.get("windows") or ()}
    for window in select.find_all(exp.Window):
        name = window.args.get("alias")
        if name is None:
            continue
        if name.name not in named or window.args.get("partition_by") or window.args.get("order"):
            raise refuse(f"the window {show(window)}")
        for part in ("partition_by", "order", "spec"):
            value = named[name.name].args.get(part)
            if value and not window.args.get(part):
                copied = [v.copy() for v in value] if isinstance(value, list) else value.copy()
                window.set(part, copied)
        window.set("alias", None)
    select.set("windows", None)


def _aggregates(node: exp.Expr) -> bool:
    """Return whether an expression has an aggregate of its own group."""
    for found in node.find_all(exp.AggFunc, exp.Anonymous):
        around = found.parent
        while isinstance(around, (exp.Filter, exp.IgnoreNulls)):
            around = around.parent
        if not isinstance(around, exp.Window) and isinstance(found, exp.AggFunc):
            return True
    return False
