"""The walk over a query that carries each of its parts over: what is not listed is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import show
from segue.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from segue.engines.dialects.delegate import Delegation

    Delegate = Callable[[Delegation, exp.Expr, "Rule"], exp.Expr | None]
    Rule = Callable[[exp.Expr], exp.Expr]
    Wrap = Callable[[exp.Expr], exp.Expr]

_ARGUMENTS: dict[type[exp.Expr], frozenset[str]] = {
    kind: frozenset(names.split())
    for kind, names in {
        exp.Select: "with_ with kind expressions limit distinct joins from_ from where group having"
        " qualify windows order offset operation_modifiers",
        exp.Join: "this on side kind",
        exp.Group: "expressions all grouping_sets cube rollup",
        exp.Table: "this alias joins",
        exp.CTE: "this alias",
        exp.With: "expressions",
        exp.Union: "with_ with this expression distinct order limit offset",
        exp.Except: "with_ with this expression distinct order limit offset",
        exp.Intersect: "with_ with this expression distinct order limit offset",
        exp.Subquery: "this alias with_ with",
        exp.Distinct: "expressions on",
        exp.Limit: "expression",
        exp.Count: "this big_int",
        exp.Max: "this",
        exp.Min: "this",
        exp.AnyValue: "this",
        exp.FirstValue: "this",
        exp.LastValue: "this",
        exp.Star: "",
        exp.ArrayAgg: "this",
        exp.GroupConcat: "this separator",
        exp.Bracket: "this expressions",
        exp.Round: "this decimals",
        exp.Trim: "this expression position",
        exp.StrPosition: "this substr",
        exp.Like: "this expression negate",
        exp.ILike: "this expression negate",
        exp.Length: "this",
        exp.TimestampTrunc: "this unit",
        exp.In: "this expressions query",
    }.items()
}
"""Arguments of nodes that mean on Spark what they mean in DuckDB; those of others all do."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """How an engine is given the parts of a query.

    Attributes:
        rules: What becomes of each kind of node whose parts have been converted.
        aggregates: Aggregates and window functions.
        convert_aggregate: Converts one of them, given what puts FILTER and OVER around it.
        refuse_frame: Refuses window frames that count otherwise.
        refuse: Makes the error that tells what can't be carried over.
        placed: Window functions that look at rows by their place: the order must be stated, for
            only DuckDB has one of its own, that in which rows are stored.
        skips: Window functions that can be told to ignore nulls.
        delegation: What is known of expressions that may be delegated; None delegates none.
        delegate: Returns the call of a function that computes an expression, or None.
    """

    rules: Mapping[type[exp.Expr], Rule]
    aggregates: tuple[type[exp.Expr], ...]
    convert_aggregate: Callable[[exp.Expr, Wrap], exp.Expr]
    refuse_frame: Callable[[exp.Expr | None], None]
    refuse: Callable[..., UnsupportedError]
    placed: tuple[type[exp.Expr], ...] = ()
    skips: tuple[type[exp.Expr], ...] = ()
    delegation: Delegation | None = None
    delegate: Delegate | None = None

    def convert(self, node: exp.Expr) -> exp.Expr:
        """Return a node with all its parts as the engine's SQL.

        Raises:
            UnsupportedError: A part of it can't be carried over; the message shows it.
        """
        try:
            return self._convert_own(node)
        except UnsupportedError:
            made = self._delegate(node)
            if made is None:
                raise
            return made

    def _delegate(self, node: exp.Expr) -> exp.Expr | None:
        """Return what computes an expression that has no rule; None if nothing does."""
        if self.delegation is None or self.delegate is None:
            return None
        try:
            return self.delegate(self.delegation, node, self.convert)
        except UnsupportedError:
            return None  # the refusal of the part itself says more

    def _convert_own(self, node: exp.Expr) -> exp.Expr:
        """Return a node by its own rule."""
        if self.delegation is not None and isinstance(node, exp.Column):
            self.delegation.type_column(node)
        if isinstance(node, (exp.Window, exp.Filter, exp.IgnoreNulls, *self.aggregates)):
            return self._convert_unit(node)
        rule = self.rules.get(type(node))
        if rule is None:
            raise self.refuse(show(node))
        self._refuse_arguments(node)
        self._convert_parts(node)
        made = rule(node)
        if made.type is None:
            made.type = node.type
        return made

    def _refuse_arguments(self, node: exp.Expr) -> None:
        known = _ARGUMENTS.get(type(node))
        if known is None:
            return
        for name, value in node.args.items():
            if value and name not in known:
                raise self.refuse(f"{name.strip('_').replace('_', ' ')} in {show(node)}")

    def _convert_parts(self, node: exp.Expr, skip: exp.Expr | None = None) -> None:
        for part in list(node.iter_expressions()):
            if part is skip:
                continue
            made = self.convert(part)
            if made is not part:
                type_ = made.type
                part.replace(made)
                made.type = type_

    def _convert_unit(self, node: exp.Expr) -> exp.Expr:
        """Return an aggregate with its FILTER and OVER, which may become several of them."""
        around: list[exp.Expr] = []
        core = node
        while isinstance(core, (exp.Window, exp.Filter, exp.IgnoreNulls)):
            around.append(core)
            core = core.this
        if not isinstance(core, self.aggregates):
            raise self.refuse(show(node))
        for each in around:
            self._convert_parts(each, skip=each.this)
            if isinstance(each, exp.Window):
                self.refuse_frame(each.args.get("spec"))
                if isinstance(core, self.placed) and not each.args.get("order"):
                    raise self.refuse(show(node), "say in which order: over (order by …)")
        self._refuse_arguments(core)
        self._convert_parts(core)
        plain = around
        if not isinstance(core, self.skips):
            plain = [each for each in around if type(each) is not exp.IgnoreNulls]
            if len(plain) < len(around) and type(core) is not exp.AnyValue:
                raise self.refuse(show(node))

        def wrap(inner: exp.Expr) -> exp.Expr:
            made = inner.copy()
            for each in reversed(plain):
                copied = each.copy()
                copied.set("this", made)
                made = copied
            return made

        return self.convert_aggregate(core, wrap)
