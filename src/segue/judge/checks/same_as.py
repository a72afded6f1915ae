"""``same_as: {table: ledger, key: [id], tolerance: 0.01}``: the rows are those of another table.

The other side is a `table`, or a query as `sql`. With a `key`, rows of the same key are
compared, and it is told which are missing there, missing here, or differ in which columns;
numbers may differ by `tolerance` (`0.01`, or `1%` of the other side's). Without a key, both
must have the same rows equally often, in any order. `columns` names those to compare; without
it both sides have the same ones. Null equals null, and NaN equals NaN. `where` chooses rows of
this table, not of the other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segue.errors import UnsupportedError
from segue.judge.checks.sql import describe_query, read_select
from segue.judge.reconcile import Sides, match_columns
from segue.judge.row_check import read_long
from segue.judge.shown_rows import fetch_shown
from segue.judge.sql_text import read_decimal
from segue.judge.verdict import decide_verdict, measurement
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.protocols import Scene
    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType

_KEYS = ("table", "sql", "key", "columns", "tolerance")
_TOLD = 5


class SameAsCheck:
    """A row that only one side has, or that differs, breaks it."""

    name = "same_as"
    scope = "table"
    row_level = False
    refused = frozenset(("by", "sample", "new"))

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``{table: …, key: […]}``, or the other table's name."""
        if isinstance(value, dict) and self.name in value:
            inner = read_long(value[self.name], _KEYS, "table")
            value = {**inner, **{key: item for key, item in value.items() if key != self.name}}
        long = read_long(value, _KEYS, "table")
        if ("table" in long) == ("sql" in long):
            raise ValueError("expected {table: …} or {sql: …}: what it is the same as")
        arguments: dict[str, Any] = {
            "key": _read_names(long, "key"),
            "compared": _read_names(long, "columns"),
        }
        if "sql" in long:
            arguments["sql"], arguments["reads"] = read_select(long["sql"])
        else:
            if not isinstance(long["table"], str) or not long["table"]:
                raise ValueError(f"expected the name of a table, found {long['table']!r}")
            arguments["table"] = long["table"]
        if "tolerance" in long:
            arguments["tolerance"] = _read_tolerance(long["tolerance"], arguments["key"])
        return arguments

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: rows of the other side break it as well."""
        del check, types, table
        return ""

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: `inspect` writes the queries, for it knows both tables."""
        del check, types, table
        return ""

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Judge how many rows are not the same."""
        message = f"{value:,} rows are not the same as in {_name_other(check)}"
        verdict = decide_verdict(check, value, rows)
        return measurement(check, verdict, rows, message=message, failing=value)

    def inspect(self, check: Check, scene: Scene) -> Measurement:
        """Compare the two tables."""
        stated = check.arguments
        query = stated.get("sql")
        other = f"(\n{query}\n) as there_" if query else quote_identifier(stated["table"])
        there = describe_query(scene.session, f"select * from {other}")
        columns = match_columns(scene.schema, there, stated["key"], stated["compared"])
        sides = Sides(quote_identifier(scene.table), other, *columns, stated.get("tolerance", ""))
        return (_judge_keys if sides.key else _judge_sets)(check, scene, sides)


def _judge_keys(check: Check, scene: Scene, sides: Sides) -> Measurement:
    """Compare rows of the same key."""
    key = ", ".join(pair.here.name for pair in sides.key)
    _refuse_repeated(scene, sides, key, here=True)  # a join of repeated keys might never end
    try:
        query = sides.write_counts()
        told = scene.session.fetch(query)
    except UnsupportedError:
        _refuse_repeated(scene, sides, key, here=False)
        sides = replace(sides, grouped=True)
        query = sides.write_counts()
        told = scene.session.fetch(query)
    both, lost, extra, unlike, *each = (int(column[0].as_py()) for column in told.columns)
    if both + lost != scene.rows:
        _refuse_repeated(scene, sides, key, here=False)
    named = [(pair.here.name, count) for pair, count in zip(sides.compared, each, strict=True)]
    parts = [
        *_count(lost, "is missing there", "are missing there"),
        *_count(extra, "is missing here", "are missing here"),
    ]
    if unlike:
        worst = sorted((part for part in named if part[1]), key=lambda part: -part[1])
        columns = [f"{name} in {count:,}" for name, count in worst[:_TOLD]]
        columns += [f"{len(worst) - _TOLD} more columns"] if len(worst) > _TOLD else []
        parts.append(f"{unlike:,} differ{'s' if unlike == 1 else ''} ({', '.join(columns)})")
    rows = scene.rows, both + extra
    judged = _say(check, rows, lost + extra + unlike, f"by {key}, ", parts, query)
    return _add_sample(judged, scene, sides, sides.write_unlike())


def _refuse_repeated(scene: Scene, sides: Sides, key: str, *, here: bool) -> None:
    """Refuse a key of which a side has several rows."""
    told = scene.session.fetch(sides.write_repeated(here=here))
    count = int(told.column(0)[0].as_py())
    if count:
        times = "key comes" if count == 1 else "keys come"
        where = "here" if here else "there"
        raise ValueError(f"{key} is no key {where}: {count:,} {times} more than once")


def _judge_sets(check: Check, scene: Scene, sides: Sides) -> Measurement:
    """Compare which rows there are, and how often."""
    query = (
        "select coalesce(sum(n) filter (where n > 0), 0)::bigint as lost, "
        "coalesce(-sum(n) filter (where n < 0), 0)::bigint as extra "
        f"from ({sides.write_sets()}) as left_"
    )
    told = scene.session.fetch(query)
    lost, extra = (int(column[0].as_py()) for column in told.columns)
    parts = [
        *_count(lost, "is only here", "are only here"),
        *_count(extra, "is only there", "are only there"),
    ]
    rows = scene.rows, scene.rows - lost + extra
    judged = _say(check, rows, lost + extra, "", parts, query)
    return _add_sample(judged, scene, sides, sides.write_left())


def _say(
    check: Check, rows: tuple[int, int], failing: int, by: str, parts: Sequence[str], query: str
) -> Measurement:
    """Return the measurement of a number of rows that are not the same."""
    other = _name_other(check)
    if failing:
        here = f"{rows[0]:,} row{'' if rows[0] == 1 else 's'} here"
        message = f"{here}, {rows[1]:,} in {other}: {by}{', '.join(parts)}"
    else:
        message = f"the same {rows[0]:,} row{'' if rows[0] == 1 else 's'} as {other}"
    verdict = decide_verdict(check, failing, rows[0])
    return measurement(check, verdict, rows[0], message=message, failing=failing, sql=query)


def _add_sample(judged: Measurement, scene: Scene, sides: Sides, query: str) -> Measurement:
    """Add a few of the rows that are not the same."""
    if not judged.failing:
        return judged
    secret = {name.lower() for name in scene.sensitive}
    hidden = set(secret)
    for pair in (*sides.key, *sides.compared):
        if secret & {pair.here.name.lower(), pair.there.name.lower()}:
            name = pair.here.name.lower()
            hidden |= {name, f"{name} here", f"{name} there"}
    shown = fetch_shown(scene.session, query, scene.session.describe(query), hidden)
    return replace(judged, sample=shown)


def _count(count: int, one: str, many: str) -> tuple[str, ...]:
    return (f"{count:,} {one if count == 1 else many}",) if count else ()


def _name_other(check: Check) -> str:
    return str(check.arguments.get("table", "the query"))


def _read_names(long: Mapping[str, Any], key: str) -> list[str]:
    value = long.get(key, [])
    names = [value] if isinstance(value, str) else value
    named = isinstance(names, list | tuple) and all(isinstance(n, str) and n for n in names)
    if not named or (key in long and not names):
        raise ValueError(f"expected a column or a list of columns as `{key}`, found {value!r}")
    if len(set(names)) < len(names):
        raise ValueError(f"a column comes twice in `{key}`: {', '.join(names)}")
    return list(names)


def _read_tolerance(value: Any, key: Sequence[str]) -> str:
    if not key:
        raise ValueError("a tolerance needs a key: it tells which rows to compare")
    relative = isinstance(value, str) and value.strip().endswith("%")
    plain = value.strip().removesuffix("%").strip() if relative else value
    number = read_decimal(plain) if isinstance(plain, int | float | str) else None
    if number is None or not number.is_finite() or number < 0:
        message = f"expected a number, or a share such as 1%, as `tolerance`, found {value!r}"
        raise ValueError(message)
    return f"{number:f}{'%' if relative else ''}"


CHECK = SameAsCheck()
