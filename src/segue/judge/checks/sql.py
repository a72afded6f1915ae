"""``{name: …, sql: "select …", equals: 0}``: a query of one value, or one that finds no rows.

With `equals`, `min`, `max` or `between: [min, max]` the query gives one value, which is held
against them; null is an error. Without them, every row that it gives is wrong. It reads
the table by its name, and other tables of the project by theirs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segue.errors import SegueError, SqlError
from segue.judge.cells import read_cell
from segue.judge.metric_bounds import has_bounds, read_bounds, say_value
from segue.judge.metric_check import judge_metric
from segue.judge.row_check import read_text
from segue.judge.shown_rows import counts_only, fetch_shown, find_hidden
from segue.judge.verdict import decide_verdict, judge_unmeasured, measurement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols import Scene, Session
    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType, TableSchema


class SqlCheck:
    """A value outside of the bounds, or a row that is found, breaks it."""

    name = "sql"
    scope = "table"
    row_level = False
    refused = frozenset(("where", "by", "sample", "new"))

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``{sql: …, equals: …}``, or the query as text."""
        if isinstance(value, str):
            value = {"sql": value}
        if not isinstance(value, dict) or "sql" not in value:
            raise ValueError(f"expected {{sql: …, equals: …}}, found {value!r}")
        query, reads = read_select(value["sql"])
        bounds = read_bounds({key: item for key, item in value.items() if key != "sql"})
        return {"sql": query, "reads": reads, **bounds}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: rows of the query need not be rows of the table."""
        del check, types, table
        return ""

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the query; `inspect` runs it."""
        del types, table
        return str(check.arguments["sql"])

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold what a query of one value gives against the bounds."""
        found = f"the query gives {say_value(value)}"
        return judge_metric(check, value, rows, "what the query gives", reveals=True, found=found)

    def inspect(self, check: Check, scene: Scene) -> Measurement:
        """Run the query."""
        query = str(check.arguments["sql"])
        schema = describe_query(scene.session, query)
        hidden = find_hidden(query, schema, scene.sensitive)
        if not has_bounds(check.arguments):
            return _find_rows(check, scene, schema, hidden)
        if len(schema.columns) != 1:
            names = ", ".join(schema.names)
            raise ValueError(f"the query gives {len(schema.columns)} columns, not one: {names}")
        told = scene.session.fetch(f"select * from (\n{query}\n) as told_ limit 2")
        value = read_cell(told.column(0)[0]) if told.num_rows == 1 else None
        if value is None:
            many = ("no row", "nothing that can be measured", "more than one row")[told.num_rows]
            return judge_unmeasured(check, scene.rows, f"the query gives {many}", query)
        check = replace(check, sensitive=bool(hidden) and not counts_only(query))
        return replace(self.judge(check, value, scene.rows), sql=query)


def _find_rows(
    check: Check, scene: Scene, schema: TableSchema, hidden: frozenset[str]
) -> Measurement:
    """Judge a query of which every row is wrong."""
    query = str(check.arguments["sql"])
    counted = scene.session.fetch(f"select count(*) as n from (\n{query}\n) as found_")
    failing = int(counted.column(0)[0].as_py())
    verdict = decide_verdict(check, failing, scene.rows)
    message = "the query finds no rows, as expected"
    if failing:
        message = f"the query finds {failing:,} row{'' if failing == 1 else 's'}, expected none"
    sample = fetch_shown(scene.session, query, schema, hidden) if failing else ()
    judged = measurement(check, verdict, scene.rows, message=message, failing=failing, sql=query)
    return replace(judged, sample=sample)


def read_select(value: Any) -> tuple[str, tuple[str, ...]]:
    """Return a SELECT of a contract, and the tables that it reads.

    Raises:
        ValueError: It does not parse, or is something else than one SELECT over tables.
    """
    from segue.declare.sql import read_query

    text = read_text(value, "a SELECT as text")
    try:
        query, reads = read_query(text)
    except SqlError as error:
        where = f", line {error.location.line}" if error.location and "\n" in text else ""
        hint = f": {error.hint}" if error.hint else ""
        raise ValueError(f"{error.message}{where}{hint}") from None
    return query.strip(), reads


def describe_query(session: Session, query: str) -> TableSchema:
    """Return the columns of a SELECT.

    Raises:
        ValueError: It does not bind; that tells no value of a table.
    """
    try:
        return session.describe(query)
    except SegueError as error:
        hint = f": {error.hint}" if error.hint else ""
        raise ValueError(f"can't be measured: {error.message}{hint}") from None


CHECK = SqlCheck()
