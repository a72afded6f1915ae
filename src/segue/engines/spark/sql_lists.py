"""Lists that mean on Spark what they mean in DuckDB: nulls stay in them, and order is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import NESTED, family, set_type, show
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.engines.dialects.carry import Wrap


def convert_collected(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return LIST or STRING_AGG of sorted values; without an order engines give any."""
    order = node.this
    if not isinstance(order, exp.Order) or isinstance(order.this, exp.Distinct):
        raise refuse(show(node), "say in which order: list(x order by y)")
    value, keys = order.this, order.expressions
    if any(family(key.this) in NESTED for key in keys):
        raise refuse(show(node))
    joined = isinstance(node, exp.GroupConcat)
    if joined and family(value) != "string":
        raise refuse(f"{show(node)} of a {family(value)}", "cast it: x::varchar")
    places = ", ".join(f"'k{at}', :k{at}" for at in range(len(keys)))
    row = f"named_struct('v', :v, {places})"
    kept = f"if(:v is null, null, {row})" if joined else row
    parts = {f"k{at}": key.this for at, key in enumerate(keys)}
    rows = wrap(fill(f"collect_list({kept})", v=value, **parts))
    found = fill(
        f"if(size(:c) = 0, null, transform(array_sort(:c, (l, r) -> {_compare(keys)}), x -> x.v))",
        c=rows,
    )
    if joined:
        mark = node.args.get("separator") or exp.Literal.string(",")
        if not isinstance(mark, exp.Literal):
            raise refuse(show(node), "write out the separator")
        return set_type(fill("array_join(:x, :s)", x=found, s=mark), "VARCHAR")
    inner = value.type.sql("duckdb") if value.type is not None else "VARCHAR"
    return set_type(found, f"{inner}[]")


def _compare(keys: Sequence[exp.Expr], at: int = 0) -> str:
    """Return the SQL that compares rows by their keys, one after the other."""
    if at == len(keys):
        return "0"
    left, right, key = f"l.k{at}", f"r.k{at}", keys[at]
    null = -1 if key.args.get("nulls_first") else 1
    less = 1 if key.args.get("desc") else -1
    return (
        f"case when {left} is null and {right} is null then {_compare(keys, at + 1)} "
        f"when {left} is null then {null} when {right} is null then {-null} "
        f"when {left} < {right} then {less} when {left} > {right} then {-less} "
        f"else {_compare(keys, at + 1)} end"
    )


def convert_item(node: exp.Expr) -> exp.Expr:
    """Return an item of a list by a place that is written out; null where there is none."""
    places = node.expressions
    plain = len(places) == 1 and isinstance(places[0], exp.Literal) and places[0].name.isdigit()
    if family(node.this) != "list" or not plain:
        raise refuse(show(node), "write out the place, counted from 1")
    made = fill(f"get(:x, {places[0].name})", x=node.this)
    kind = node.this.type
    made.type = kind.expressions[0] if kind is not None and kind.expressions else node.type
    return made


def convert_bytes(node: exp.Expr) -> exp.Expr:
    """Return bytes that are written out."""
    if not isinstance(node.this, exp.Literal) or len(node.this.name) % 2:
        raise refuse(show(node))
    return set_type(fill("unhex(:x)", x=node.this), "BLOB")
