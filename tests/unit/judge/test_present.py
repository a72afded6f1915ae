"""A column is there, or it is not."""

import pyarrow as pa
import pytest

import segue
from segue.errors import UsageError


def test_a_missing_column_fails_and_is_no_error():
    contract = {"columns": {"id": {"present": True}, "gone": {"present": True}}}
    report = segue.check(pa.table({"id": [1]}), contract)
    assert [str(found.verdict) for found in report.measurements] == ["pass", "fail"]
    assert report.measurements[1].message == "there is no column gone, expected it"


def test_it_is_true_or_left_out():
    with pytest.raises(UsageError, match="present: true"):
        segue.check(pa.table({"id": [1]}), {"columns": {"id": {"present": "yes"}}})
