"""Which expressions are delegated: left to DuckDB on an engine's workers, as they are written.

An expression that has no rule, and is worth the same wherever it is computed, becomes a call of a
function that runs its text in DuckDB.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.original import Original
from segue.engines.dialects.truth import Told, Truth, write_plainly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segue.protocols import LocalSession
    from segue.spec.types import TableSchema

    Convert = Callable[[exp.Expr], exp.Expr]

_NO_VALUES: tuple[type[exp.Expr], ...] = (
    exp.Distinct,
    exp.Escape,
    exp.Explode,
    exp.Kwarg,
    exp.Literal,
    exp.PropertyEQ,
    exp.Query,
    exp.Slice,
    exp.Star,
    exp.Unnest,
)
"""Nodes of conditions and functions that are no values by themselves."""

_CLOSED = (exp.Comprehension, exp.Lambda, exp.Limit, exp.Offset, exp.Values, exp.WindowSpec)
"""What engines run no function in, or what gives names to values."""

_OUTER = ("LEFT", "RIGHT", "FULL")


@dataclass(frozen=True, slots=True)
class Delegated:
    """An expression that DuckDB computes on an engine's workers.

    Attributes:
        name: A name that tells its content.
        text: The expression as DuckDB runs it, over columns called `segue0`, `segue1`, ...
        shown: The expression as a user knows it.
        names: The same of each of these columns.
        arguments: Types of these columns.
        result: Type of what it gives.
    """

    name: str
    text: str
    shown: str
    names: tuple[str, ...]
    arguments: tuple[Told, ...]
    result: Told


@dataclass(frozen=True, slots=True)
class Argument:
    """What a delegated expression is given.

    Attributes:
        node: The expression, not yet converted.
        told: Its type.
        exact: Whether the engine has it in that type to the letter.
    """

    node: exp.Expr
    told: Told
    exact: bool


class Delegation:
    """What is delegated of one query.

    Attributes:
        made: The expressions, by name.
    """

    def __init__(
        self,
        query: str,
        tree: exp.Expr,
        tables: Mapping[str, TableSchema],
        local: LocalSession,
        units: tuple[type[exp.Expr], ...],
    ) -> None:
        """Look at a query before any of it is converted.

        Args:
            query: As the user wrote it.
            tree: The query prepared.
            tables: Columns of its tables, by the names that they have in the tree.
            local: DuckDB.
            units: Aggregates and window functions of the engine, which can be arguments.
        """
        self.made: dict[str, Delegated] = {}
        self._original = Original(query, local)
        around: tuple[type[exp.Expr], ...] = (exp.Window, exp.Filter, exp.IgnoreNulls)
        self._units = (*around, *units)
        self._kept = tree.copy()
        self._truth = Truth(self._kept, tables, local)
        # nodes are kept, for ids of those that are gone are given again
        self._nodes: dict[int, tuple[exp.Expr, exp.Expr]] = {}
        self._remember(tree, self._kept)

    def _remember(self, tree: exp.Expr, kept: exp.Expr) -> None:
        for node, original in zip(tree.walk(), kept.walk(), strict=True):
            self._nodes[id(node)] = node, original

    def type_column(self, column: exp.Expr) -> None:
        """Give a column of a query inside its true type, where sqlglot's guess is of none."""
        found = self._nodes.get(id(column))
        if found is not None and not self._truth.is_stored(found[1]):
            told = self._truth.find_column(found[1])
            if told is not None:
                column.type = read_type(told)

    def take(self, node: exp.Expr) -> tuple[Delegated, Sequence[Argument]] | None:
        """Return an expression as a delegated one; None if it can't be.

        Args:
            node: A node of the tree, of which parts may have been converted.
        """
        found = self._nodes.get(id(node))
        if found is None:
            return None
        original = found[1]
        if not isinstance(original, (exp.Condition, exp.Tuple)):
            return None
        if isinstance(original, _NO_VALUES + self._units) or not _has_place(original):
            return None
        arguments = self._find_arguments(original)
        if arguments is None:
            return None
        return self._make(original, arguments)

    def copy(self, argument: Argument) -> exp.Expr:
        """Return an argument to be converted, of which parts may be delegated in turn."""
        made = argument.node.copy()
        self._remember(made, argument.node)
        return made

    def _find_arguments(self, node: exp.Expr) -> list[Argument] | None:
        keys = _find_keys(node)
        found: list[Argument] = []
        given: tuple[type[exp.Expr], ...] = (exp.Subquery, *self._units)

        def gather(part: exp.Expr) -> bool:
            if isinstance(part, exp.Subquery) and part.arg_key == "query":
                return False
            plain = isinstance(part, exp.Column)
            if plain or isinstance(part, given) or _is_key(part, node, keys):
                if any(each.node == part for each in found):
                    return True
                told = self._truth.find(part)
                if told is None or (plain and not self._truth.is_own(part)):
                    return False
                exact = plain and self._truth.is_stored(part)
                found.append(Argument(part, told, exact))
                return True
            return all(gather(each) for each in part.iter_expressions())

        return found if gather(node) else None

    def _make(
        self, node: exp.Expr, arguments: list[Argument]
    ) -> tuple[Delegated, Sequence[Argument]] | None:
        names = {f"segue{at}": each for at, each in enumerate(arguments)}
        text = write_plainly(_replace(node, arguments))
        bare = write_plainly(_bare(node))
        rows = ", ".join(f'null::{each.told.name} as "{name}"' for name, each in names.items())
        if not self._original.is_value(text, names) or not self._original.holds(bare):
            return None
        told = self._truth.ask(text, f"from (select {rows})" if rows else "")
        if told is None:
            return None
        types = tuple(each.told for each in arguments)
        shown = tuple(
            each.node.name if isinstance(each.node, exp.Column) else write_plainly(_bare(each.node))
            for each in arguments
        )
        content = repr((text, [each.name for each in types], shown, told.name))
        digest = hashlib.sha256(content.encode()).hexdigest()
        name = f"DUCKDB_{digest[:16].upper()}"  # as sqlglot writes names of functions
        self.made[name] = Delegated(name, text, bare, shown, types, told)
        return self.made[name], arguments


def read_type(told: Told) -> exp.DataType:
    """Return a type as sqlglot has it; unknown where the engine's rules may not know it."""
    try:
        return exp.DataType.build(told.name, dialect="duckdb")
    except Exception:  # noqa: BLE001  # sqlglot raises of many kinds for names that it can't read
        return exp.DataType.build("UNKNOWN")


def _has_place(node: exp.Expr) -> bool:
    """Return whether an engine runs functions where an expression stands."""
    around: exp.Expr | None = node
    while around is not None and not isinstance(around, exp.Query):
        if isinstance(around, _CLOSED):
            return False
        if isinstance(around, exp.Join):
            return around.side not in _OUTER and around.kind != "ANTI"
        around = around.parent
    return True


def _find_keys(node: exp.Expr) -> list[exp.Expr]:
    """Return the keys by which the SELECT around an expression groups."""
    select = node.find_ancestor(exp.Select)
    group = None if select is None else select.args.get("group")
    if group is None or node.find_ancestor(exp.Group, exp.Where):
        return []
    return [each for each in group.expressions if not isinstance(each, (exp.Literal, exp.Column))]


def _is_key(part: exp.Expr, node: exp.Expr, keys: list[exp.Expr]) -> bool:
    return part is not node and part in keys


def _replace(node: exp.Expr, arguments: Sequence[Argument]) -> exp.Expr:
    """Return an expression with columns in the place of its arguments."""
    made = node.copy()

    def swap(part: exp.Expr) -> exp.Expr:
        for at, each in enumerate(arguments):
            if part == each.node:
                return exp.column(f"segue{at}", quoted=True)
        return part

    return made.transform(swap, copy=False)


def _bare(node: exp.Expr) -> exp.Expr:
    """Return an expression whose columns have their names alone."""

    def strip(part: exp.Expr) -> exp.Expr:
        return exp.column(part.this.copy()) if isinstance(part, exp.Column) else part

    return node.copy().transform(strip, copy=False)
