"""Expectations mean the same as checks."""

import pyarrow as pa
import pytest

from segue.declare.exchange.great_expectations import read_suite
from tests.unit.declare.exchange.importing import judge

DATA = pa.table(
    {
        "id": [1, 2, 3, 3],
        "store": ["a", "b", None, "x1"],
        "amount": [0.0, 5.0, None, 100.0],
        "low": [1, 2, None, 4],
        "high": [1, 3, None, 2],
    }
)


def read(name, severity=None, **kwargs):
    expectation = {"type": f"expect_{name}", "kwargs": kwargs}
    if severity:
        expectation["severity"] = severity
    draft = read_suite({"name": "s", "expectations": [expectation]}, "orders")
    assert not draft.unsaid
    return draft


@pytest.mark.parametrize(
    ("verdict", "name", "kwargs"),
    [
        ("pass", "column_to_exist", {"column": "id"}),
        ("fail", "column_to_exist", {"column": "gone"}),
        ("fail", "column_values_to_not_be_null", {"column": "store"}),
        ("pass", "column_values_to_not_be_null", {"column": "store", "mostly": 0.75}),
        ("fail", "column_values_to_be_null", {"column": "store"}),
        ("fail", "column_values_to_be_unique", {"column": "id"}),
        ("pass", "column_values_to_be_between", {"column": "amount", "min_value": 0}),
        (
            "fail",
            "column_values_to_be_between",
            {"column": "amount", "min_value": 0, "strict_min": True},
        ),
        # a third of the values that are not null is too large
        (
            "fail",
            "column_values_to_be_between",
            {"column": "amount", "max_value": 9, "mostly": 0.7},
        ),
        (
            "pass",
            "column_values_to_be_between",
            {"column": "amount", "max_value": 9, "mostly": 0.6},
        ),
        ("fail", "column_values_to_be_in_set", {"column": "store", "value_set": ["a", "b", None]}),
        ("pass", "column_values_to_not_be_in_set", {"column": "store", "value_set": ["z"]}),
        ("pass", "column_values_to_match_regex", {"column": "store", "regex": "[abx]"}),
        ("fail", "column_values_to_match_regex", {"column": "store", "regex": "^[abx]$"}),
        ("pass", "column_values_to_not_match_regex", {"column": "store", "regex": "z"}),
        (
            "fail",
            "column_value_lengths_to_be_between",
            {"column": "store", "min_value": 1, "max_value": 1},
        ),
        ("fail", "column_values_to_be_increasing", {"column": "id", "strictly": True}),
        ("pass", "column_values_to_be_increasing", {"column": "id"}),
        ("pass", "table_row_count_to_equal", {"value": 4}),
        ("fail", "table_row_count_to_be_between", {"min_value": 4, "strict_min": True}),
        (
            "pass",
            "column_mean_to_be_between",
            {"column": "amount", "min_value": 35, "max_value": 35},
        ),
        ("fail", "column_max_to_be_between", {"column": "amount", "max_value": 99}),
        ("fail", "column_min_to_be_between", {"column": "id", "min_value": 1, "strict_min": True}),
        (
            "pass",
            "column_unique_value_count_to_be_between",
            {"column": "id", "min_value": 3, "max_value": 3},
        ),
        (
            "pass",
            "column_proportion_of_unique_values_to_be_between",
            {"column": "id", "min_value": 0.75},
        ),
        ("fail", "column_pair_values_to_be_equal", {"column_A": "low", "column_B": "high"}),
        (
            "fail",
            "column_pair_values_a_to_be_greater_than_b",
            {"column_A": "high", "column_B": "low", "or_equal": True},
        ),
        ("pass", "compound_columns_to_be_unique", {"column_list": ["id", "store"]}),
        (
            "fail",
            "table_columns_to_match_set",
            {"column_set": ["id", "store"], "exact_match": True},
        ),
        (
            "pass",
            "table_columns_to_match_ordered_list",
            {"column_list": ["id", "store", "amount", "low", "high"]},
        ),
    ],
)
def test_an_expectation_has_its_verdict(verdict, name, kwargs):
    verdicts = set(judge(read(name, **kwargs), DATA).values())
    assert (verdicts == {"pass"}) == (verdict == "pass"), verdicts
    assert verdict in verdicts


def test_a_warning_warns():
    draft = read("column_values_to_be_unique", severity="warning", column="id")
    assert set(judge(draft, DATA).values()) == {"warn"}


def test_a_second_check_of_a_kind_becomes_a_rule():
    between = {"type": "expect_column_values_to_be_between"}
    kwargs = ({"column": "id", "min_value": 1}, {"column": "id", "max_value": 2})
    suite = {"expectations": [{**between, "kwargs": each} for each in kwargs]}
    verdicts = judge(read_suite(suite, "orders"), DATA)
    assert verdicts == {"id between": "pass", 'id: "id" <= 2': "fail"}


def test_what_contracts_can_not_say_is_told():
    suite = {
        "expectations": [
            {"expectation_type": "expect_column_kl_divergence_to_be_less_than", "kwargs": {}},
            {
                "type": "expect_column_values_to_not_be_null",
                "kwargs": {"column": "id", "row_condition": 'col("id").notNull()'},
            },
        ]
    }
    first, second = read_suite(suite, "orders").unsaid
    assert first.where == "expectation 1, expect_column_kl_divergence_to_be_less_than"
    assert "row_condition" in second.what
