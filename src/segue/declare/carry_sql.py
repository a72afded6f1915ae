"""Which columns of a SELECT carry values of sensitive columns of the tables that it reads.

The columns of the tables need not be known: only sensitive ones are followed, by name. Where
they can't be told apart, all columns of the result carry them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from segue.declare.carry_values import Scope, find_values, select_columns
from segue.spec.sensitive import EVERY, UNNAMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from segue.declare.carry_values import Found

_MOST_ROUNDS = 20
"""Times that a recursive query is gone through: each time its columns carry more, or it ends."""


def carry_through(sql: str, tables: Mapping[str, Found]) -> Found:
    """Return by column of a SELECT the sensitive columns whose values it may hold.

    Args:
        sql: The SELECT.
        tables: The same of each table that it reads.

    Example:
        >>> carry_through("select id, upper(mail) m from t", {"t": {"mail": frozenset({"t.mail"})}})
        {'m': frozenset({'t.mail'})}
    """
    known = {name.lower(): found for name, found in tables.items()}
    try:
        return _Reader(known).read(parse_one(sql, read="duckdb"), {}, Scope()).found
    except (SqlglotError, RecursionError):
        return _blur(known.values())


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows of a query or a table.

    Attributes:
        found: What each sensitive column carries, by name in lower case.
        order: Names of all columns, where they are known: None for one without a name.
    """

    found: Found = field(default_factory=dict)
    order: tuple[str | None, ...] | None = None

    def rename(self, names: list[str]) -> Relation:
        """Return it with a list of names for its first columns: ``as t(a, b)``."""
        if not names or not self.found:
            return self
        if self.order is None or None in self.order or EVERY in self.found:
            every = frozenset[str]().union(*self.found.values())
            return Relation({**self.found, **dict.fromkeys(names, every)})
        order = (*names, *self.order[len(names) :])
        pairs = zip(order, self.order, strict=False)
        kept = {n: self.found[old] for n, old in pairs if n and old and old in self.found}
        return Relation(kept, order)


_CTES = dict[str, Relation]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Goes through a query from its tables outwards."""

    tables: Mapping[str, Found]

    def read(self, node: exp.Expr | None, ctes: _CTES, outer: Scope) -> Relation:
        """Return what a query, or a table of its FROM clause, carries."""
        if node is None:
            return Relation()
        ctes = self._read_with(node, ctes, outer)
        if isinstance(node, exp.SetOperation):
            return self._read_set(node, ctes, outer)
        if isinstance(node, exp.Select):
            return self._read_select(node, ctes, outer)
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            name = node.this.name.lower()
            found = ctes.get(name) or Relation(self.tables.get(name, {}))
        elif isinstance(node, exp.Subquery) or _is_lateral_query(node):
            found = self.read(node.this, ctes, outer)
        else:
            found = self._read_other(node, ctes, outer)
        if node.args.get("pivots"):
            found = Relation(_blur([found.found]))
        return found.rename(_list_names(node))

    def _read_with(self, node: exp.Expr, ctes: _CTES, outer: Scope) -> _CTES:
        """Return the common table expressions that a query may speak of."""
        with_ = node.args.get("with_")
        if with_ is None:
            return ctes
        ctes = dict(ctes)
        for cte in with_.expressions:
            name, found = cte.alias.lower(), Relation()
            if not with_.args.get("recursive"):
                ctes[name] = self.read(cte.this, ctes, outer).rename(_list_names(cte))
                continue
            for _ in range(_MOST_ROUNDS):
                again = self.read(cte.this, ctes | {name: found}, outer).rename(_list_names(cte))
                if again == found:
                    break
                found = again
            ctes[name] = found
        return ctes

    def _read_set(self, node: exp.SetOperation, ctes: _CTES, outer: Scope) -> Relation:
        left, right = (self.read(part, ctes, outer) for part in (node.this, node.expression))
        if isinstance(node, exp.Except):
            return left
        more: Found = {}
        if node.args.get("by_name"):
            return Relation(_unite(left.found, right.found))
        if left.order is None:  # a star: most likely of the same names, if these are sensitive
            fits = right.found.keys() <= left.found.keys()
            return Relation(_unite(left.found, right.found if fits else _blur([right.found])))
        if right.order is not None:
            for ours, theirs in zip(left.order, right.order, strict=False):
                carried = right.found.get(theirs or UNNAMED, frozenset())
                more = _unite(more, {ours or UNNAMED: carried} if carried else {})
        elif right.found.keys() <= {*left.order}:
            more = right.found
        else:
            more = _blur([right.found])
        return Relation(_unite(left.found, more), left.order)

    def _read_select(self, node: exp.Select, ctes: _CTES, outer: Scope) -> Relation:
        from_ = node.args.get("from_")
        scope = self._open(from_.this if from_ is not None else None, node, ctes, outer)
        found, order = select_columns(node.expressions, scope)
        return Relation(found, order)

    def _open(self, first: exp.Expr | None, node: exp.Expr, ctes: _CTES, outer: Scope) -> Scope:
        """Return the tables of a FROM clause, each of which may speak of those before it."""
        scope = Scope(outer=outer)
        scope.look_up = lambda query, inner: _all(self.read(query, ctes, inner).found)
        if first is not None:
            self._add(scope, first, ctes)
        self._add_joined(scope, node, ctes)
        return scope

    def _add(self, scope: Scope, node: exp.Expr, ctes: _CTES) -> None:
        """Add a table of a FROM clause; brackets around joins hide no names."""
        inner = node.this
        if isinstance(node, exp.Subquery) and not node.alias and inner.args.get("joins"):
            self._add(scope, inner, ctes)
        else:
            scope.add(_alias(node), self.read(node, ctes, scope).found)
            if isinstance(node, exp.Table | exp.Subquery):
                self._add_joined(scope, node, ctes)

    def _add_joined(self, scope: Scope, node: exp.Expr, ctes: _CTES) -> None:
        for join in (*(node.args.get("joins") or ()), *(node.args.get("laterals") or ())):
            if str(join.args.get("kind") or "").upper() not in ("SEMI", "ANTI"):
                self._add(scope, join.this if isinstance(join, exp.Join) else join, ctes)

    def _read_other(self, node: exp.Expr, ctes: _CTES, outer: Scope) -> Relation:
        """Return what a table function carries, or what there is no other word for."""
        parts = (_all(self.read(each, ctes, outer).found) for each in node.find_all(exp.Table))
        inner = frozenset[str]().union(*parts) if not isinstance(node, exp.Table) else frozenset()
        carried = inner | find_values(node, outer)
        if not carried:
            return Relation()
        names = _list_names(node) or ([_alias(node), "unnest"] if _is_unnest(node) else [EVERY])
        return Relation(dict.fromkeys(names, carried))


def _is_unnest(node: exp.Expr) -> bool:
    return isinstance(node, exp.Unnest | exp.Lateral) or isinstance(node.this, exp.Explode)


def _is_lateral_query(node: exp.Expr) -> bool:
    return isinstance(node, exp.Lateral) and isinstance(node.this, exp.Query)


def _alias(node: exp.Expr) -> str:
    return str(node.alias_or_name).lower()


def _list_names(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    return [str(each.name).lower() for each in columns or ()]


def _unite(one: Found, other: Found) -> Found:
    return {n: one.get(n, frozenset()) | other.get(n, frozenset()) for n in {**one, **other}}


def _all(found: Found) -> frozenset[str]:
    return frozenset[str]().union(*found.values())


def _blur(found: Iterable[Found]) -> Found:
    carried = frozenset[str]().union(*map(_all, found))
    return {EVERY: carried} if carried else {}
