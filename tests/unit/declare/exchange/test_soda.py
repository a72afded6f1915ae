"""Soda's checks mean the same as checks of contracts."""

import pyarrow as pa
import pytest
import yaml

from segue.declare.exchange.soda import read_checks
from tests.unit.declare.exchange.importing import judge

DATA = pa.table(
    {"id": [1, 2, 2, 2], "name": ["ab", "b", None, "N/A"], "amount": [1.0, 2.0, 3.0, None]}
)
STORES = pa.table({"id": [1]})


@pytest.mark.parametrize(
    ("verdict", "check"),
    [
        ("pass", "row_count > 3"),
        ("fail", "row_count between 5 and 9"),
        ("pass", "row_count not between 5 and 9"),
        ("fail", "missing_count(name) = 0"),
        ("pass", "missing_percent(name) < 26"),
        ("pass", "missing_percent(name) <= 25 %"),
        ("fail", "duplicate_count(id) = 0"),
        ("pass", "duplicate_count(id) < 2"),
        ("pass", "duplicate_count(id, name) = 0"),
        ("pass", "avg(amount) between 2 and 2"),
        ("fail", "max(amount) != 3"),
        ("pass", "max_length(name) = 3"),
        ("fail", "missing_count(name): {missing values: [N/A], fail: when > 1}"),
        ("warn", "missing_count(name): {missing values: [N/A], warn: when > 1}"),
        ("fail", "invalid_count(name) = 0: {valid values: [ab, b]}"),
        ("pass", "invalid_count(name) = 0: {valid values: [ab, b], missing values: [N/A]}"),
        ("fail", "invalid_percent(amount) < 25: {valid max: 2}"),
        ("pass", "invalid_count(name) = 0: {valid max length: 3}"),
        ("fail", "schema: {fail: {when required column missing: [gone]}}"),
        ("warn", "schema: {warn: {when required column missing: [gone]}}"),
        ("fail", "failed rows: {name: high, fail condition: amount > 2}"),
        ("fail", "failed rows: {name: q, fail query: 'select * from orders where id = 1'}"),
        ("fail", "values in (id) must exist in stores (id)"),
        ("pass", "row_count = 1: {filter: id = 1}"),
    ],
)
def test_a_check_has_its_verdict(verdict, check):
    draft = read_checks(yaml.safe_load(f"checks for orders:\n  - {check}\n"))
    assert not draft.unsaid
    assert set(judge(draft, DATA, stores=STORES).values()) == {verdict}


@pytest.mark.parametrize(
    "check",
    ["anomaly score for row_count < default", "duplicate_percent(id) < 5", "group evolution: {}"],
)
def test_what_contracts_can_not_say_is_told(check):
    draft = read_checks(yaml.safe_load(f"checks for orders:\n  - {check}\n"))
    assert len(draft.unsaid) == 1


def test_other_parts_of_the_file_are_told():
    draft = read_checks({"filter orders [daily]": {"where": "true"}})
    assert draft.unsaid[0].where == "filter orders [daily]"


def test_what_a_schema_can_not_say_hides_nothing_else():
    draft = read_checks(
        yaml.safe_load(
            """
checks for orders:
  - schema:
      warn: {when schema changes: any}
      fail:
        when wrong column type: {id: integer}
        when required column missing: [gone]
"""
        )
    )
    (told,) = draft.unsaid
    assert "when schema changes" in told.what
    assert "when wrong column type" in told.what
    assert judge(draft, DATA) == {"gone present": "fail"}
