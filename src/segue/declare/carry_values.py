"""Which sensitive values the expressions of a SELECT hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlglot import exp

from segue.spec.sensitive import EVERY, UNNAMED, is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Found = Mapping[str, frozenset[str]]
"""What sensitive columns carry, by name in lower case."""

_TELLING_NO_VALUES = (exp.Count, exp.CountIf, exp.ApproxDistinct, exp.Exists, exp.DataType)
_NONE: frozenset[str] = frozenset()


@dataclass
class Scope:
    """The tables that expressions speak of.

    Attributes:
        outer: Those of the query around, which a query inside may speak of as well.
        tables: What each carries, by its name in the query.
        aliases: What columns of the same SELECT carry that stand before.
        look_up: Returns what a query inside of an expression carries.
    """

    outer: Scope | None = None
    tables: list[tuple[str, Found]] = field(default_factory=list)
    aliases: dict[str, frozenset[str]] = field(default_factory=dict)
    look_up: Callable[[exp.Expr, Scope], frozenset[str]] = lambda _query, _scope: _NONE

    def add(self, name: str, found: Found) -> None:
        """Add a table."""
        self.tables.append((name, found))

    def all(self, table: str = "") -> dict[str, frozenset[str]]:
        """Return what the columns of a table carry, or of all of them."""
        told: dict[str, frozenset[str]] = {}
        for name, found in self.tables:
            if table in ("", name):
                for column, carried in found.items():
                    told[column] = told.get(column, _NONE) | carried
        return told

    def knows(self, table: str) -> bool:
        """Return whether there is a table of this name."""
        return any(name == table for name, _ in self.tables)

    def find(self, column: exp.Column) -> frozenset[str]:
        """Return what a column carries: ``a``, ``t.a``, or ``a.part`` of a struct."""
        names = [str(part.name).lower() for part in column.parts]
        carried = self._find_column(names[0])
        for table, name in pairwise(names):
            if self.knows(table):
                carried |= _look_for(name, self.all(table))
        if len(names) == 1 and self.knows(names[0]):  # a whole row
            carried |= frozenset[str]().union(*self.all(names[0]).values())
        return carried | self.outer.find(column) if self.outer is not None else carried

    def _find_column(self, name: str) -> frozenset[str]:
        carried = self.aliases.get(name, _NONE)
        if not self.knows(name):
            found = (_look_for(name, each) for _, each in self.tables)
            return carried.union(*found)
        return carried | self.all().get(name, _NONE)


def _look_for(name: str, found: Found) -> frozenset[str]:
    """Return what a column of a table carries; what is said of it by name goes before."""
    if name in found:
        return found[name]
    return found.get(EVERY, _NONE) | (_NONE if is_plain(name) else found.get(UNNAMED, _NONE))


def find_values(node: exp.Expr, scope: Scope) -> frozenset[str]:
    """Return the sensitive columns whose values an expression may give.

    A count tells no value, nor does whether there is one; what only orders, parts or filters
    the rows of an aggregate does not count.
    """
    carried, waiting = _NONE, [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, exp.Query):
            carried |= scope.look_up(each, scope)
        elif isinstance(each, exp.Column) and not isinstance(each.this, exp.Star):
            carried |= scope.find(each)
        elif isinstance(each, exp.Identifier):  # mail.upper()
            carried |= scope.find(exp.Column(this=each.copy()))
        elif isinstance(each, exp.Columns) and not each.find(exp.Star):
            carried |= frozenset[str]().union(*scope.all().values())
        elif isinstance(each, exp.Star | exp.PositionalColumn | exp.Column):
            table = each.table.lower() if isinstance(each, exp.Column) else ""
            carried |= frozenset[str]().union(*_expand(each, table, scope).values())
        else:
            waiting += _list_parts(each)
    return carried


def _list_parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """Go through the parts of an expression whose values it may give."""
    if isinstance(node, _TELLING_NO_VALUES):
        return
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return
    if isinstance(node, exp.WithinGroup):  # quantile_cont(0.5) within group (order by pay)
        yield from (ordered.this for ordered in node.expression.expressions)
    elif isinstance(node, exp.Window | exp.Filter | exp.Order):
        yield node.this
    else:
        yield from node.iter_expressions()


def select_columns(
    expressions: Sequence[exp.Expr], scope: Scope
) -> tuple[dict[str, frozenset[str]], tuple[str | None, ...] | None]:
    """Return what the columns of a SELECT carry, and their names, if none is a star."""
    found: dict[str, frozenset[str]] = {}
    order: list[str | None] | None = []
    for each in expressions:
        told, name, spread = _select_one(each, scope)
        if spread:
            order = None
        elif order is not None:
            order.append(name)
        for column, carried in told.items():
            found[column] = found.get(column, _NONE) | carried
    if not any(found.values()):
        found = {}
    elif found.keys().isdisjoint((EVERY, UNNAMED)):
        found = {column: carried for column, carried in found.items() if carried}
    return found, None if order is None else tuple(order)


def _select_one(each: exp.Expr, scope: Scope) -> tuple[dict[str, frozenset[str]], str | None, bool]:
    """Return what one expression of a SELECT carries, its name, and whether it is many columns."""
    inner = each.unalias()
    while isinstance(inner, exp.Paren):
        inner = inner.this
    alias = str(each.alias).lower() if isinstance(each, exp.Alias) else ""
    table = inner.table.lower() if isinstance(inner, exp.Column) else ""
    star = inner.this if isinstance(inner, exp.Column) else inner
    if isinstance(star, exp.Star):
        return _expand(inner, table, scope), None, True
    carried = find_values(inner, scope)
    if alias:
        scope.aliases[alias] = scope.aliases.get(alias, _NONE) | carried
    if _is_many(inner):
        names = {} if alias else _expand_inside(inner, scope)
        return (names | {EVERY: carried} if alias else names | {UNNAMED: carried}), None, True
    if isinstance(inner, exp.Explode | exp.Unnest) and not alias:
        return {EVERY: carried}, None, True  # the fields of a struct, whatever their names
    if isinstance(inner, exp.PositionalColumn) and not alias:
        return _expand(inner, "", scope), None, True
    name = alias or (str(inner.name).lower() if isinstance(inner, exp.Column) else "")
    told = {name or UNNAMED: carried}
    if isinstance(inner, exp.Dot) and not alias:  # a.b.c.d.e, or (a).b
        told[str(inner.name).lower()] = carried
    return told, name or None, False


def _is_many(node: exp.Expr) -> bool:
    """Return whether an expression stands for several columns: ``columns(*)``, ``* like 'a%'``."""
    parts = list(node.walk(prune=lambda part: isinstance(part, exp.Query)))
    if any(isinstance(part, exp.Columns) for part in parts):
        return True
    stars = (part for part in parts if isinstance(part, exp.Star))
    return any(isinstance(star.parent, exp.Like | exp.ILike | exp.SimilarTo) for star in stars)


def _expand_inside(node: exp.Expr, scope: Scope) -> dict[str, frozenset[str]]:
    """Return the columns that stand for themselves in an expression of several, unless counted."""
    stars = list(node.find_all(exp.Star))
    if not find_values(node, scope):
        return {}
    parts = [_expand(star, "", scope) for star in stars] or [scope.all()]
    return {name: carried for part in parts for name, carried in part.items()}


def _expand(node: exp.Expr, table: str, scope: Scope) -> dict[str, frozenset[str]]:
    """Return what the columns of a star carry, as it leaves some out and renames others."""
    star = node.this if isinstance(node, exp.Column) else node
    found = scope.all(table)
    if table and not scope.knows(table):  # the fields of a struct
        carried = scope.find(exp.column(table))
        return {EVERY: carried} if carried else {}
    for left_out in star.args.get("except_") or ():
        name, owner = str(left_out.name).lower(), str(left_out.table).lower()
        others = [f for n, f in scope.tables if owner and table in ("", n) and n != owner]
        kept = frozenset[str]().union(*(other.get(name, _NONE) for other in others))
        found[name] = kept
    for renamed in star.args.get("rename") or ():
        carried = found.pop(str(renamed.this.name).lower(), _NONE)
        found[str(renamed.alias).lower()] = carried
    for replaced in star.args.get("replace") or ():
        found[str(replaced.alias).lower()] = find_values(replaced.this, scope)
    return found
