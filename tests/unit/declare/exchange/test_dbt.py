"""Tests of dbt mean the same as checks."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import yaml

from segue.declare.exchange.dbt import read_properties
from tests.unit.declare.exchange.importing import judge

DATA = pa.table(
    {"id": [1, 2, 2], "status": ["new", "odd", None], "store": [1, 9, None], "n": [1, 5, 10]}
)
STORES = pa.table({"id": [1, 2]})


def read(text):
    return read_properties(yaml.safe_load(text))


def wrap(test):
    indented = "\n".join(f"          {line}" for line in test.splitlines())
    return f"""
models:
  - name: orders
    columns:
      - name: COLUMN
        data_tests:
{indented}
"""


@pytest.mark.parametrize(
    ("verdict", "column", "test"),
    [
        ("fail", "id", "- unique"),
        ("pass", "id", "- not_null"),
        ("fail", "store", "- not_null"),
        ("pass", "store", "- not_null: {config: {where: id = 1}}"),
        ("warn", "store", "- not_null: {config: {severity: warn}}"),
        ("warn", "store", "- not_null: {config: {error_if: '>5', warn_if: '>0'}}"),
        ("fail", "status", "- accepted_values: {values: [new]}"),
        ("pass", "status", "- accepted_values: {arguments: {values: [new, odd]}}"),
        ("fail", "store", "- relationships: {to: ref('stores'), field: id}"),
        ("pass", "n", "- dbt_utils.accepted_range: {min_value: 1, max_value: 10}"),
        ("fail", "n", "- dbt_utils.accepted_range: {min_value: 1, inclusive: false}"),
        ("fail", "n", "- dbt_utils.expression_is_true: {expression: '> 1'}"),
        ("pass", "store", "- dbt_utils.not_null_proportion: {at_least: 0.5}"),
        ("pass", "status", "- dbt_utils.not_empty_string"),
        ("pass", "store", "- dbt_utils.at_least_one"),
        # one value comes twice, in two rows
        ("pass", "id", "- unique: {config: {error_if: '>1', warn_if: '>1'}}"),
        ("pass", "id", "- unique: {config: {severity: warn, warn_if: '>1', where: id > 0}}"),
        ("fail", "id", "- unique: {config: {error_if: '>0', warn_if: '>0'}}"),
        ("pass", "id", "- accepted_values: {values: [1], error_if: '>1', warn_if: '>1'}"),
        ("fail", "id", "- accepted_values: {values: [3], error_if: '>1', warn_if: '>1'}"),
    ],
)
def test_a_test_has_its_verdict(verdict, column, test):
    draft = read(wrap(test).replace("COLUMN", column))
    assert not draft.unsaid
    assert set(judge(draft, DATA, stores=STORES).values()) == {verdict}


def test_models_have_tests_and_constraints():
    draft = read(
        """
models:
  - name: orders
    description: One row per order.
    data_tests:
      - dbt_utils.unique_combination_of_columns: {combination_of_columns: [id, n]}
      - dbt_utils.expression_is_true: {expression: n >= id}
    constraints: [{type: check, expression: n > 0}]
    columns:
      - {name: id, constraints: [{type: not_null}]}
"""
    )
    assert draft.table("orders").keys["about"] == "One row per order."
    assert set(judge(draft, DATA).values()) == {"pass"}


def test_a_test_that_is_turned_off_is_none():
    draft = read(wrap("- unique: {config: {enabled: false}}").replace("COLUMN", "id"))
    assert not draft.unsaid
    assert judge(draft, DATA) == {}


SOURCE = """
sources:
  - name: shop
    loaded_at_field: loaded
    freshness: {warn_after: {count: 12, period: hour}, error_after: {count: 2, period: day}}
    tables: [{name: orders}, {name: other, freshness: null}]
"""


@pytest.mark.parametrize(
    ("age", "verdicts"), [(1, ["pass", "pass"]), (30, ["warn", "pass"]), (72, ["warn", "fail"])]
)
def test_how_old_a_source_may_be(age, verdicts):
    draft = read(SOURCE)
    assert not draft.unsaid
    assert "other" not in draft.plain() or not draft.plain()["other"]
    data = pa.table({"loaded": [datetime.now(UTC) - timedelta(hours=age)]})
    assert [*judge(draft, data).values()] == verdicts


TYPED = """
models:
  - name: m
    config: {contract: {enforced: true}}
    columns: [{name: id, data_type: int}]
"""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (SOURCE.replace("loaded_at_field: loaded", "x: y"), "orders: freshness"),
        (SOURCE.replace("field: loaded", "field: cast(a as date)"), "orders: freshness"),
        (TYPED, "m.id: data_type int"),
        (wrap("- unique: {config: {fail_calc: sum(n)}}"), "orders.COLUMN: unique"),
    ],
    ids=["no column", "expression", "type", "fail_calc"],
)
def test_nothing_is_lost_unseen(text, where):
    assert [told.where for told in read(text).unsaid] == [where]


def test_what_contracts_can_not_say_is_told():
    draft = read("models: [{name: orders, columns: [{name: id, tests: [my_macro, unique]}]}]")
    (told,) = draft.unsaid
    assert told.where == "orders.id: my_macro"
