"""How contracts state metrics, queries and functions, and what these are called."""

import textwrap

from segue.declare.contracts import parse_contracts
from segue.declare.problems import Problems

TABLES = ("orders", "Stores", "items")


def parse(text):
    problems = Problems()
    found = parse_contracts(textwrap.dedent(text), "contracts.yml", TABLES, (), problems)
    problems.check()
    return found


def test_metrics_that_their_history_judges():
    for text in ("rows: {anomaly: true}", "columns: {a: {sum: {anomaly: {side: above}}}}"):
        (found,) = parse(f"orders: {{{text}}}")["orders"].checks
        assert (found.arguments["min"], found.arguments["max"]) == (None, None)
        assert found.anomaly is not None


def test_bounds_below_a_column_are_no_check_of_their_own():
    (found,) = parse("orders: {columns: {a: {min: {min: 0}}}}")["orders"].checks
    assert (found.name, found.arguments) == ("a min", {"min": 0, "max": None})


def test_names_of_metrics_and_tables_of_queries():
    found = parse(
        """
        orders:
          checks:
            - {metric: sum(a) / count(*), by: store, max: 5}
            - {python: "rules.py:totals"}
            - {sql: "select count(*) from Orders join stores using (id), items", max: 5}
            - {same_as: items, key: id}
          added: {min: 1}
        """
    )["orders"]
    assert [each.name for each in found.checks] == [
        "sum(a) / count(*)",
        "rules.py:totals",
        "sql",
        "same_as",
        "added",
    ]
    assert found.checks[2].tables == ("Stores", "items")  # as the project names them, not itself
    assert found.references == ("Stores", "items")
    assert found.checks[4].slice.new
