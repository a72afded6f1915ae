"""Errors as people read them."""

import pytest

from segue.cli.documents import describe_error
from segue.cli.render_error import render_error
from segue.errors import Location, Problem, ProjectError, StepError, UnknownNameError
from tests.unit.cli.golden import assert_golden, show

ERRORS = {
    "project": ProjectError(
        [
            Problem(
                "unknown-table",
                "there is no table 'ordrs'",
                Location("steps/daily.sql", 7),
                "did you mean 'orders'?",
            ),
            Problem("sql", "the SELECT ends too early", Location("steps/daily.sql", 9)),
            Problem("toml", "a bracket is open", Location("segue.toml", 3), "close it"),
        ]
    ),
    "step": StepError(
        "ZeroDivisionError: division by zero",
        step="orders",
        hint="see the rows above",
        location=Location("steps/orders.py", 12),
        group="store = 3",
        trace='  File "steps/orders.py", line 12, in orders\n    1 / order["n"]',
        sample="order_id  n\n    1001  0",
    ),
    "name": UnknownNameError("there is no table 'ordrs'", hint="did you mean 'orders'?"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error_is_as_agreed(name):
    assert_golden(f"error_{name}", show(*render_error(ERRORS[name])))


def test_data_in_an_error_does_not_steer_the_terminal():
    error = StepError("bad\x1b[2Jvalue", sample="\x1b]0;title\x07", step="s")
    assert "\x1b" not in show(*render_error(error))
    assert "\x07" not in show(*render_error(error))


def test_markup_in_an_error_is_text():
    assert "[bold]x[/bold]" in show(*render_error(UnknownNameError("no [bold]x[/bold]")))


def test_error_as_json():
    document = describe_error(ERRORS["step"])
    assert document["location"] == {"path": "steps/orders.py", "line": 12}
    assert document["group"] == "store = 3"
    assert document["retryable"] is False
    assert describe_error(ERRORS["project"])["message"] == "3 problems in the project's files"
