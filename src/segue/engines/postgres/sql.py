"""SELECTs in DuckDB's dialect as PostgreSQL's, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import set_type, show
from segue.engines.dialects.prepare import Translated, prepare_query, refusing
from segue.engines.postgres.sql_nodes import convert
from segue.engines.postgres.sql_pieces import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.types import TableSchema


def translate_query(query: str, schemas: Mapping[str, TableSchema]) -> Translated:
    """Return a SELECT as PostgreSQL's.

    Args:
        query: A SELECT that DuckDB has bound.
        schemas: Columns of its tables, in the types that SQL sees.

    Raises:
        UnsupportedError: It can't be carried over so that it means the same.
    """
    with refusing(refuse):
        prepared = prepare_query(query, schemas, refuse)
        for select in list(prepared.tree.find_all(exp.Select)):
            _write_exists(select)
        return prepared.write(convert(prepared.tree), "postgres", '"')


def _write_exists(select: exp.Select) -> None:
    """Write out which rows a SEMI or ANTI JOIN keeps: those for which another row exists, or none.

    Raises:
        UnsupportedError: A later join brings rows back.
    """
    kept: list[exp.Expr] = []
    for join in select.args.get("joins") or ():
        words = {join.text("kind").upper(), join.text("side").upper()}
        if not words & {"SEMI", "ANTI"}:
            kept.append(join)
            outer = words & {"RIGHT", "FULL"}
            if outer and len(kept) <= list(select.args["joins"]).index(join):
                raise refuse(f"the join {show(join)} after a join that keeps some rows")
            continue
        rows = exp.Select(expressions=[exp.Literal.number(1)], from_=exp.From(this=join.this))
        on = join.args.get("on")
        if on is not None:
            rows.set("where", exp.Where(this=on))
        found: exp.Expr = set_type(exp.Exists(this=rows), "BOOLEAN")
        if "ANTI" in words:
            found = set_type(exp.Not(this=found), "BOOLEAN")
        where = select.args.get("where")
        if where is not None:
            found = set_type(exp.And(this=exp.Paren(this=where.this), expression=found), "BOOLEAN")
            found.this.type = where.this.type
        select.set("where", exp.Where(this=found))
    if kept != list(select.args.get("joins") or ()):
        select.set("joins", kept)
