"""The summary of a run, at two widths."""

import pytest

from segue.cli.documents import describe_result
from segue.cli.render_run import render_result
from tests.unit.cli.golden import assert_golden, show
from tests.unit.cli.outcomes import BROKEN, GOOD, IDLE, LONG_IDLE, make_project

PROJECT = make_project("stores", "orders", "payments", "daily", *(f"step_{n}" for n in range(1000)))
RESULTS = {"good": GOOD, "broken": BROKEN, "idle": IDLE, "long_idle": LONG_IDLE}
PUBLISHED = {"good": ["orders", "daily"], "broken": [], "idle": [], "long_idle": []}


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("width", [80, 120])
def test_summary_is_as_agreed(name, width):
    text = show(*render_result(RESULTS[name], PROJECT, PUBLISHED[name]), width=width)
    assert_golden(f"run_{name}_{width}", text)


@pytest.mark.parametrize("name", RESULTS)
def test_summary_is_no_wider_than_the_terminal(name):
    text = show(*render_result(RESULTS[name], PROJECT, PUBLISHED[name]), width=70)
    tables = [line for line in text.splitlines() if "─" in line]
    assert all(len(line) <= 70 for line in tables)


def test_result_as_json():
    document = describe_result(GOOD, PROJECT)
    orders = document["steps"][0]
    assert (orders["rows"], orders["rejected"], orders["inputs"]) == (197, 3, {"raw_orders": 200})
    assert document["error"] is None
    assert describe_result(BROKEN, PROJECT)["error"]["code"] == "contract-failed"
    assert describe_result(IDLE, PROJECT)["run_id"] is None
