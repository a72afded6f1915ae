"""What tests of check kinds share: small tables, what they come to, and what is set aside."""

from dataclasses import replace

from segue.declare.contracts import parse_contract
from segue.declare.problems import Problems
from segue.judge.before import Before
from segue.judge.measure import measure_table
from segue.judge.rejects import set_aside
from segue.protocols import Context
from segue.spec.contract import Slice, Verdict
from segue.spec.output import StagedTable
from segue.spec.sql import quote_identifier
from segue.spec.step import Mode
from tests.unit.judge.judging import fetch_rows, make_check, make_contract


def slice_check(kind, value, columns=(), *, name="", **rows):
    """Return a check of some of the rows: `where`, `by`, `sample`, `new`."""
    return replace(make_check(kind, value, columns, name=name), slice=Slice(**rows))


def bind_values(session, columns, *rows, name="orders"):
    """Bind rows of SQL texts, such as ``null`` or ``'a'``; columns tell their SQL types."""

    def write(row):
        cells = zip(row, columns.items(), strict=True)
        return ", ".join(
            f"cast({text} as {type_}) as {quote_identifier(each)}" for text, (each, type_) in cells
        )

    selects = [f"select {write(row)}" for row in rows or [["null"] * len(columns)]]
    session.bind(name, " union all ".join(selects) + ("" if rows else " where false"))


def measure(session, *checks, context=None, **rest):
    """Return the measurements of checks of the bound table."""
    contract = make_contract(*checks, **rest)
    schema = session.describe("select * from orders")
    return measure_table(session, "orders", contract, schema, context=context).measurements


def find_failing(session, check, context=None):
    """Return how many rows break a check, or why it can't be measured."""
    (found,) = measure(session, check, context=context)
    return found.message if found.verdict is Verdict.ERROR else found.failing


def count_failing(session, type_, values, kind, value):
    """Return how many of some SQL values break a check of a column of a SQL type."""
    bind_values(session, {"x": type_}, *([text] for text in values))
    return find_failing(session, make_check(kind, value, ["x"]))


def part_rows(session, lake, *checks, kept=None, mode=Mode.REPLACE, context=None):
    """Stage the bound table with rejects; return the rows that stay, and the others.

    Args:
        session: Has the rows as `orders`, and those of kept files as `kept`.
        lake: Where they are staged.
        checks: The checks.
        kept: Name under which rows of earlier files are bound.
        mode: How the table is written.
        context: What is known beside the table.
    """
    schema = session.describe("select * from orders")

    def write(name, stem):
        folder = lake.folder("orders")
        return session.write(f'from "{name}"', folder, stem, schema, lake.storage_type)

    keeps = write(kept, "base") if kept else ()
    staged = StagedTable("orders", schema, mode, write("orders", "new"), keeps)
    contract = make_contract(*checks, rejects=True)
    result, rejects, report = set_aside(
        session, staged, contract, lake, lake, "run", Before(), context or Context()
    )
    return _read(session, lake, result), _read(session, lake, rejects), report


def _read(session, lake, staged):
    session.bind("read", lake.scan(staged.schema, staged.table, staged.files))
    return fetch_rows(session, "from read order by all nulls last")


def aside(rows, *reasons):
    """Return rows as the table of rejects holds them."""
    return [(*row, list(reasons)) for row in rows]


def read_contract(text):
    """Return a contract of `orders`, and what is wrong with it."""
    problems = Problems()
    contract = parse_contract(text, "contracts.yml", "orders", ["orders", "stores"], problems)
    return contract, problems
