"""Contracts as dicts: with functions, decimals and durations of Python's own."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

import numpy as np
import pandas as pd
import pytest
import yaml

import segue
from segue.anywhere.contract_dict import write_contract
from segue.errors import UsageError


class Status(StrEnum):
    NEW = "new"


def positive(rows: pd.DataFrame):
    return rows.v <= 0


def least(rows: "list[dict]", bound: int = 0) -> bool:
    return all(row["v"] > bound for row in rows)


def fails(rows: "list[dict]"):
    raise ValueError(f"{len(rows)} rows")


ROWS = [{"id": 1, "v": 5}, {"id": 2, "v": -1}]


def test_functions_of_the_contract_itself():
    checks = [{"python": positive}, {"python": least, "params": {"bound": -2}}, {"python": fails}]

    found = segue.check(ROWS, {"checks": checks}).measurements

    assert [(each.check, str(each.verdict)) for each in found] == [
        ("given:positive", "fail"),
        ("given:least", "pass"),
        ("given:fails", "error"),
    ]
    assert found[0].sample == ({"id": 2, "v": -1},)
    line = fails.__code__.co_firstlineno + 1
    told = f"given:fails raised ValueError: 2 rows (test_contract_dict.py:{line})"
    assert found[2].message == told


def test_a_function_of_that_name_that_is_not_given():
    (found,) = segue.check(ROWS, {"checks": [{"python": "given:nothing"}]}).measurements

    assert found.verdict == "error"
    assert "No module named 'given'" in found.message


def test_two_functions_of_one_name():
    def make(bound):
        def above(rows: "list[dict]"):
            return all(row["v"] > bound for row in rows)

        return above

    found = segue.check(ROWS, {"checks": [{"python": make(-2)}, {"python": make(0)}]})

    assert [str(each.verdict) for each in found.measurements] == ["pass", "fail"]


def test_values_of_python():
    contract = {
        "in": [Status.NEW, ("a", 1)],
        "max": Decimal("0.10"),
        "within": timedelta(hours=24),
        "n": np.int64(5),
        "moments": [date(2026, 1, 31), datetime(2026, 1, 31, 10), time(10)],  # noqa: DTZ001
    }

    text, functions = write_contract(contract)

    assert functions == {}
    assert yaml.safe_load(text) == {
        "in": ["new", ["a", 1]],
        "max": "0.10",
        "within": "86400.000000s",
        "n": 5,
        "moments": [date(2026, 1, 31), datetime(2026, 1, 31, 10), "10:00:00"],  # noqa: DTZ001
    }


@pytest.mark.parametrize("value", [object(), pd.DataFrame, b"x"])
def test_what_no_contract_says(value):
    with pytest.raises(UsageError, match="the contract holds a value of type"):
        segue.check(ROWS, {"columns": {"v": {"max": value}}})
