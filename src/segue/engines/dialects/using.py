"""Joins by names that both sides have, one after the other.

What sqlglot writes for `using` compares with the first table alone; after a full or right join
the value may stand in a later one.
"""

from __future__ import annotations

from sqlglot import exp

_NAMES = "segue: names"
_OUTER = ("FULL", "RIGHT")


def note_using(tree: exp.Expr) -> None:
    """Remember the names of each join, which qualifying a query replaces by conditions."""
    for join in tree.find_all(exp.Join):
        join.meta[_NAMES] = [name.name for name in join.args.get("using") or ()]


def mend_using(tree: exp.Expr) -> None:
    """Let each join compare with the value that stands in any of the tables before it.

    Example:
        >>> import sqlglot
        >>> tree = sqlglot.parse_one(
        ...     "select * from a full join b using (k) left join c using (k)", read="duckdb"
        ... )
        >>> note_using(tree)
        >>> tree.args["joins"][0].set("on", sqlglot.condition("a.k = b.k"))
        >>> tree.args["joins"][1].set("on", sqlglot.condition("a.k = c.k"))
        >>> mend_using(tree)
        >>> tree.args["joins"][1].args["on"].sql()
        'COALESCE(a.k, b.k) = c.k'
    """
    for select in tree.find_all(exp.Select):
        joins = select.args.get("joins") or []
        if not any(join.side in _OUTER for join in joins[:-1]):
            continue
        tables: dict[str, list[str]] = {}
        for join in joins:
            for name in join.meta.get(_NAMES, ()):
                _mend_join(join, name, tables.setdefault(name, []))


def _mend_join(join: exp.Join, name: str, tables: list[str]) -> None:
    """Replace the left side of a condition by the first value that there is.

    Args:
        join: The join.
        name: Name that both sides have.
        tables: Those before it that were joined by this name, to which its own is added.
    """
    own = join.this.alias_or_name
    for equal in list(join.args["on"].find_all(exp.EQ)):
        left, right = equal.this, equal.expression
        if not isinstance(right, exp.Column) or (right.name, right.table) != (name, own):
            continue
        if not tables:
            tables.append(left.table)
        elif len(tables) > 1:
            parts = [_column_like(right, table) for table in tables]
            left.replace(exp.Coalesce(this=parts[0], expressions=parts[1:]))
    tables.append(own)


def _column_like(column: exp.Column, table: str) -> exp.Column:
    """Return a column of the same name in another table."""
    made = column.copy()
    quoted = bool(made.args["table"].args.get("quoted"))
    made.set("table", exp.to_identifier(table, quoted=quoted))
    return made
