"""Suggest a contract for a table from what is in it: modest, readable, and true of its data."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.protocols import Session
    from segue.spec.types import Column, TableSchema

_MOST_LISTED = 12
"""Most values that `in` lists."""
_ROWS_PER_VALUE = 10
"""A list of values is no chance if each stands in so many rows."""
_LONGEST_LISTED = 40
_KEY_NAME = re.compile(r"(?:^|_)(?:id|key|code|uuid|guid|sku|no|nr|number)$|[a-z](?:Id|ID|Key)$")
_NICE = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of a column.

    Attributes:
        column: The column.
        nulls: How many of its values are null.
        low: Smallest value of a number, date or time; None where there is none.
        high: Largest value.
        distinct: About how many values it has, 0 where nobody asked.
        unique: Whether it is a key.
        values: All values of a text column with few.
    """

    column: Column
    nulls: int
    low: Any = None
    high: Any = None
    distinct: int = 0
    unique: bool = False
    values: tuple[str, ...] = ()


def suggest_contract(session: Session, table: str, schema: TableSchema, rows: int) -> str:
    """Return a contract as YAML text for `contracts.yml`, with the evidence as comments.

    Args:
        session: Engine in which the table is bound.
        table: Name of the table.
        schema: Its columns.
        rows: How many rows it has.
    """
    facts = _find_facts(session, table, schema, rows)
    names = [write_scalar(fact.column.name) for fact in facts]
    lines = [f"{write_scalar(table)}:", "  columns:"]
    for name, fact in zip(names, facts, strict=True):
        evidence = _tell_evidence(fact)
        comment = f"  # {evidence}" if evidence and rows else ""
        lines.append(f"    {name}: {{{', '.join(_suggest(fact, rows))}}}{comment}")
    if rows:
        lines.append(f"  rows: {{min: 1}}  # {rows:,} now")
    return "\n".join(lines) + "\n"


def write_scalar(text: str) -> str:
    """Return a text as YAML, in quotes unless it is plain and means itself.

    Example:
        >>> write_scalar("paid"), write_scalar("no"), write_scalar("a, b")
        ('paid', '"no"', '"a, b"')
    """
    import yaml

    if re.fullmatch(r"[A-Za-z_](?:[\w .-]*\w)?", text) and yaml.safe_load(text) == text:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=math.inf)
    return quoted.strip()


def round_outward(low: Decimal, high: Decimal) -> tuple[Decimal, Decimal] | None:
    """Return readable bounds around two values; None if they tell nothing.

    Values far from zero beside their spread are rounded by their spread; others begin at
    zero and end at a round number.

    Example:
        >>> [str(bound) for bound in round_outward(Decimal("0.5"), Decimal("99512.10"))]
        ['0', '100000']
        >>> [str(bound) for bound in round_outward(Decimal(1994), Decimal(2023))]
        ['1990', '2030']
    """
    if low == high:
        return None
    if low > 0 and high - low < high / 2:
        step = Decimal(1).scaleb((high - low).adjusted())
        ends = (
            (end / step).to_integral_value(rounding) * step
            for end, rounding in ((low, ROUND_FLOOR), (high, ROUND_CEILING))
        )
        first, last = ends
        return _write_out(first), _write_out(last)
    below = -_round_up(-low) if low < 0 else Decimal(0)
    above = _round_up(high) if high > 0 else Decimal(0)
    return below, above


def _round_up(number: Decimal) -> Decimal:
    power = Decimal(1).scaleb(number.adjusted())
    return next(_write_out(nice * power) for nice in _NICE if nice * power >= number)


def _write_out(number: Decimal) -> Decimal:
    """Return a number without an exponent."""
    return Decimal(format(number.normalize(), "f"))


def _find_facts(session: Session, table: str, schema: TableSchema, rows: int) -> tuple[_Facts, ...]:
    """Look at all columns in one scan, then closer at those that may be keys or lists."""
    wanted = [text for column in schema for text in _write_facts(column)]
    source = quote_identifier(table)
    found = _fetch_row(session, wanted, source)
    facts = []
    for position, column in enumerate(schema):
        nulls, low, high, distinct = found[4 * position : 4 * position + 4]
        facts.append(_Facts(column, nulls, low, high, distinct))
    return tuple(
        _look_closer(session, source, fact, rows, first=position == 0)
        for position, fact in enumerate(facts)
    )


def _fetch_row(session: Session, expressions: Sequence[str], source: str) -> list[Any]:
    listed = ", ".join(f"{text} as f{i}" for i, text in enumerate(expressions))
    row = session.fetch(f"select {listed} from {source}")
    return [column[0].as_py() for column in row.columns]


def _write_facts(column: Column) -> tuple[str, str, str, str]:
    """Return four aggregates: nulls, smallest and largest as text, number of values."""
    name = quote_identifier(column.name)
    kind = column.type.kind
    ordered = column.type.is_integer or kind in ("decimal", "date", "timestamp")
    low, high = (f"{end}({name})" for end in ("min", "max"))
    if column.type.is_float:
        # NaN and infinity have no bounds worth stating
        whole = f"bool_and(isfinite({name})) filter (where {name} is not null)"
        low, high = (f"case when {whole} then {end} end" for end in (low, high))
    elif not ordered:
        low = high = "null"
    distinct = f"approx_count_distinct({name})" if column.type.is_integer or kind == "string" else 0
    return (
        f"count(*) - count({name})",
        f"({low})::varchar",
        f"({high})::varchar",
        f"{distinct}",
    )


def _look_closer(session: Session, source: str, fact: _Facts, rows: int, *, first: bool) -> _Facts:
    name = quote_identifier(fact.column.name)
    values = rows - fact.nulls
    keyed = first or _KEY_NAME.search(fact.column.name)
    unique = False
    # the number of values is an estimate: it only decides whether to count
    if rows > 1 and not fact.nulls and keyed and fact.distinct > rows * 0.8:
        (unique,) = _fetch_row(session, [f"count(distinct {name}) = {rows}"], source)
    listed: tuple[str, ...] = ()
    few = 0 < fact.distinct <= 2 * _MOST_LISTED and values >= _ROWS_PER_VALUE
    if fact.column.type.kind == "string" and few and not unique:
        (found,) = _fetch_row(
            session, [f"list(distinct {name}) filter (where {name} is not null)"], source
        )
        short = all(len(value) <= _LONGEST_LISTED for value in found)
        if short and len(found) <= min(_MOST_LISTED, values // _ROWS_PER_VALUE):
            listed = tuple(sorted(found))
    return replace(fact, unique=bool(unique), values=listed)


def _suggest(fact: _Facts, rows: int) -> list[str]:
    """Return the checks of a column as YAML entries."""
    checks = [f"type: {write_scalar(str(fact.column.type))}"]
    if rows and not fact.nulls:
        checks.append("required: true")
    if fact.unique:
        checks.append("unique: true")
    elif fact.values:
        checks.append(f"in: [{', '.join(map(write_scalar, fact.values))}]")
    elif (bounds := _suggest_bounds(fact)) is not None:
        checks.append(f"between: [{bounds[0]}, {bounds[1]}]")
    return checks


def _suggest_bounds(fact: _Facts) -> tuple[Decimal, Decimal] | None:
    type_ = fact.column.type
    numeric = type_.is_integer or type_.is_float or type_.kind == "decimal"
    if not numeric or fact.low is None or _KEY_NAME.search(fact.column.name):
        return None
    return round_outward(Decimal(fact.low), Decimal(fact.high))


def _tell_evidence(fact: _Facts) -> str:
    """Return what was seen, in a few words; values of texts stay out."""
    nulls = f"{fact.nulls:,} null{'' if fact.nulls == 1 else 's'}" if fact.nulls else ""
    seen = "" if fact.low is None else f"{fact.low} to {fact.high}"
    if fact.low is not None and fact.low == fact.high:
        seen = f"always {fact.low}"
    return ", ".join(filter(None, (seen, nulls)))
