"""Lists that mean on Spark what they mean in DuckDB: nulls stay in them, and order is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import NESTED, family, set_type, show
from segue.engines.dialects.kinds import read_count
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.engines.dialects.carry import Wrap


def convert_collected(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return LIST or STRING_AGG of sorted values; without an order engines give any."""
    value, keys, collect = _read_order(node)
    joined = isinstance(node, exp.GroupConcat)
    if joined and family(value) != "string":
        raise refuse(f"{show(node)} of a {family(value)}", "cast it: x::varchar")
    places = ", ".join(f"'k{at}', :k{at}" for at in range(len(keys)))
    row = f"named_struct('v', :v, {places})"
    kept = f"if(:v is null, null, {row})" if joined else row
    parts = {f"k{at}": key.this for at, key in enumerate(keys)}
    rows = wrap(fill(f"{collect}({kept})", v=value, **parts))
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


def _read_order(node: exp.Expr) -> tuple[exp.Expr, list[exp.Expr], str]:
    """Return the value and the keys of an ordered aggregate, and what collects its rows."""
    order = node.this
    if not isinstance(order, exp.Order):
        raise refuse(show(node), "say in which order: list(x order by y)")
    value, keys = order.this, order.expressions
    if any(family(key.this) in NESTED for key in keys):
        raise refuse(show(node))
    if not isinstance(value, exp.Distinct):
        return value, keys, "collect_list"
    (value,) = value.expressions
    if [key.this for key in keys] != [value] or family(value).startswith("float"):
        raise refuse(show(node), "order what is distinct by itself: list(distinct x order by x)")
    return value, keys, "collect_set"


def convert_end(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Return the first or last value by an order; Spark collects all of them for it."""
    rows = exp.ArrayAgg(this=node.this.copy())
    found = convert_collected(rows, wrap)
    made = fill(
        "try_element_at(:x, 1)" if isinstance(node, exp.First) else "try_element_at(:x, -1)",
        x=found,
    )
    value = node.this.this if isinstance(node.this, exp.Order) else node.this
    made.type = value.type
    return made


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
    """Return an item of a list by a place that is written out, or of a map by a text.

    Places are counted from 0 here; those before it from the end, which is -2.
    """
    places = node.expressions
    if family(node.this) == "map":
        return _convert_entry(node)
    if family(node.this) != "list" or len(places) != 1:
        raise refuse(show(node), "write out the place, counted from 1")
    inner = places[0].this if isinstance(places[0], exp.Neg) else places[0]
    place = read_count(inner, 0)
    if place is None:
        raise refuse(show(node), "write out the place, counted from 1")
    if isinstance(places[0], exp.Neg) and place == 1:
        made = fill("get(:x, -1)", x=node.this)  # what was x[0], where nothing ever is
    elif isinstance(places[0], exp.Neg):
        made = fill(f"try_element_at(:x, {1 - place})", x=node.this)
    else:
        made = fill(f"get(:x, {place})", x=node.this)
    made.type = _item_type(node.this)
    return made


def _convert_entry(node: exp.Expr) -> exp.Expr:
    """Return the value of a text in a map; null where there is none."""
    kinds = [] if node.this.type is None else node.this.type.expressions
    probe = exp.Column(this=exp.to_identifier("key"))
    probe.type = kinds[0] if kinds else None
    if len(node.expressions) != 1 or {family(probe), family(node.expressions[0])} != {"string"}:
        raise refuse(show(node))
    made = fill("try_element_at(:x, :k)", x=node.this, k=node.expressions[0])
    made.type = kinds[1]
    return made


def _item_type(node: exp.Expr) -> exp.DataType | None:
    kind = node.type
    return kind.expressions[0] if kind is not None and kind.expressions else None


def _need_list(node: exp.Expr, value: exp.Expr) -> None:
    if family(value) != "list":
        raise refuse(f"{show(node)} of a {family(value)}")


def convert_size(node: exp.Expr) -> exp.Expr:
    """Return the number of items."""
    _need_list(node, node.this)
    return set_type(fill("cast(array_size(:x) as bigint)", x=node.this), "BIGINT")


def convert_contained(node: exp.Expr) -> exp.Expr:
    """Return whether an item is in a list; null only where one of them is."""
    _need_list(node, node.this)
    probe = exp.Column(this=exp.to_identifier("item"))
    probe.type = _item_type(node.this)
    if family(probe) != family(node.expression) or family(probe) in NESTED:
        raise refuse(f"{show(node)} of a {family(node.expression)}", "cast it to the items' type")
    text = "if(:x is null or :v is null, null, coalesce(array_contains(:x, :v), false))"
    return set_type(fill(text, x=node.this, v=node.expression), "BOOLEAN")


def convert_extreme(node: exp.Expr) -> exp.Expr:
    """Return the smallest or largest item."""
    _need_list(node, node.this)
    kind = _item_type(node.this)
    probe = exp.Column(this=exp.to_identifier("item"))
    probe.type = kind
    if family(probe) in ("unknown", *NESTED):
        raise refuse(f"{show(node)} of a {family(probe)}")
    name = "array_max" if isinstance(node, exp.ArrayMax) else "array_min"
    made = fill(f"{name}(:x)", x=node.this)
    made.type = kind
    return made


def convert_turned(node: exp.Expr) -> exp.Expr:
    """Return the items from the last to the first."""
    (value,) = node.expressions
    _need_list(node, value)
    made = fill("reverse(:x)", x=value)
    made.type = value.type
    return made


def convert_unnested(node: exp.Expr) -> exp.Expr:
    """Return a row for each item of a list; none where the list is empty or null."""
    _need_list(node, node.this)
    around = node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent
    others = around.selects if isinstance(around, exp.Select) else []
    if sum(bool(each.find(exp.Explode)) for each in others) != 1:
        raise refuse(show(node), "unnest one list, as a column of its own")
    made = fill("explode(:x)", x=node.this)
    made.type = _item_type(node.this)
    return made


def convert_bytes(node: exp.Expr) -> exp.Expr:
    """Return bytes that are written out."""
    if not isinstance(node.this, exp.Literal) or len(node.this.name) % 2:
        raise refuse(show(node))
    return set_type(fill("unhex(:x)", x=node.this), "BLOB")


def convert_table(node: exp.Expr) -> exp.Expr:
    """Return a list whose items stand beside each row, in a join of their own."""
    columns = node.args["alias"].columns if node.args.get("alias") else []
    if len(node.expressions) != 1 or len(columns) != 1 or node.args.get("offset"):
        raise refuse(show(node), "unnest one list, and name its column: unnest(x) as u(item)")
    _need_list(node, node.expressions[0])
    return node
