"""SQL expressions over all rows of a table, as contracts hold them: ``sum(a) / count(*)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.spec.row_expression import parse_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlglot.expressions as exp

_FURTHER = frozenset(
    (
        *("arbitrary", "entropy", "favg", "fsum", "kahan_sum", "kurtosis_pop"),
        *("mad", "mean", "product", "sem", "sumkahan"),
    )
)
"""Aggregates that the parser takes for any function."""


def check_aggregate(text: str) -> tuple[str, ...]:
    """Accept one SQL expression of aggregates over the columns of a table.

    Returns:
        The columns that it mentions.

    Raises:
        ValueError: It does not parse, is no aggregate, or looks beyond the table's rows.

    Example:
        >>> check_aggregate("sum(amount) filter (where status = 'paid') / count(*)")
        ('amount', 'status')
        >>> check_aggregate("amount > 0")
        Traceback (most recent call last):
        ValueError: `amount > 0` is no aggregate such as sum(amount): a rule is of single rows
    """
    import sqlglot.expressions as exp

    tree = parse_expression(text)
    if tree.find(exp.Table, exp.Query):
        raise ValueError(f"`{text}` looks into a table; `sql` is the check that does")
    if tree.find(exp.Window):
        raise ValueError(f"`{text}` has a window function: it is one value for each row")
    if tree.find(exp.Placeholder, exp.Parameter):
        raise ValueError(f"`{text}` has a placeholder, which stands for nothing")
    aggregates = list(_find_aggregates(tree))
    if not aggregates:
        hint = "a rule is of single rows"
        raise ValueError(f"`{text}` is no aggregate such as sum(amount): {hint}")
    for node in aggregates:
        if any(_is_aggregate(above) for above in _walk_up(node)):
            raise ValueError(f"`{text}` has an aggregate inside of an aggregate")
    for star in tree.find_all(exp.Star):
        if not isinstance(star.parent, exp.Count):
            raise ValueError(f"`{text}` has a * outside of count(*)")  # noqa: TRY004  # of the text
    if tree.find(exp.Columns):
        raise ValueError(f"`{text}` is of several columns at once")
    _refuse_loose(tree, text)
    return tuple(dict.fromkeys(column.name for column in tree.find_all(exp.Column)))


def shows_values(text: str) -> bool:
    """Return whether what an expression tells may be a value of one row.

    So may a sum over rows that a filter or a case leaves.

    Example:
        >>> shows_values("sum(a) / count(*)"), shows_values("max(a)")
        (False, True)
        >>> shows_values("sum(a) filter (b = 1)"), shows_values("sum(case when a > 1 then 1 end)")
        (True, False)
    """
    import sqlglot.expressions as exp

    counts, sums = _known_aggregates()
    for node in _find_aggregates(parse_expression(text)):
        if not isinstance(node, (*counts, *sums)):
            return True
        if isinstance(node, counts):
            continue
        told = [part for case in node.find_all(exp.Case, exp.If) for part in _list_results(case)]
        if isinstance(node.parent, exp.Filter) or any(part.find(exp.Column) for part in told):
            return True
    return False


def sums_values(text: str) -> bool:
    """Return whether an expression tells a sum, a mean or the like: of one row that is its value.

    Example:
        >>> sums_values("sum(a) / count(*)"), sums_values("count(distinct a)")
        (True, False)
    """
    _, sums = _known_aggregates()
    return any(isinstance(node, sums) for node in _find_aggregates(parse_expression(text)))


def _known_aggregates() -> tuple[tuple[type[exp.Expr], ...], tuple[type[exp.Expr], ...]]:
    """Return the aggregates that count, and those that sum values up in one way or another."""
    import sqlglot.expressions as exp

    summed = (exp.Sum, exp.Avg, exp.Corr)
    spread = (exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop)
    return (exp.Count, exp.CountIf, exp.ApproxDistinct), (*summed, *spread)


def _list_results(case: exp.Expr) -> list[exp.Expr]:
    """Return what a case gives: of each branch, or of one that is an `if` by itself."""
    parts = (case.args.get("true"), case.args.get("false"), case.args.get("default"))
    return [part for part in parts if part is not None]


def _refuse_loose(tree: exp.Expr, text: str) -> None:
    """Refuse columns that stand outside of every aggregate: they have no one value."""
    import sqlglot.expressions as exp

    inside = (exp.Filter, exp.WithinGroup)
    for column in tree.find_all(exp.Column):
        above = _walk_up(column)
        if not any(_is_aggregate(node) or isinstance(node, inside) for node in above):
            raise ValueError(f"`{text}`: {column.sql('duckdb')} stands outside of an aggregate")


def _find_aggregates(tree: exp.Expr) -> Iterator[exp.Expr]:
    return (node for node in tree.walk() if _is_aggregate(node))


def _is_aggregate(node: exp.Expr) -> bool:
    import sqlglot.expressions as exp

    if isinstance(node, exp.Anonymous):
        return str(node.this).lower() in _FURTHER
    return isinstance(node, exp.AggFunc)


def _walk_up(node: exp.Expr) -> Iterator[exp.Expr]:
    while node.parent is not None:
        node = node.parent
        yield node
