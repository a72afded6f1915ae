"""SELECTs in DuckDB's dialect as Spark's, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.prepare import Translated, prepare_query, refusing
from segue.engines.spark.sql_lax import refuse_lax
from segue.engines.spark.sql_nodes import convert
from segue.engines.spark.sql_types import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.types import TableSchema


def translate_query(
    query: str, schemas: Mapping[str, TableSchema], *, lax: bool = False
) -> Translated:
    """Return a SELECT as Spark's.

    Args:
        query: A SELECT that DuckDB has bound.
        schemas: Columns of its tables, in the types that SQL sees.
        lax: Whether the server computes otherwise than Spark.

    Raises:
        UnsupportedError: It can't be carried over so that it means the same.
    """
    with refusing(refuse):
        prepared = prepare_query(query, schemas, refuse)
        if lax:
            refuse_lax(prepared.tree)
        return prepared.write(_sort_outside(convert(prepared.tree)), "spark", "`")


def _sort_outside(tree: exp.Expr) -> exp.Expr:
    """Return a query whose DISTINCT ON keeps the order of its rows, which Spark's form loses."""
    distinct, order = tree.args.get("distinct"), tree.args.get("order")
    picks = isinstance(distinct, exp.Distinct) and distinct.args.get("on") is not None
    if order is None or not picks:
        return tree
    plain = all(isinstance(e.this, exp.Column) and not e.this.table for e in order.expressions)
    if not plain or tree.args.get("limit") or tree.args.get("offset"):
        raise refuse("DISTINCT ON with this order", "order by columns of the result")
    rows = exp.Subquery(this=tree.copy(), alias=exp.TableAlias(this=exp.to_identifier("sorted")))
    return exp.Select(expressions=[exp.Star()], from_=exp.From(this=rows), order=order.copy())
