"""SELECTs in DuckDB's dialect as Spark's, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.delegate import Delegation
from segue.engines.dialects.original import parse_plainly
from segue.engines.dialects.prepare import Prepared, Translated, prepare_query, refusing
from segue.engines.spark.sql_aggregates import AGGREGATES
from segue.engines.spark.sql_lax import refuse_lax
from segue.engines.spark.sql_nodes import convert
from segue.engines.spark.sql_types import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.engines.dialects.delegate import Delegated
    from segue.protocols import LocalSession
    from segue.spec.types import TableSchema


def translate_query(
    query: str, schemas: Mapping[str, TableSchema], local: LocalSession | None = None
) -> tuple[Translated, Sequence[Delegated]]:
    """Return a SELECT as Spark's, and the functions that it needs.

    Args:
        query: A SELECT that DuckDB has bound.
        schemas: Columns of its tables, in the types that SQL sees.
        local: DuckDB, to which expressions are delegated; None where the server computes
            otherwise than Spark, and may not even run functions.

    Raises:
        UnsupportedError: It can't be carried over so that it means the same.
    """
    with refusing(refuse):
        if local is None:
            prepared = prepare_query(query, schemas, refuse)
            refuse_lax(prepared.tree)
            return _write(prepared, convert(prepared.tree)), ()
        prepared = prepare_query(query, schemas, refuse, parse_plainly)
        tables = {view: schemas[name] for view, name in prepared.tables.items()}
        delegation = Delegation(query, prepared.tree, tables, local, AGGREGATES)
        made = _write(prepared, convert(prepared.tree, delegation))
        return made, [each for each in delegation.made.values() if each.name in made.text]


def _write(prepared: Prepared, tree: exp.Expr) -> Translated:
    return prepared.write(_sort_outside(tree), "spark", "`")


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
