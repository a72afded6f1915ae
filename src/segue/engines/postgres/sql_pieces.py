"""Pieces of PostgreSQL's SQL, and how it says no."""

from __future__ import annotations

from functools import partial

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, NESTED, NUMBERS, family, show
from segue.engines.dialects.refusal import refuse_for
from segue.engines.dialects.template import fill_in

fill = partial(fill_in, "postgres")
refuse = partial(refuse_for, "PostgreSQL")

FLOATS = ("float32", "float64")
WHOLE = ("integer", "unsigned")


def is_literal(node: exp.Expr) -> bool:
    """Return whether a node is a number or text that is written out."""
    return isinstance(node, exp.Literal)


def refuse_mixed(node: exp.Expr, parts: list[exp.Expr]) -> None:
    """Refuse expressions whose parts PostgreSQL would bring to another type than DuckDB.

    Raises:
        UnsupportedError: They are of kinds that don't go together.
    """
    found = {family(part) for part in parts} - {"null"}
    columns = {family(part) for part in parts if not (is_literal(part) and part.is_string)}
    columns -= {"null"}
    alike = found <= NUMBERS or found <= MOMENTS or len(found) <= 1
    read = "string" in found and len(columns) <= 1 and columns <= {*MOMENTS, "time", "integer"}
    if "unknown" in found or not (alike or read):
        kinds = " and ".join(sorted(found))
        raise refuse(f"{show(node)} of {kinds}", "cast the parts: x::bigint")


def refuse_nested(node: exp.Expr, parts: list[exp.Expr]) -> None:
    """Refuse comparisons of lists and structs, whose nulls are compared in another way.

    Raises:
        UnsupportedError: One is nested.
    """
    nested = {family(part) for part in parts} & NESTED
    if nested:
        raise refuse(f"{show(node)} of a {', '.join(sorted(nested))}")


def need(node: exp.Expr, part: exp.Expr | None, *families: str, hint: str = "") -> None:
    """Refuse a part that is of another family than these.

    Raises:
        UnsupportedError: It is.
    """
    if part is not None and family(part) not in (*families, "null"):
        raise refuse(f"{show(node)} of a {family(part)}", hint)
